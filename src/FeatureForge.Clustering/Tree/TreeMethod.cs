// The default clustering: exact neighbour graph -> communities at the finest resolution that reruns reproduce (the
// leaves) -> Ward's agglomeration of the leaves, cut into one or two levels above them. No parameter to set. On
// embedding-like data communities of the graph find long-tailed classes that k-means splits (see README.md).
using FeatureForge.Tensors;
using TorchSharp;

namespace FeatureForge.Clustering;

/// <summary>What a method finds: the tree, how strongly each row belongs to its leaf, and per node how reruns agree.</summary>
internal sealed record Partitioning(ClusterTree Tree, float[] Strength, float?[] Stability, IReadOnlyDictionary<string, double> Measures);

internal static class TreeMethod
{
    /// <summary>Neighbours per vector in the graph.</summary>
    internal const int NeighbourCount = 15;

    private const int Reruns = 3;
    private const double Reproduced = 0.95;
    private const int UsefulLeaves = 5;
    private const double Acceptable = 0.7;
    private static readonly double[] _resolutions = [0.03, 0.1, 0.3, 0.5, 1, 2, 3, 5, 10];

    internal static Partitioning Run(SetVectors vectors, FitSample sample, int seed, string device, Action<string, int, int> progress, CancellationToken stop)
    {
        if (sample.Count < 3) return Single(vectors);
        var neighbours = Neighbours.Among(sample.Values, sample.Count, vectors.Dimension, Math.Min(NeighbourCount, sample.Count - 1), vectors.Metric, device,
            (done, total) => progress("neighbours", done, total), stop);
        var graph = SimilarityGraph.Of(neighbours);
        var found = Leaves(graph, new(seed), progress, stop);
        var (leaves, strength) = Extend(vectors, sample, found.Groups, LeafShare(graph, found.Groups), device, progress, stop);
        var tree = ClusterTree.Of(Layers(vectors, leaves), vectors.Rows);
        return new(tree, strength, Stability.OfNodes(tree, sample, found.Reruns), new Dictionary<string, double>
        {
            ["resolution"] = found.Resolution,
            ["rerun_agreement"] = found.Agreement,
            ["noise"] = 0,
        });
    }

    private static Partitioning Single(SetVectors vectors) => new(ClusterTree.Of([], vectors.Rows), [.. Enumerable.Repeat(1f, vectors.Rows)], new float?[1],
        new Dictionary<string, double> { ["noise"] = 0 });

    /// <param name="Groups">Community per sample row.</param>
    /// <param name="Reruns">The communities of each rerun on a part of the rows; -1 for rows it did not see.</param>
    /// <param name="Agreement">Mean adjusted Rand index of the reruns with the communities, over the rows they saw.</param>
    private sealed record Communities(double Resolution, int[] Groups, IReadOnlyList<int[]> Reruns, double Agreement);

    // The finest resolution that reruns on 80 % of the rows reproduce nearly as well as the best one. Reruns on the same rows
    // with other seeds would not do: they agree on splits that the rows do not support.
    private static Communities Leaves(SimilarityGraph graph, CounterRandom random, Action<string, int, int> progress, CancellationToken stop)
    {
        var parts = Enumerable.Range(0, Reruns).Select(rerun => random.Stream(rerun).Sample(Math.Max(1, (int)(0.8 * graph.Nodes)), graph.Nodes)).ToList();
        var subgraphs = parts.ConvertAll(graph.Induced);
        var found = new List<Communities>();
        for (var i = 0; i < _resolutions.Length; i++)
        {
            progress("communities", i, _resolutions.Length);
            var groups = Leiden.Partition(graph, _resolutions[i], random.Stream(100 * i), stop);
            if (groups.Max() == 0) continue;
            var reruns = Enumerable.Range(0, Reruns).Select(rerun => Leiden.Partition(subgraphs[rerun], _resolutions[i], random.Stream(100 * i + 1 + rerun), stop)).ToList();
            var agreement = reruns.Zip(parts, (rerun, kept) => Agreement.AdjustedRand(rerun, Array.ConvertAll(kept, row => groups[row]))).Average();
            found.Add(new(_resolutions[i], groups, [.. reruns.Zip(parts, (rerun, kept) => Stability.Scatter(rerun, kept, graph.Nodes))], agreement));
        }
        progress("communities", _resolutions.Length, _resolutions.Length);
        if (found.Count == 0) return new(0, new int[graph.Nodes], [], 1);
        // A coarse split in two is nearly always reproduced: it must not outdo a useful number of clusters that is, too.
        var useful = found.Where(one => one.Groups.Max() + 1 >= UsefulLeaves && one.Agreement >= Acceptable).ToList();
        var candidates = useful.Count > 0 ? useful : found;
        var best = candidates.Max(one => one.Agreement);
        return candidates.Last(one => one.Agreement >= Reproduced * best);
    }

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
    private static (int[] Leaves, float[] Strength) Extend(SetVectors vectors, FitSample sample, int[] fine, float[] share, string device, Action<string, int, int> progress, CancellationToken stop)
    {
        if (sample.Count == vectors.Rows) return (fine, share);
        var leaves = new int[vectors.Rows];
        var strength = new float[vectors.Rows];
        sample.ForRest(vectors, device, NeighbourCount, (done, total) => progress("assignment", done, total), stop, (row, nearest, _) =>
        {
            var votes = new Dictionary<int, int>();
            foreach (var neighbour in nearest) votes[fine[neighbour]] = votes.GetValueOrDefault(fine[neighbour]) + 1;
            var most = votes.MaxBy(vote => vote.Value); // the nearest neighbour's leaf at a tie: it was counted first
            (leaves[row], strength[row]) = (most.Key, (float)most.Value / nearest.Length);
        });
        for (var i = 0; i < sample.Count; i++) (leaves[sample.Rows[i]], strength[sample.Rows[i]]) = (fine[i], share[i]);
        return (leaves, strength);
    }

    // Leaves whose centroids coincide are one. From 6 leaves on one level above them, from 25 on two, cut where the next
    // merge costs most in proportion. Coarse to fine, the leaves last.
    private static List<int[]> Layers(SetVectors vectors, int[] leaves)
    {
        var members = leaves.Select((leaf, row) => (leaf, row)).GroupBy(pair => pair.leaf, pair => pair.row).OrderBy(group => group.Key).Select(group => group.ToArray()).ToList();
        var centroids = members.ConvertAll(rows => Geometry.Centroid(vectors, rows));
        var merges = Ward.Merges(centroids, members.ConvertAll(rows => rows.Length));
        var nothing = 1e-9 * centroids.Average(centroid => (double)Geometry.Dot(centroid, centroid));
        var count = members.Count - merges.TakeWhile(merge => merge.Height <= nothing).Count();
        double[] targets = count < 6 ? [] : count < 25 ? [Math.Sqrt(count)] : [Math.Pow(count, 1 / 3.0), Math.Pow(count, 2 / 3.0)];
        var counts = targets.Select(target => WidestGap(merges, members.Count, target)).Append(count);
        return [.. counts.Select(groups =>
        {
            var group = Ward.Cut(merges, members.Count, groups);
            return Array.ConvertAll(leaves, leaf => group[leaf]);
        })];
    }

    private static int WidestGap(IReadOnlyList<(int Left, int Right, double Height)> merges, int count, double target)
    {
        var (from, to) = (Math.Max(2, (int)Math.Round(target / 1.3)), (int)Math.Round(target * 1.3));
        // With g groups left, merge count - g is the next one and count - g - 1 the last one done.
        return Enumerable.Range(from, to - from + 1).MaxBy(g => merges[count - g].Height / Math.Max(1e-30, merges[count - g - 1].Height));
    }
}
