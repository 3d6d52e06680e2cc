// The clustering stage: vectors of a set -> tree of clusters -> memberships, representatives, names -> clusterings/NAME.
// One unit of work: killed and started again it computes the same tables once more and publishes them.
using System.Text;
using System.Text.Json;
using FeatureForge.Data;
using FeatureForge.Tensors;

namespace FeatureForge.Clustering;

/// <summary>Runs a <see cref="ClusterSpec"/>.</summary>
public static class ClusterRun
{
    /// <summary>Vectors one neighbour graph holds; the others are assigned to what was found on a sample of this many.</summary>
    internal const int GraphRows = 100_000;

    /// <summary>Makes or replaces the clustering. Its map, if it had one, goes: a map run makes a new one.</summary>
    /// <exception cref="BadRequestException">The spec is wrong, or does not fit the store; nothing was changed.</exception>
    public static async Task<ClusterResult> ExecuteAsync(ClusterSpec spec, RunContext context, CancellationToken stop)
    {
        BadRequestException.ThrowIfAny(spec.Problems());
        var started = context.Time.GetTimestamp();
        var name = spec.ClusteringName();
        BadRequestException.ThrowIfAny(Names.Problem("clustering", name) is { } problem ? [problem] : []);
        if (context.Store.FindClustering(name) is { } existing && existing.Set != spec.Set)
            throw new BadRequestException($"Clustering '{name}' exists and is of embedding set '{existing.Set}', not '{spec.Set}'. Choose another name.");

        var (vectors, rows) = await Task.Factory.StartNew(() => Compute(spec, context, stop), stop, TaskCreationOptions.LongRunning, TaskScheduler.Default);

        Directory.CreateDirectory(context.StagingFolder);
        var clusters = Path.Combine(context.StagingFolder, "clusters.parquet");
        var memberships = Path.Combine(context.StagingFolder, "memberships.parquet");
        await ClustersTable.WriteAsync(clusters, rows.Clusters, stop);
        await MembershipsTable.WriteAsync(memberships, rows.Memberships, stop);

        var folder = context.Store.ClusteringFolder(name);
        var publication = new Publication(context);
        var manifest = new ClusteringManifest
        {
            Name = name,
            Set = spec.Set,
            EncoderId = vectors.Set.EncoderId,
            Level = spec.Level,
            Grain = spec.Grain,
            Method = spec.Method,
            Spec = JsonSerializer.SerializeToElement(spec with { Clustering = name }, SpecJson.Line),
            Vectors = vectors.Rows,
            Clusters = rows.Clusters.Count,
            Leaves = rows.Leaves,
            Measures = rows.Measures,
            ClusterParts = [publication.Add(clusters, folder, "clusters/part-00000.parquet", rows.Clusters.Count)],
            MembershipParts = [publication.Add(memberships, folder, "memberships/part-00000.parquet", rows.Memberships.Count)],
            MapParts = [],
            RunId = context.RunId,
            CreatedAt = context.Time.GetUtcNow(),
        };
        publication.Commit(Path.Combine(folder, "clustering.json"), manifest);
        if (Directory.Exists(Path.Combine(folder, "map"))) Directory.Delete(Path.Combine(folder, "map"), recursive: true);
        publication.Finish();

        var seconds = context.Time.GetElapsedTime(started).TotalSeconds;
        context.Information($"Clustering '{name}': {vectors.Rows} vectors of {spec.Set}/{spec.Level} in {rows.Leaves} leaves, {rows.Clusters.Count} clusters in all.");
        return new()
        {
            Clustering = name,
            Set = spec.Set,
            Vectors = vectors.Rows,
            Clusters = rows.Clusters.Count,
            Leaves = rows.Leaves,
            Measures = rows.Measures,
            Seconds = seconds,
        };
    }

    private sealed record Rows(IReadOnlyList<ClusterRow> Clusters, IReadOnlyList<MembershipRow> Memberships, int Leaves, IReadOnlyDictionary<string, double> Measures);

    private static (SetVectors Vectors, Rows Rows) Compute(ClusterSpec spec, RunContext context, CancellationToken stop)
    {
        var vectors = SetVectors.Read(context.Store, spec.Set, spec.Level, spec.Grain, stop);
        if (spec.K > vectors.Rows)
            throw new BadRequestException($"k is {spec.K}, but embedding set '{spec.Set}' holds {vectors.Rows} vectors of level {spec.Level}; expected at most that many clusters.");
        // A graph of a sample bounds time and memory; k-means needs a share of rows for every cluster.
        var sample = FitSample.Of(vectors, Math.Max(GraphRows, 64 * (spec.K ?? 0)), spec.Seed);
        if (sample.Count < vectors.Rows)
            context.Information($"{vectors.Rows} vectors: clusters are found on a sample of {sample.Count}, the others join their nearest neighbours' clusters.");
        var progress = new PhaseProgress(context);
        var found = spec.Method == "tree"
            ? TreeMethod.Run(vectors, sample, spec.Seed, spec.Device, progress.Report, stop)
            : KMeansMethod.Run(vectors, sample, spec.K, spec.Seed, spec.Device, progress.Report, stop);
        return (vectors, Describe(spec, context, vectors, found, stop));
    }

    private static Rows Describe(ClusterSpec spec, RunContext context, SetVectors vectors, Partitioning found, CancellationToken stop)
    {
        var tree = found.Tree;
        var ids = tree.Nodes.Select(node => IdOf(vectors, node.Members)).ToArray();
        var centroids = tree.Nodes.Select(node => Geometry.Centroid(vectors, node.Members)).ToArray();
        var names = ClusterNames.Of(context, vectors, tree, stop);
        var clusters = new List<ClusterRow>();
        for (var node = 0; node < tree.Nodes.Count; node++)
        {
            stop.ThrowIfCancellationRequested();
            var (parent, depth, members) = tree.Nodes[node];
            var siblings = parent < 0 ? [] : tree.Children[parent].Where(other => other != node).Select(other => centroids[other]).ToList();
            var shown = Representatives.Of(vectors, members, centroids[node], siblings);
            clusters.Add(new()
            {
                ClusterId = ids[node],
                ParentId = parent < 0 ? null : ids[parent],
                Depth = depth,
                Size = members.Length,
                Name = names[node].Name,
                Keywords = names[node].Keywords,
                ExemplarIds = [.. shown.Exemplars.Select(row => vectors.ItemIds[row])],
                BoundaryIds = [.. shown.Boundary.Select(row => vectors.ItemIds[row])],
                Stability = found.Stability[node],
                Cohesion = (float)members.Average(row => (double)Geometry.Cosine(vectors[row], centroids[node])),
                Centroid = centroids[node],
            });
        }

        var paths = tree.Leaves.ToDictionary(leaf => leaf, leaf => (IReadOnlyList<string>)[.. tree.PathTo(leaf).Select(node => ids[node])]);
        var memberships = new MembershipRow[vectors.Rows];
        for (var row = 0; row < vectors.Rows; row++)
        {
            var leaf = tree.LeafOf[row];
            memberships[row] = new(vectors.ItemIds[row], vectors.SpanIndex[row], ids[leaf], paths[leaf], found.Strength[row], Geometry.Distance(vectors[row], centroids[leaf], vectors.Metric));
        }

        var measures = new SortedDictionary<string, double>(StringComparer.Ordinal);
        foreach (var (name, value) in found.Measures) measures[name] = value;
        if (Measures.LeafSilhouette(vectors, tree, centroids, spec.Seed) is { } silhouette) measures["silhouette"] = silhouette;
        measures["mean_strength"] = found.Strength.Average(strength => (double)strength);
        var stabilities = tree.Leaves.Select(leaf => found.Stability[leaf]).OfType<float>().ToList();
        if (stabilities.Count > 0) measures["mean_stability"] = stabilities.Average(stability => (double)stability);
        return new(clusters, memberships, paths.Count, measures);
    }

    // What a cluster is, not how it was found: the encoder, the level and the members. The same members keep their id.
    private static string IdOf(SetVectors vectors, int[] members)
    {
        var text = new StringBuilder($"{vectors.Set.EncoderId}\n{vectors.Level}\n{vectors.Grain}\n");
        foreach (var row in members) text.Append(vectors.ItemIds[row]).Append('#').Append(vectors.SpanIndex[row]).Append('\n');
        return ContentId.Of(text.ToString());
    }
}
