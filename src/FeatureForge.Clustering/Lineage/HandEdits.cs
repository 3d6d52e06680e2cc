// What people merged and split holds in later runs: clusters found inside a merged one are joined, a cluster found across
// the parts of a split is divided among them. Rows that are new go to the part of the nearest centroid.
using FeatureForge.Data;

namespace FeatureForge.Clustering;

internal static class HandEdits
{
    /// <summary>The names that people gave, by cluster; the last one counts.</summary>
    internal static Dictionary<string, string> Names(IEnumerable<ClusterEditRow> edits)
    {
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var edit in edits.Where(edit => edit.Name is not null))
            names[edit.Kind == "rename" ? edit.ClusterIds[0] : edit.ResultIds[0]] = edit.Name!;
        return names;
    }

    /// <summary>Merged clusters and parts of splits that no later edit undid, each with the split it belongs to (a merge: null).</summary>
    internal static Dictionary<string, string?> Locked(IEnumerable<ClusterEditRow> edits)
    {
        var locked = new Dictionary<string, string?>(StringComparer.Ordinal);
        foreach (var edit in edits.Where(edit => edit.Kind != "rename"))
        {
            foreach (var id in edit.ClusterIds) locked.Remove(id);
            foreach (var id in edit.ResultIds) locked[id] = edit.Kind == "split" ? edit.EditId : null;
        }
        return locked;
    }

    /// <summary>The leaves with every edit honoured, and the ids that some of them must get.</summary>
    /// <param name="leaves">Per row the leaf that was found.</param>
    /// <param name="before">Per row its membership in the clustering before, or null.</param>
    internal static (int[] Leaves, IReadOnlyDictionary<int, string> Given) Honour(SetVectors vectors, int[] leaves, MembershipRow?[] before, IReadOnlyList<ClusterEditRow> edits)
    {
        var locked = Locked(edits);
        var given = new Dictionary<int, string>();
        if (locked.Count == 0) return (leaves, given);
        leaves = (int[])leaves.Clone();
        var next = leaves.Max() + 1;
        var homes = new SortedDictionary<string, int>(StringComparer.Ordinal); // of locked clusters
        foreach (var group in Enumerable.Range(0, leaves.Length).GroupBy(row => leaves[row]).ToList())
        {
            var rows = group.ToArray();
            var known = rows.Where(row => before[row]?.ClusterId is not null).ToList();
            var parts = known.Where(row => locked.ContainsKey(before[row]!.ClusterId!)).GroupBy(row => before[row]!.ClusterId!).OrderByDescending(part => part.Count()).ThenBy(part => part.Key, StringComparer.Ordinal).ToList();
            if (parts.Count == 0 || parts.Sum(part => part.Count()) * 2 <= known.Count) continue;
            var together = parts.Where(part => locked[part.Key] is { } split && split == locked[parts[0].Key]).ToList();
            if (together.Count < 2)
            {
                foreach (var row in rows) leaves[row] = Home(parts[0].Key);
                continue;
            }
            var centroids = together.ConvertAll(part => (Home: Home(part.Key), Centroid: Geometry.Centroid(vectors, [.. part])));
            var home = together.SelectMany(part => part.Select(row => (row, Home: Home(part.Key)))).ToDictionary(pair => pair.row, pair => pair.Home);
            foreach (var row in rows)
                leaves[row] = home.TryGetValue(row, out var part) ? part : centroids.MinBy(pair => Geometry.Distance(vectors[row], pair.Centroid, vectors.Metric)).Home;
        }
        foreach (var (id, home) in homes) given[home] = id;
        return (leaves, given);

        int Home(string id) => homes.TryGetValue(id, out var home) ? home : homes[id] = next++;
    }

    /// <summary>The tree over changed leaves: a leaf made of several sits where most of it was.</summary>
    /// <returns>The tree, and per leaf number the node.</returns>
    internal static ClusterTree Rebuilt(ClusterTree tree, int[] leaves)
    {
        var paths = new Dictionary<int, IReadOnlyList<int>>();
        IReadOnlyList<int> Path(int leaf) => paths.TryGetValue(leaf, out var path) ? path : paths[leaf] = tree.PathTo(leaf);
        var deepest = tree.Nodes.Max(node => node.Depth);
        // Where most of each new leaf was.
        var homes = Enumerable.Range(0, leaves.Length).GroupBy(row => leaves[row]).ToDictionary(group => group.Key,
            group => group.CountBy(row => tree.LeafOf[row]).OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key).First().Key);
        var layers = Enumerable.Range(1, deepest).Select(depth => Array.ConvertAll(leaves, leaf =>
        {
            var path = Path(homes[leaf]);
            return path[Math.Min(depth, path.Count - 1)];
        })).ToList();
        return ClusterTree.Of([.. layers, leaves], leaves.Length);
    }
}
