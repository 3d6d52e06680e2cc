// Coarse nodes on one level, fine ones on another: every leaf is divided by the communities of another level's vectors where
// reruns reproduce them.
using FeatureForge.Data;

namespace FeatureForge.Clustering;

internal static class LeafRefinement
{
    private const int FewestRows = 60;
    private const double Reproduced = 0.8;

    /// <param name="found">The tree on <paramref name="vectors"/>.</param>
    /// <param name="finer">The same rows on the level that divides the leaves.</param>
    internal static Partitioning Of(SetVectors vectors, SetVectors finer, Partitioning found, int seed, string device, Action<string, int, int> progress, CancellationToken stop)
    {
        var numbers = Enumerable.Range(0, finer.Rows).ToDictionary(row => (finer.ItemIds[row], finer.SpanIndex[row]));
        var leaves = (int[])found.Tree.LeafOf.Clone();
        var stability = new Dictionary<int, float?>();
        var next = found.Tree.Nodes.Count;
        foreach (var leaf in found.Tree.Leaves)
        {
            var rows = Array.FindAll(found.Tree.Nodes[leaf].Members, row => found.Noise?[row] != true && numbers.ContainsKey((vectors.ItemIds[row], vectors.SpanIndex[row])));
            if (rows.Length < FewestRows) continue;
            var part = finer.Of(Array.ConvertAll(rows, row => numbers[(vectors.ItemIds[row], vectors.SpanIndex[row])]));
            var inside = TreeMethod.Run(part, FitSample.Of(part, ClusterRun.GraphRows, seed), seed, device, progress, stop);
            if (inside.Tree.Nodes.Count == 1 || inside.Measures.GetValueOrDefault("rerun_agreement") < Reproduced) continue;
            for (var i = 0; i < rows.Length; i++)
            {
                leaves[rows[i]] = next + inside.Tree.LeafOf[i];
                stability[next + inside.Tree.LeafOf[i]] = inside.Stability[inside.Tree.LeafOf[i]];
            }
            next += inside.Tree.Nodes.Count;
        }
        if (next == found.Tree.Nodes.Count) return found;
        // Rows that the finer level lacks stay with their leaf's largest part.
        foreach (var group in Enumerable.Range(0, leaves.Length).GroupBy(row => found.Tree.LeafOf[row]))
        {
            var largest = group.CountBy(row => leaves[row]).MaxBy(pair => (pair.Key == group.Key ? 0 : 1, pair.Value, -pair.Key)).Key;
            foreach (var row in group)
                if (leaves[row] == group.Key) leaves[row] = largest;
        }
        var (changed, _) = ClusterTables.Changed(found, vectors, leaves, new Dictionary<int, string>());
        var nodes = (float?[])changed.Stability.Clone();
        for (var row = 0; row < leaves.Length; row++)
            if (stability.TryGetValue(leaves[row], out var value)) nodes[changed.Tree.LeafOf[row]] = value;
        return changed with { Stability = nodes };
    }
}
