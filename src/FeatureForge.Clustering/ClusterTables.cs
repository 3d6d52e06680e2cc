// What a tree of clusters looks like as tables: ids, names, representatives, centroids; a path and a strength for every vector.
using System.Text;
using FeatureForge.Data;

namespace FeatureForge.Clustering;

internal sealed record ClusterTables(IReadOnlyList<ClusterRow> Clusters, IReadOnlyList<MembershipRow> Memberships, int Leaves, IReadOnlyDictionary<string, double> Measures, ClusterChanges? Changes)
{
    /// <param name="previous">The clustering of this name before, whose ids go on and whose edits hold; null for the first.</param>
    internal static ClusterTables Of(RunContext context, SetVectors vectors, Partitioning found, PreviousClustering? previous, int seed, CancellationToken stop)
    {
        var before = previous?.Of(vectors);
        IReadOnlyDictionary<int, string> given = new Dictionary<int, string>();
        if (previous is not null && previous.Edits.Count > 0)
        {
            var (leaves, locked) = HandEdits.Honour(vectors, found.Tree.LeafOf, before!, previous.Edits);
            if (locked.Count > 0) (found, given) = Changed(found, vectors, leaves, locked);
        }
        return Of(context, vectors, found, previous, before, given, seed, stop);
    }

    /// <summary>The same tree over other leaves: nodes whose members stay keep their stability.</summary>
    /// <param name="locked">Ids that leaf numbers of <paramref name="leaves"/> must get.</param>
    internal static (Partitioning Found, IReadOnlyDictionary<int, string> Given) Changed(Partitioning found, SetVectors vectors, int[] leaves, IReadOnlyDictionary<int, string> locked)
    {
        var tree = HandEdits.Rebuilt(found.Tree, leaves);
        var stability = found.Tree.Nodes.Select((node, i) => (Id: IdOf(vectors, node.Members), Value: found.Stability[i])).DistinctBy(pair => pair.Id).ToDictionary(pair => pair.Id, pair => pair.Value);
        var given = new Dictionary<int, string>();
        for (var row = 0; row < leaves.Length; row++)
            if (locked.TryGetValue(leaves[row], out var id)) given[tree.LeafOf[row]] = id;
        return (found with { Tree = tree, Stability = [.. tree.Nodes.Select(node => stability.GetValueOrDefault(IdOf(vectors, node.Members)))] }, given);
    }

    /// <param name="given">Ids that some leaves must get.</param>
    internal static ClusterTables Of(RunContext context, SetVectors vectors, Partitioning found, PreviousClustering? previous, MembershipRow?[]? before, IReadOnlyDictionary<int, string> given, int seed, CancellationToken stop)
    {
        var (tree, noise) = (found.Tree, found.Noise);
        var members = Array.ConvertAll(tree.Nodes.ToArray(), node => noise is null ? node.Members : Clustered(node.Members, noise));
        var lineage = previous is null ? null : ClusterLineage.Of(tree, previous, before!, noise, given);
        var ids = Ids(vectors, tree, lineage?.Ids, given, previous);
        var centroids = new float[tree.Nodes.Count][];
        Parallel.For(0, tree.Nodes.Count, new() { CancellationToken = stop }, node => centroids[node] = Geometry.Centroid(vectors, members[node]));
        var names = ClusterNames.Of(context, vectors, tree, stop);
        var byPeople = HandEdits.Names(previous?.Edits ?? []);

        var clusters = new ClusterRow[tree.Nodes.Count];
        Parallel.For(0, tree.Nodes.Count, new() { CancellationToken = stop }, node =>
        {
            var (parent, depth, _) = tree.Nodes[node];
            var siblings = parent < 0 ? [] : tree.Children[parent].Where(other => other != node).ToList();
            var shown = Representatives.Of(vectors, members[node], centroids[node], siblings.ConvertAll(other => centroids[other]));
            clusters[node] = new()
            {
                ClusterId = ids[node],
                ParentId = parent < 0 ? null : ids[parent],
                Depth = depth,
                Size = noise is null ? members[node].Length : tree.Nodes[node].Members.Count(row => !noise[row]),
                Name = byPeople.GetValueOrDefault(ids[node]) ?? names[node].Name,
                NameSource = byPeople.ContainsKey(ids[node]) ? "person" : "suggested",
                Keywords = names[node].Keywords,
                ExemplarIds = [.. shown.Exemplars.Select(row => vectors.ItemIds[row])],
                BoundaryIds = [.. shown.Boundary.Select(row => vectors.ItemIds[row])],
                Stability = found.Stability[node],
                Cohesion = (float)members[node].Average(row => (double)Geometry.Cosine(vectors[row], centroids[node])),
                Centroid = centroids[node],
                NearestSiblingId = siblings.Count == 0 ? null : ids[siblings.MinBy(other => Geometry.Distance(centroids[node], centroids[other], vectors.Metric))],
            };
        });
        return new(clusters, MembershipsOf(vectors, found, ids, centroids), tree.Leaves.Count(), MeasuresOf(vectors, found, centroids, seed), lineage?.Named(ids));
    }

    // A node whose every row is noise is shown by those rows.
    private static int[] Clustered(int[] rows, bool[] noise) => Array.FindAll(rows, row => !noise[row]) is { Length: > 0 } kept ? kept : rows;

    private static string[] Ids(SetVectors vectors, ClusterTree tree, string?[]? matched, IReadOnlyDictionary<int, string> given, PreviousClustering? previous)
    {
        var ids = new string[tree.Nodes.Count];
        var taken = (matched ?? []).OfType<string>().Concat(given.Values).ToHashSet(StringComparer.Ordinal);
        // An id that stood for other members before means those.
        taken.UnionWith((previous?.Clusters ?? []).Select(row => row.ClusterId));
        for (var node = 0; node < ids.Length; node++)
        {
            if ((given.GetValueOrDefault(node) ?? matched?[node]) is { } known)
            {
                ids[node] = known;
                continue;
            }
            ids[node] = IdOf(vectors, tree.Nodes[node].Members);
            for (var number = 2; !taken.Add(ids[node]); number++) ids[node] = ContentId.Of($"{IdOf(vectors, tree.Nodes[node].Members)} {number}");
        }
        return ids;
    }

    /// <summary>What a cluster is, not how it was found: the encoder, the level and the members.</summary>
    internal static string IdOf(SetVectors vectors, int[] members)
    {
        var text = new StringBuilder($"{vectors.Set.EncoderId}\n{vectors.Level}\n{vectors.Grain}\n");
        foreach (var row in members) text.Append(vectors.ItemIds[row]).Append('#').Append(vectors.SpanIndex[row]).Append('\n');
        return ContentId.Of(text.ToString());
    }

    private static MembershipRow[] MembershipsOf(SetVectors vectors, Partitioning found, string[] ids, float[][] centroids)
    {
        var paths = found.Tree.Leaves.ToDictionary(leaf => leaf, leaf => (IReadOnlyList<string>)[.. found.Tree.PathTo(leaf).Select(node => ids[node])]);
        var memberships = new MembershipRow[vectors.Rows];
        for (var row = 0; row < vectors.Rows; row++)
        {
            var leaf = found.Tree.LeafOf[row];
            var isNoise = found.Noise?[row] == true;
            memberships[row] = new(vectors.ItemIds[row], vectors.SpanIndex[row], isNoise ? null : ids[leaf], isNoise ? [] : paths[leaf], found.Strength[row],
                Geometry.Distance(vectors[row], centroids[leaf], vectors.Metric), ids[leaf]);
        }
        return memberships;
    }

    private static SortedDictionary<string, double> MeasuresOf(SetVectors vectors, Partitioning found, float[][] centroids, int seed)
    {
        var measures = new SortedDictionary<string, double>(StringComparer.Ordinal);
        foreach (var (name, value) in found.Measures) measures[name] = value;
        if (Clustering.Measures.LeafSilhouette(vectors, found.Tree, centroids, seed) is { } silhouette) measures["silhouette"] = silhouette;
        measures["mean_strength"] = found.Strength.Average(strength => (double)strength);
        var stabilities = found.Tree.Leaves.Select(leaf => found.Stability[leaf]).OfType<float>().ToList();
        if (stabilities.Count > 0) measures["mean_stability"] = stabilities.Average(stability => (double)stability);
        return measures;
    }
}
