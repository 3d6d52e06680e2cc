// Which resolution of the communities the data supports, by prediction strength (Tibshirani, Walther 2005): the rows are
// halved, each half is divided by itself, and one half's communities, carried over the edges between the halves, must
// predict the other's. The halves share no edge, so what is chance in one is not in the other: reruns on overlapping samples, or on the
// same rows with other seeds, agree on splits that the data does not support.
using FeatureForge.Tensors;

namespace FeatureForge.Clustering;

/// <summary>Communities at one resolution.</summary>
/// <param name="Groups">Community per node of the graph.</param>
/// <param name="Reruns">The communities of each half by itself; -1 for nodes outside it.</param>
/// <param name="Agreement">Mean adjusted Rand index between a half's own communities and those that the other half predicts for it.</param>
/// <param name="Inside">Share of the edge weight inside communities.</param>
/// <param name="Expected">That share in a graph of the same degrees without communities; 1 over the effective number of communities.</param>
internal sealed record Communities(double Resolution, int[] Groups, IReadOnlyList<int[]> Reruns, double Agreement, double Inside, double Expected)
{
    internal int Count { get; } = Groups.Length == 0 ? 0 : Groups.Max() + 1;

    /// <summary>
    /// How fine, times how far apart, times how well reproduced. Where clusters are cut through, the share inside falls at once;
    /// the exponents were set on four known sets (README.md).
    /// </summary>
    internal double Score => Math.Log(1 / Math.Max(Expected, 1e-12)) * Math.Pow(Inside, 3) * Math.Sqrt(Math.Max(0, Agreement));
}

internal static class CommunityLadder
{
    private const double First = 0.05;
    private const double Step = 1.7;
    /// <summary>Large graphs have many clusters, and every rung of them costs: they start higher and take larger steps.</summary>
    private const double FirstOfLarge = 0.3;
    private const double StepOfLarge = 2;
    private const int RoundsOfLarge = 2;
    private const double FineStep = 1.2;
    private const double Highest = 300;
    /// <summary>Where two rungs in a row, beyond the resolution where large clusters of any shape come whole, score this share of the best, the best is found.</summary>
    private const double Lost = 0.8;
    private const double Settled = 3;
    private const int SmallGraph = 20_000;
    private const int TinyGraph = 3000;

    /// <summary>All rungs, coarse to fine, that divide the nodes at all; empty when none does.</summary>
    internal static IReadOnlyList<Communities> Climb(SimilarityGraph graph, CounterRandom random, Action<int, int> progress, CancellationToken stop)
    {
        var halves = Halves(graph.Nodes, graph.Nodes <= TinyGraph ? 6 : graph.Nodes <= SmallGraph ? 3 : 1, random);
        var subgraphs = halves.ConvertAll(graph.Induced);
        var rungs = new SortedDictionary<double, Communities>();
        var (best, worse, done) = (0.0, 0, 0);
        var isLarge = graph.Nodes > SmallGraph;
        for (var resolution = isLarge ? FirstOfLarge : First; resolution <= Highest; resolution *= isLarge ? StepOfLarge : Step)
        {
            var rung = At(resolution);
            if (rung.Count > graph.Nodes / 3) break;
            best = Math.Max(best, rung.Score);
            worse = resolution > Settled && rung.Score < Lost * best ? worse + 1 : 0;
            if (worse == 2) break;
        }
        for (var round = 0; round < (isLarge ? 1 : 2); round++)
        {
            var around = Chosen([.. rungs.Values]).Resolution;
            foreach (var factor in isLarge ? (double[])[1 / Math.Sqrt(StepOfLarge), Math.Sqrt(StepOfLarge)] : [1 / FineStep / FineStep, 1 / FineStep, FineStep, FineStep * FineStep]) At(around * factor);
        }
        return [.. rungs.Values.Where(rung => rung.Count > 1)];

        Communities At(double resolution)
        {
            if (rungs.Keys.FirstOrDefault(there => Math.Abs(there / resolution - 1) < 0.05) is var near and > 0) return rungs[near];
            progress(done, Math.Max(12, done + 4));
            done++;
            var found = new int[halves.Count + 1][];
            Parallel.For(0, found.Length, new() { CancellationToken = stop }, run =>
                found[run] = Leiden.Partition(run == 0 ? graph : subgraphs[run - 1], resolution, random.Stream(1000 + run), stop, isLarge ? RoundsOfLarge : Leiden.Rounds));
            var spread = halves.Select((half, i) => Stability.Scatter(found[i + 1], half, graph.Nodes)).ToList();
            var agreement = halves.Select((half, i) => Predicted(graph, spread[i ^ 1], half, found[i + 1])).Average();
            return rungs[resolution] = Of(graph, resolution, found[0], spread, agreement);
        }
    }

    private static Communities Of(SimilarityGraph graph, double resolution, int[] groups, IReadOnlyList<int[]> reruns, double agreement)
    {
        var degrees = new double[groups.Max() + 1];
        double inside = 0;
        for (var node = 0; node < graph.Nodes; node++)
        {
            degrees[groups[node]] += graph.Degrees[node];
            inside += graph.Inner[node];
            for (var e = graph.Starts[node]; e < graph.Starts[node + 1]; e++)
                if (groups[graph.Targets[e]] == groups[node]) inside += graph.Weights[e];
        }
        var total = Math.Max(graph.TotalDegree, 1e-300);
        return new(resolution, groups, reruns, agreement, inside / total, degrees.Sum(degree => degree / total * (degree / total)));
    }

    // Pairs of complementary halves, one after the other; ascending.
    private static List<int[]> Halves(int nodes, int splits, CounterRandom random)
    {
        var halves = new List<int[]>();
        for (var split = 0; split < splits; split++)
        {
            var half = random.Stream(split).Sample(nodes / 2, nodes);
            var inHalf = half.ToHashSet();
            halves.Add(half);
            halves.Add([.. Enumerable.Range(0, nodes).Where(node => !inHalf.Contains(node))]);
        }
        return halves;
    }

    // Nodes without an edge to the other half count nowhere.
    private static double Predicted(SimilarityGraph graph, int[] other, int[] half, int[] own)
    {
        var (predicted, actual) = (new List<int>(half.Length), new List<int>(half.Length));
        var weights = new Dictionary<int, double>();
        for (var i = 0; i < half.Length; i++)
        {
            weights.Clear();
            for (var e = graph.Starts[half[i]]; e < graph.Starts[half[i] + 1]; e++)
                if (other[graph.Targets[e]] is var group and >= 0) weights[group] = weights.GetValueOrDefault(group) + graph.Weights[e];
            if (weights.Count == 0) continue;
            predicted.Add(weights.MaxBy(pair => pair.Value).Key);
            actual.Add(own[i]);
        }
        return actual.Count == 0 ? 0 : Agreement.AdjustedRand([.. actual], [.. predicted]);
    }

    /// <summary>The rung of the highest score, the finer one at a tie.</summary>
    internal static Communities Chosen(IReadOnlyList<Communities> rungs)
    {
        var best = rungs.Max(rung => rung.Score);
        return rungs.Last(rung => rung.Score >= best);
    }
}
