// Ids across re-clusterings: nodes of the new tree take the ids of the old one's by optimal matching of their members, and
// what became of the others is reported.
using FeatureForge.Data;

namespace FeatureForge.Clustering;

/// <param name="Ids">Per node of the new tree: an id of the old tree, or null for a cluster that was not there.</param>
internal sealed record ClusterLineage(string?[] Ids, ClusterChanges Changes)
{
    private const double LeastJaccard = 0.3;
    /// <summary>Leaves are what labels and names hang on: at equal overlap they are matched to leaves.</summary>
    private const double LeafPair = 1.25;
    private const double Part = 0.25;

    /// <param name="before">Per row its membership in the old clustering, or null.</param>
    /// <param name="noise">Rows that belong to no cluster now, or null.</param>
    /// <param name="given">Ids that some leaves must get: what people merged or split.</param>
    internal static ClusterLineage Of(ClusterTree tree, PreviousClustering previous, MembershipRow?[] before, bool[]? noise, IReadOnlyDictionary<int, string> given)
    {
        var oldIds = previous.Clusters.Select(row => row.ClusterId).ToList();
        var oldNumber = oldIds.Select((id, i) => (id, i)).ToDictionary(pair => pair.id, pair => pair.i);
        var oldParents = previous.Clusters.Select(row => row.ParentId is { } parent ? oldNumber[parent] : -1).ToArray();
        var oldHasChildren = oldParents.Where(parent => parent >= 0).ToHashSet();

        // Rows in both, by pair of leaves.
        var pairs = new SortedDictionary<(int New, int Old), long>();
        for (var row = 0; row < before.Length; row++)
        {
            if (before[row]?.ClusterId is not { } id || noise?[row] == true || !oldNumber.TryGetValue(id, out var old)) continue;
            pairs[(tree.LeafOf[row], old)] = pairs.GetValueOrDefault((tree.LeafOf[row], old)) + 1;
        }
        var ids = Match(tree, pairs, oldIds, oldParents, oldHasChildren, given);
        return new(ids, Compare(tree, previous, pairs, ids, oldIds, oldHasChildren));
    }

    private static string?[] Match(ClusterTree tree, SortedDictionary<(int New, int Old), long> pairs, List<string> oldIds, int[] oldParents, HashSet<int> oldHasChildren, IReadOnlyDictionary<int, string> given)
    {
        var common = new SortedDictionary<(int New, int Old), long>();
        var (newSizes, oldSizes) = (new long[tree.Nodes.Count], new long[oldIds.Count]);
        foreach (var ((leaf, oldLeaf), count) in pairs)
        {
            for (var old = oldLeaf; old >= 0; old = oldParents[old]) oldSizes[old] += count;
            for (var node = leaf; node >= 0; node = tree.Nodes[node].Parent)
            {
                newSizes[node] += count;
                for (var old = oldLeaf; old >= 0; old = oldParents[old]) common[(node, old)] = common.GetValueOrDefault((node, old)) + count;
            }
        }
        var ids = new string?[tree.Nodes.Count];
        foreach (var (leaf, id) in given) ids[leaf] = id;
        var taken = given.Values.ToHashSet(StringComparer.Ordinal);
        var oldRoot = Array.IndexOf(oldParents, -1);
        if (pairs.Count > 0 && tree.Nodes.Count > 1 && oldIds.Count > 1 && taken.Add(oldIds[oldRoot])) ids[0] ??= oldIds[oldRoot];
        var edges = new List<(int, int, double)>();
        foreach (var ((node, old), count) in common)
        {
            if (ids[node] is not null || taken.Contains(oldIds[old])) continue;
            var jaccard = count / (double)(newSizes[node] + oldSizes[old] - count);
            if (jaccard < LeastJaccard) continue;
            edges.Add((node, old, jaccard * (tree.Children[node].Count == 0 && !oldHasChildren.Contains(old) ? LeafPair : 1)));
        }
        foreach (var (node, old) in MaximumMatching.Of(edges)) ids[node] = oldIds[old];
        return ids;
    }

    private static ClusterChanges Compare(ClusterTree tree, PreviousClustering previous, SortedDictionary<(int New, int Old), long> pairs, string?[] ids, List<string> oldIds, HashSet<int> oldHasChildren)
    {
        var (oldSizes, newSizes) = (new Dictionary<int, long>(), new Dictionary<int, long>());
        foreach (var ((leaf, old), count) in pairs)
        {
            oldSizes[old] = oldSizes.GetValueOrDefault(old) + count;
            newSizes[leaf] = newSizes.GetValueOrDefault(leaf) + count;
        }
        var (changes, explained, gone) = (new List<ClusterChange>(), new HashSet<int>(), new HashSet<int>());
        string Name(int leaf) => ids[leaf] ?? $"#{leaf}";
        foreach (var group in pairs.GroupBy(pair => pair.Key.Old))
        {
            var into = group.Where(pair => pair.Value >= Part * oldSizes[group.Key]).Select(pair => pair.Key.New).ToList();
            if (into.Count < 2) continue;
            changes.Add(new("split", [oldIds[group.Key]], [.. into.Select(Name)], oldSizes[group.Key]));
            explained.UnionWith(into);
            gone.Add(group.Key);
        }
        foreach (var group in pairs.GroupBy(pair => pair.Key.New))
        {
            var from = group.Where(pair => pair.Value >= (1 - Part) * oldSizes[pair.Key.Old]).Select(pair => pair.Key.Old).ToList();
            if (from.Count < 2) continue;
            changes.Add(new("merge", [.. from.Select(old => oldIds[old])], [Name(group.Key)], from.Sum(old => oldSizes[old])));
            explained.Add(group.Key);
            gone.UnionWith(from);
        }
        var kept = ids.OfType<string>().ToHashSet(StringComparer.Ordinal);
        foreach (var leaf in tree.Leaves.Where(leaf => ids[leaf] is null && !explained.Contains(leaf))) changes.Add(new("birth", [], [Name(leaf)], tree.Nodes[leaf].Members.Length));
        for (var old = 0; old < oldIds.Count; old++)
            if (!oldHasChildren.Contains(old) && !kept.Contains(oldIds[old]) && !gone.Contains(old)) changes.Add(new("death", [oldIds[old]], [], previous.Clusters[old].Size));
        var all = pairs.Values.Sum();
        var same = pairs.Where(pair => ids[pair.Key.New] == oldIds[pair.Key.Old]).Sum(pair => pair.Value);
        return new(previous.Manifest.RunId, tree.Leaves.Count(leaf => ids[leaf] is not null), all == 0 ? 0 : same / (double)all, changes);
    }

    /// <summary>The changes with the ids that new clusters got in place of their node numbers.</summary>
    internal ClusterChanges Named(IReadOnlyList<string> finalIds) => Changes with
    {
        Changes = [.. Changes.Changes.Select(change => change with { To = [.. change.To.Select(id => id.StartsWith('#') ? finalIds[int.Parse(id.AsSpan(1), System.Globalization.CultureInfo.InvariantCulture)] : id)] })],
    };
}
