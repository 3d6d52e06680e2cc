// A tree of clusters over rows: built from leaves and coarser groupings of them.
namespace FeatureForge.Clustering;

/// <summary>A node. Members are row numbers, ascending; the root has parent -1 and depth 0.</summary>
internal sealed record ClusterNode(int Parent, int Depth, int[] Members);

/// <summary>
/// Nodes in breadth-first order, parents before children, siblings by falling size (then by first member). No node has
/// exactly one child, so every node holds other members than its parent.
/// </summary>
internal sealed class ClusterTree
{
    private ClusterTree(List<ClusterNode> nodes, int rows)
    {
        Nodes = nodes;
        var children = new List<int>[nodes.Count];
        for (var node = 0; node < nodes.Count; node++)
        {
            children[node] = [];
            if (nodes[node].Parent >= 0) children[nodes[node].Parent].Add(node);
        }
        Children = children;
        LeafOf = new int[rows];
        for (var node = 0; node < nodes.Count; node++)
            if (children[node].Count == 0)
                foreach (var row in nodes[node].Members) LeafOf[row] = node;
    }

    internal IReadOnlyList<ClusterNode> Nodes { get; }
    internal IReadOnlyList<IReadOnlyList<int>> Children { get; }
    /// <summary>The leaf node of every row.</summary>
    internal int[] LeafOf { get; }
    internal IEnumerable<int> Leaves => Enumerable.Range(0, Nodes.Count).Where(node => Children[node].Count == 0);

    /// <param name="layers">Coarse to fine; each says the group of every row, and each refines the one before.</param>
    internal static ClusterTree Of(IReadOnlyList<int[]> layers, int rows)
    {
        var nodes = new List<ClusterNode> { new(-1, 0, [.. Enumerable.Range(0, rows)]) };
        var nextLayer = new List<int> { 0 };
        for (var node = 0; node < nodes.Count; node++)
        {
            var (members, layer) = (nodes[node].Members, nextLayer[node]);
            while (layer < layers.Count && members.All(row => layers[layer][row] == layers[layer][members[0]])) layer++;
            if (layer == layers.Count) continue;
            foreach (var child in members.GroupBy(row => layers[layer][row]).Select(group => group.ToArray()).OrderByDescending(group => group.Length).ThenBy(group => group[0]))
            {
                nodes.Add(new(node, nodes[node].Depth + 1, child));
                nextLayer.Add(layer + 1);
            }
        }
        return new(nodes, rows);
    }

    /// <summary>Root to node.</summary>
    internal IReadOnlyList<int> PathTo(int node)
    {
        var path = new List<int>();
        for (; node >= 0; node = Nodes[node].Parent) path.Add(node);
        path.Reverse();
        return path;
    }
}
