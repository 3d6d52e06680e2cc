// The default clustering: neighbour graph -> communities at the resolution that reruns reproduce best (the leaves, which are
// also the recommended flat layer) -> stable coarser communities and Ward's agglomeration above them. No parameter to set. On
// embedding-like data communities of the graph find long-tailed classes that k-means splits (see README.md).
using FeatureForge.Tensors;

namespace FeatureForge.Clustering;

/// <summary>What a method finds: the tree, how strongly each row belongs to its leaf, and per node how reruns agree.</summary>
internal sealed record Partitioning(ClusterTree Tree, float[] Strength, float?[] Stability, IReadOnlyDictionary<string, double> Measures)
{
    /// <summary>Per row whether it belongs to no cluster, although the tree holds it below its nearest leaf; null when none does.</summary>
    internal bool[]? Noise { get; init; }
}

internal static class TreeMethod
{
    /// <summary>Neighbours per vector in the graph.</summary>
    internal const int NeighbourCount = 15;

    /// <summary>A shard's part of what <see cref="Run"/> needs most time for.</summary>
    internal static void MakeUnits(SetVectors vectors, FitSample sample, NeighbourUnits units, string device, Action<string, int, int> progress, CancellationToken stop)
    {
        if (sample.Count < 3) return;
        NeighboursOf(vectors, sample, device, units, progress, stop);
        if (sample.Count < vectors.Rows) sample.ForRest(vectors, device, Math.Min(NeighbourCount, sample.Count), (done, total) => progress("assignment", done, total), stop, (_, _, _) => { }, units);
    }

    private static NeighbourTable? NeighboursOf(SetVectors vectors, FitSample sample, string device, NeighbourUnits? units, Action<string, int, int> progress, CancellationToken stop) =>
        sample.Among(vectors, Math.Min(NeighbourCount, sample.Count - 1), device, units, (done, total) => progress("neighbours", done, total), stop);

    /// <param name="units">What shards have made of it; null: nothing.</param>
    internal static Partitioning Run(SetVectors vectors, FitSample sample, int seed, string device, Action<string, int, int> progress, CancellationToken stop, NeighbourUnits? units = null)
    {
        if (sample.Count < 3) return Single(vectors);
        var neighbours = NeighboursOf(vectors, sample, device, units, progress, stop)!;
        var graph = SimilarityGraph.Of(neighbours.Queries, NeighbourWeights.Of(neighbours).Once());
        var rungs = CommunityLadder.Climb(graph, new(seed), (done, total) => progress("communities", done, total), stop);
        if (rungs.Count == 0) return Single(vectors);
        var found = CommunityLadder.Chosen(rungs);
        var noise = new NoiseLimits(neighbours, found);
        var share = LeafShare(graph, found.Groups);
        var (leaves, strength, far) = Extend(vectors, sample, found.Groups, share, noise, device, units, progress, stop);
        var coarser = rungs.Where(rung => rung.Count < found.Count).Select(rung => (rung.Agreement, Parents: LeafLayers.Parents(found, rung))).ToList();
        var tree = ClusterTree.Of(LeafLayers.Above(vectors, leaves, coarser), vectors.Rows);
        return new(tree, strength, Stability.OfNodes(tree, sample, found.Reruns), new Dictionary<string, double>
        {
            ["resolution"] = found.Resolution,
            ["rerun_agreement"] = found.Agreement,
            ["noise"] = far.Count(row => row) / (double)vectors.Rows,
        })
        { Noise = far.Contains(true) ? far : null };
    }

    private static Partitioning Single(SetVectors vectors) => new(ClusterTree.Of([], vectors.Rows), [.. Enumerable.Repeat(1f, vectors.Rows)], new float?[1],
        new Dictionary<string, double> { ["noise"] = 0 });

    // A row's strength: the share of its edges that stay in its leaf.
    private static float[] LeafShare(SimilarityGraph graph, int[] leaves)
    {
        var share = new float[graph.Nodes];
        for (var node = 0; node < graph.Nodes; node++)
        {
            double inside = 0;
            for (var e = graph.Starts[node]; e < graph.Starts[node + 1]; e++)
                if (leaves[graph.Targets[e]] == leaves[node]) inside += graph.Weights[e];
            share[node] = graph.Degrees[node] > 0 ? (float)(inside / graph.Degrees[node]) : 1;
        }
        return share;
    }

    // Rows beyond the sample go where most of their nearest sampled neighbours are; the share of those is their strength.
    private static (int[] Leaves, float[] Strength, bool[] Noise) Extend(SetVectors vectors, FitSample sample, int[] fine, float[] share, NoiseLimits limits, string device, NeighbourUnits? units,
        Action<string, int, int> progress, CancellationToken stop)
    {
        if (sample.Count == vectors.Rows) return (fine, share, limits.OfFitted);
        var leaves = new int[vectors.Rows];
        var strength = new float[vectors.Rows];
        var noise = new bool[vectors.Rows];
        sample.ForRest(vectors, device, Math.Min(NeighbourCount, sample.Count), (done, total) => progress("assignment", done, total), stop, (row, nearest, distances) =>
        {
            (leaves[row], strength[row]) = Vote(nearest, fine);
            noise[row] = limits.IsNoise(leaves[row], distances);
        }, units);
        for (var i = 0; i < sample.Count; i++) (leaves[sample.Rows[i]], strength[sample.Rows[i]], noise[sample.Rows[i]]) = (fine[i], share[i], limits.OfFitted[i]);
        return (leaves, strength, noise);
    }

    /// <summary>The group of most of the neighbours, the nearest one's at a tie, and their share.</summary>
    internal static (int Group, float Share) Vote(ReadOnlySpan<int> nearest, int[] groups)
    {
        var votes = new Dictionary<int, int>();
        foreach (var neighbour in nearest) votes[groups[neighbour]] = votes.GetValueOrDefault(groups[neighbour]) + 1;
        var most = votes.MaxBy(vote => vote.Value); // counted first at a tie
        return (most.Key, (float)most.Value / nearest.Length);
    }
}
