// The clustering stage: vectors of a set -> tree of clusters -> memberships, representatives, names -> clusterings/NAME.
// One unit of work: killed and started again it computes the same tables once more and publishes them.
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

        if (spec.Shard is not null) return await Task.Factory.StartNew(() => ComputeShard(spec, context, started, stop), stop, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        // Killed after the manifest was written: the work is published already.
        if (context.Store.FindClustering(name) is { } done && done.RunId == context.RunId) return Finish(done);
        var previous = await PreviousClustering.LoadAsync(context, name, stop);
        if (previous is not null && previous.Manifest.EncoderId != context.Store.Set(spec.Set).EncoderId) previous = null;

        var (vectors, rows, levels) = await Task.Factory.StartNew(() => Compute(spec, previous, context, stop), stop, TaskCreationOptions.LongRunning, TaskScheduler.Default);

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
            Spec = JsonSerializer.SerializeToElement(spec with { Clustering = name, Shards = null }, SpecJson.Line),
            Vectors = vectors.Rows,
            Clusters = rows.Clusters.Count,
            Leaves = rows.Leaves,
            Measures = rows.Measures,
            BestLevel = levels?.Best,
            Changes = rows.Changes,
            ClusterParts = [publication.Add(clusters, folder, "clusters/part-00000.parquet", rows.Clusters.Count)],
            MembershipParts = [publication.Add(memberships, folder, "memberships/part-00000.parquet", rows.Memberships.Count)],
            MapParts = [],
            EditParts = previous?.Manifest.EditParts ?? [],
            RunId = context.RunId,
            CreatedAt = context.Time.GetUtcNow(),
        };
        publication.Commit(Path.Combine(folder, "clustering.json"), manifest);
        return Finish(manifest);

        ClusterResult Finish(ClusteringManifest manifest)
        {
            // They showed other clusters.
            foreach (var stale in new[] { "map", "assignments" }) context.Store.Remove(Path.Combine(context.Store.ClusteringFolder(name), stale));
            new Publication(context).Finish();
            UnitsOf(spec, context)?.Remove();
            context.Information($"Clustering '{name}': {manifest.Vectors} vectors of {spec.Set}/{spec.Level} in {manifest.Leaves} leaves, {manifest.Clusters} clusters in all.");
            return new()
            {
                Clustering = name,
                Set = spec.Set,
                Vectors = manifest.Vectors,
                Clusters = manifest.Clusters,
                Leaves = manifest.Leaves,
                Measures = manifest.Measures,
                BestLevel = manifest.BestLevel,
                Changes = manifest.Changes,
                Seconds = context.Time.GetElapsedTime(started).TotalSeconds,
            };
        }
    }

    // Of the request without what changes no table, and of the vectors as they are now.
    private static NeighbourUnits? UnitsOf(ClusterSpec spec, RunContext context)
    {
        if (spec.Shards is not { } shards) return null;
        var set = context.Store.Set(spec.Set);
        return NeighbourUnits.Of(context, "cluster", $"{JsonSerializer.Serialize(spec with { Clustering = null, Refine = null, Shard = null, Device = "" }, SpecJson.Line)} {set.RunId} {set.UpdatedAt:O} {context.Store.FindCorpus(set.Corpus)?.Version}", shards, spec.Shard);
    }

    private static ClusterResult ComputeShard(ClusterSpec spec, RunContext context, long started, CancellationToken stop)
    {
        var vectors = SetVectors.Read(context.Store, spec.Set, spec.Level, spec.Grain, stop, context.StagingFolder);
        var units = UnitsOf(spec, context)!;
        TreeMethod.MakeUnits(vectors, SampleOf(vectors, spec), units, spec.Device, new PhaseProgress(context).Report, stop);
        units.LetGo();
        new Publication(context).Finish();
        return new() { Clustering = spec.ClusteringName(), Set = spec.Set, Vectors = vectors.Rows, Clusters = 0, Leaves = 0, Measures = new Dictionary<string, double>(), Seconds = context.Time.GetElapsedTime(started).TotalSeconds };
    }

    // A graph of a sample bounds time and memory; k-means needs a share of rows for every cluster.
    private static FitSample SampleOf(SetVectors vectors, ClusterSpec spec) => FitSample.Of(vectors, Math.Max(GraphRows, 64 * (spec.K ?? 0)), spec.Seed);

    private static (SetVectors Vectors, ClusterTables Rows, LevelScores? Levels) Compute(ClusterSpec spec, PreviousClustering? previous, RunContext context, CancellationToken stop)
    {
        var vectors = SetVectors.Read(context.Store, spec.Set, spec.Level, spec.Grain, stop, context.StagingFolder);
        vectors.SayWhatIsLeftOut(context);
        if (spec.K > vectors.Rows)
            throw new BadRequestException($"k is {spec.K}, but embedding set '{spec.Set}' holds {vectors.Rows} vectors of level {spec.Level}; expected at most that many clusters.");
        var sample = SampleOf(vectors, spec);
        if (vectors.Values.IsMapped) context.Information($"The vectors are more than this process may hold in memory; they are read from disk.");
        if (sample.Count < vectors.Rows)
            context.Information($"{vectors.Rows} vectors: clusters are found on a sample of {sample.Count}, the others join their nearest neighbours' clusters.");
        var progress = new PhaseProgress(context);
        var found = spec.Method switch
        {
            "tree" => TreeMethod.Run(vectors, sample, spec.Seed, spec.Device, progress.Report, stop, UnitsOf(spec, context)),
            "hdbscan" => HdbscanMethod.Run(vectors, sample, spec.Density(sample.Count), spec.Seed, progress.Report, stop),
            _ => KMeansMethod.Run(vectors, sample, spec.K, spec.Seed, spec.Device, progress.Report, stop),
        };
        if (spec.Refine is { } finer) found = LeafRefinement.Of(vectors, SetVectors.Read(context.Store, spec.Set, finer, spec.Grain, stop, context.StagingFolder), found, spec.Seed, spec.Device, progress.Report, stop);
        var levels = LevelScores.Of(context.Store, vectors, spec.Seed, spec.Device, progress.Report, stop);
        var rows = ClusterTables.Of(context, vectors, found, previous, spec.Seed, stop);
        if (levels is not null) rows = rows with { Measures = new SortedDictionary<string, double>(rows.Measures.Concat(levels.Measures).ToDictionary(), StringComparer.Ordinal) };
        return (vectors, rows, levels);
    }
}
