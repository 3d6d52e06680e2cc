// The edit stage: a person renames, merges or splits clusters. The tables are written anew with the change in them, and the
// change is added to clusterings/NAME/edits, which later runs honour.
using FeatureForge.Data;
using FeatureForge.Tensors;

namespace FeatureForge.Clustering;

/// <summary>One change to a clustering.</summary>
public sealed record EditSpec
{
    /// <summary>rename, merge or split.</summary>
    public static IReadOnlyList<string> Kinds { get; } = ["rename", "merge", "split"];

    public required string Clustering { get; init; }
    /// <summary>rename, merge or split.</summary>
    public required string Kind { get; init; }
    /// <summary>Cluster ids, or names that only one cluster has. Rename and split: one; merge: two or more.</summary>
    public required IReadOnlyList<string> Clusters { get; init; }
    /// <summary>Rename: the name to give. Merge: the merged cluster's, or null to have one suggested.</summary>
    public string? Name { get; init; }
    /// <summary>Parts of a split.</summary>
    public int Parts { get; init; } = 2;
    /// <summary>Who asks for it.</summary>
    public string Author { get; init; } = "person";

    /// <summary>Every problem of the request that can be seen without the store.</summary>
    public IReadOnlyList<string> Problems()
    {
        var problems = new List<string>();
        if (Names.Problem("clustering", Clustering) is { } problem) problems.Add(problem);
        if (!Kinds.Contains(Kind)) problems.Add($"Edit '{Kind}' is unknown; expected {string.Join(", ", Kinds)}.");
        if (Kind == "rename" && string.IsNullOrWhiteSpace(Name)) problems.Add("A rename needs a name.");
        if (Kind == "merge" && Clusters.Distinct().Count() < 2) problems.Add($"A merge needs two or more different clusters, found {Clusters.Distinct().Count()}.");
        if (Kind is "rename" or "split" && Clusters.Count != 1) problems.Add($"A {Kind} is done to one cluster, found {Clusters.Count}.");
        if (Kind == "split" && Parts < 2) problems.Add($"A split needs at least 2 parts, found {Parts}.");
        return problems;
    }
}

/// <summary>What an edit made.</summary>
/// <param name="ResultIds">The merged cluster, or the parts of the split; of a rename the cluster itself.</param>
public sealed record EditResult(string Clustering, string Kind, IReadOnlyList<string> ClusterIds, IReadOnlyList<string> ResultIds, string? Name, int Leaves, double Seconds);

/// <summary>Runs an <see cref="EditSpec"/>.</summary>
public static class EditRun
{
    /// <exception cref="BadRequestException">The spec is wrong, or does not fit the clustering; nothing was changed.</exception>
    public static async Task<EditResult> ExecuteAsync(EditSpec spec, RunContext context, CancellationToken stop)
    {
        BadRequestException.ThrowIfAny(spec.Problems());
        var started = context.Time.GetTimestamp();
        context.Store.Clustering(spec.Clustering);
        var previous = (await PreviousClustering.LoadAsync(context, spec.Clustering, stop))!;
        var editId = ContentId.Of(context.RunId);
        var ids = spec.Clusters.Select(word => Find(previous, word)).ToList();
        if (previous.Edits.FirstOrDefault(edit => edit.EditId == editId) is { } done) return Finish(done, previous.Manifest.Leaves);

        var edit = new ClusterEditRow { EditId = editId, Kind = spec.Kind, ClusterIds = ids, Name = spec.Name, Author = spec.Author, At = context.Time.GetUtcNow() };
        IReadOnlyList<ClusterRow> clusters;
        var (memberships, leaves) = ((IReadOnlyList<MembershipRow>)previous.Memberships, previous.Manifest.Leaves);
        if (spec.Kind == "rename") clusters = [.. previous.Clusters.Select(row => row.ClusterId == ids[0] ? row with { Name = spec.Name!, NameSource = "person" } : row)];
        else
        {
            var (tables, results) = await Task.Factory.StartNew(() => Reshape(spec, ids, edit, previous, context, stop), stop, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            edit = edit with { ResultIds = results };
            (clusters, memberships, leaves) = (tables.Clusters, tables.Memberships, tables.Leaves);
        }
        await PublishAsync(context, previous, clusters, memberships, leaves, edit, stop);
        return Finish(edit, leaves);

        EditResult Finish(ClusterEditRow made, int count)
        {
            new Publication(context).Finish();
            context.Information($"Clustering '{spec.Clustering}': {made.Kind} of {string.Join(", ", made.ClusterIds)} by {made.Author}.");
            return new(spec.Clustering, made.Kind, made.ClusterIds, made.Kind == "rename" ? made.ClusterIds : made.ResultIds, made.Name, count, context.Time.GetElapsedTime(started).TotalSeconds);
        }
    }

    private static string Find(PreviousClustering clustering, string word)
    {
        if (clustering.Clusters.Any(row => row.ClusterId == word)) return word;
        var named = clustering.Clusters.Where(row => row.Name == word || (word.Length >= 6 && row.ClusterId.StartsWith(word, StringComparison.Ordinal))).ToList();
        if (named.Count == 1) return named[0].ClusterId;
        throw new BadRequestException(named.Count == 0
            ? $"Clustering '{clustering.Manifest.Name}' has no cluster '{word}'. List them: featureforge clusters list --clustering {clustering.Manifest.Name}."
            : $"{named.Count} clusters of '{clustering.Manifest.Name}' are called '{word}'; name one by its id: {string.Join(", ", named.Select(row => row.ClusterId))}.");
    }

    private static (ClusterTables Tables, IReadOnlyList<string> Results) Reshape(EditSpec spec, List<string> ids, ClusterEditRow edit, PreviousClustering previous, RunContext context, CancellationToken stop)
    {
        var manifest = previous.Manifest;
        var vectors = SetVectors.Read(context.Store, manifest.Set, manifest.Level, manifest.Grain, stop, context.StagingFolder);
        var before = previous.Of(vectors);
        if (vectors.Set.EncoderId != manifest.EncoderId || vectors.Rows != manifest.Vectors || before.Contains(null))
            throw new BadRequestException($"Embedding set '{manifest.Set}' has changed since clustering '{manifest.Name}' was made. Cluster it again first (ids and edits are kept), then edit.");
        var number = previous.Clusters.Select((row, i) => (row.ClusterId, i)).ToDictionary(pair => pair.ClusterId, pair => pair.i);
        string LeafAt(int row) => before[row]!.NearestClusterId ?? before[row]!.ClusterId!;
        var paths = previous.Clusters.ToDictionary(row => row.ClusterId, row => PathTo(previous, number, row.ClusterId));
        var deepest = paths.Values.Max(path => path.Count);
        var layers = Enumerable.Range(1, Math.Max(0, deepest - 1)).Select(depth => Enumerable.Range(0, vectors.Rows).Select(row => number[paths[LeafAt(row)][Math.Min(depth, paths[LeafAt(row)].Count - 1)]]).ToArray()).ToList();
        var tree = ClusterTree.Of(layers, vectors.Rows);
        var stability = previous.Clusters.ToDictionary(row => row.ClusterId, row => row.Stability);
        var found = new Partitioning(tree, [.. before.Select(row => row!.Strength)], [.. tree.Nodes.Select(node => stability[SameNode(node, paths, LeafAt)])], manifest.Measures)
        {
            Noise = before.Any(row => row!.ClusterId is null) ? [.. before.Select(row => row!.ClusterId is null)] : null,
        };

        var leaves = Enumerable.Range(0, vectors.Rows).Select(row => number[LeafAt(row)]).ToArray();
        var chosen = Enumerable.Range(0, vectors.Rows).Where(row => ids.Any(id => paths[LeafAt(row)].Contains(id))).ToArray();
        var results = new Dictionary<int, string>();
        if (spec.Kind == "merge")
        {
            foreach (var row in chosen) leaves[row] = previous.Clusters.Count;
            results[previous.Clusters.Count] = ContentId.Of($"{edit.EditId} 0");
        }
        else
        {
            if (previous.Clusters.Any(row => row.ParentId == ids[0])) throw new BadRequestException($"Cluster {ids[0]} is divided already; split one of its leaves.");
            if (chosen.Length < spec.Parts) throw new BadRequestException($"Cluster {ids[0]} holds {chosen.Length} vectors; expected at least {spec.Parts} for {spec.Parts} parts.");
            var part = vectors.Of(chosen);
            var fit = KMeans.Fit(part.Values.ToArray(), part.Rows, part.Dimension, new() { Clusters = spec.Parts, Metric = part.Metric }, stop: stop);
            for (var i = 0; i < chosen.Length; i++) leaves[chosen[i]] = previous.Clusters.Count + fit.Assignment[i];
            for (var p = 0; p < spec.Parts; p++)
                if (fit.Assignment.Contains(p)) results[previous.Clusters.Count + p] = ContentId.Of($"{edit.EditId} {p}");
            if (results.Count < 2) throw new BadRequestException($"Cluster {ids[0]} cannot be split: its vectors are all the same.");
        }
        var (changed, given) = ClusterTables.Changed(found, vectors, leaves, results);
        var named = previous with { Edits = [.. previous.Edits, edit with { ResultIds = [.. results.Values] }] };
        var tables = ClusterTables.Of(context, vectors, changed, named, before, given, 0, stop);
        return (tables, [.. results.Values]);
    }

    private static string SameNode(ClusterNode node, Dictionary<string, IReadOnlyList<string>> paths, Func<int, string> leafAt) => paths[leafAt(node.Members[0])][node.Depth];

    private static IReadOnlyList<string> PathTo(PreviousClustering previous, Dictionary<string, int> number, string id)
    {
        var path = new List<string>();
        for (var at = id; at is not null; at = previous.Clusters[number[at]].ParentId) path.Add(at);
        path.Reverse();
        return path;
    }

    private static async Task PublishAsync(RunContext context, PreviousClustering previous, IReadOnlyList<ClusterRow> clusters, IReadOnlyList<MembershipRow> memberships, int leaves, ClusterEditRow edit, CancellationToken stop)
    {
        var (folder, manifest) = (context.Store.ClusteringFolder(previous.Manifest.Name), previous.Manifest);
        var staged = new[] { "clusters", "memberships", "edits" }.ToDictionary(table => table, table => Path.Combine(context.StagingFolder, table + ".parquet"));
        await ClustersTable.WriteAsync(staged["clusters"], clusters, stop);
        if (edit.Kind != "rename") await MembershipsTable.WriteAsync(staged["memberships"], memberships, stop);
        await ClusterEditsTable.WriteAsync(staged["edits"], [edit], stop);
        if (context.Store.FindClustering(manifest.Name)?.RunId != manifest.RunId)
            throw new InvalidOperationException($"Clustering '{manifest.Name}' was made anew by another run meanwhile. Make the edit again.");
        var publication = new Publication(context);
        publication.Commit(Path.Combine(folder, "clustering.json"), manifest with
        {
            Clusters = clusters.Count,
            Leaves = leaves,
            ClusterParts = [publication.Add(staged["clusters"], folder, "clusters/part-00000.parquet", clusters.Count)],
            MembershipParts = edit.Kind == "rename" ? manifest.MembershipParts : [publication.Add(staged["memberships"], folder, "memberships/part-00000.parquet", memberships.Count)],
            EditParts = [.. manifest.EditParts, publication.Add(staged["edits"], folder, $"edits/part-{previous.NextEditPart:D5}.parquet", 1)],
        });
    }
}
