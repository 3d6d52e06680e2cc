// Which resolution of the communities the data supports: Leiden on a ladder of resolutions, each repeated on samples of
// the rows; what comes back best is kept. Reruns on the same rows with other seeds would not do: they agree on splits that
// the rows do not support.
using FeatureForge.Tensors;

namespace FeatureForge.Clustering;

/// <summary>Communities at one resolution.</summary>
/// <param name="Groups">Community per node of the graph.</param>
/// <param name="Reruns">The communities of each rerun on a part of the nodes; -1 for nodes it did not see.</param>
/// <param name="Agreement">Mean adjusted Rand index of the reruns with the communities, over the nodes they saw.</param>
internal sealed record Communities(double Resolution, int[] Groups, IReadOnlyList<int[]> Reruns, double Agreement)
{
    internal int Count { get; } = Groups.Length == 0 ? 0 : Groups.Max() + 1;
}

internal static class CommunityLadder
{
    private const double Kept = 0.8;
    private const double First = 0.05;
    private const double Step = 1.7;
    /// <summary>Large graphs have many clusters, and every rung of them costs: they start higher and take larger steps.</summary>
    private const double FirstOfLarge = 0.3;
    private const double StepOfLarge = 2;
    private const int RoundsOfLarge = 2;
    private const double FineStep = 1.2;
    private const double Highest = 300;
    /// <summary>Where two rungs in a row, beyond the resolution where large clusters of any shape come whole, agree this much less than the best, finer ones split at random.</summary>
    private const double Lost = 0.1;
    private const double Settled = 3;
    /// <summary>A coarse split in two is nearly always reproduced: it must not outdo this many clusters that are, too.</summary>
    private const int UsefulCount = 5;
    private const double Acceptable = 0.7;
    /// <summary>What twice the clusters, times ln 2, are worth in agreement: nearly as well reproduced, more of them say more.</summary>
    private const double Finer = 0.015;
    private const int SmallGraph = 20_000;

    /// <summary>All rungs, coarse to fine, that divide the nodes at all; empty when none does.</summary>
    internal static IReadOnlyList<Communities> Climb(SimilarityGraph graph, CounterRandom random, Action<int, int> progress, CancellationToken stop)
    {
        var reruns = graph.Nodes <= SmallGraph ? 8 : 3;
        var parts = Enumerable.Range(0, reruns).Select(rerun => random.Stream(rerun).Sample(Math.Max(1, (int)(Kept * graph.Nodes)), graph.Nodes)).ToList();
        var subgraphs = parts.ConvertAll(graph.Induced);
        var rungs = new SortedDictionary<double, Communities>();
        var (best, worse, done) = (0.0, 0, 0);
        var isLarge = graph.Nodes > SmallGraph;
        for (var resolution = isLarge ? FirstOfLarge : First; resolution <= Highest; resolution *= isLarge ? StepOfLarge : Step)
        {
            var rung = At(resolution);
            if (rung.Count > graph.Nodes / 3) break;
            if (rung.Count < UsefulCount) continue;
            best = Math.Max(best, rung.Agreement);
            worse = resolution > Settled && rung.Agreement < best - Lost ? worse + 1 : 0;
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
            var found = new int[reruns + 1][];
            Parallel.For(0, reruns + 1, new() { CancellationToken = stop }, run =>
                found[run] = Leiden.Partition(run == 0 ? graph : subgraphs[run - 1], resolution, random.Stream(1000 + run), stop, isLarge ? RoundsOfLarge : Leiden.Rounds));
            var agreement = parts.Select((kept, rerun) => Agreement.AdjustedRand(found[rerun + 1], Array.ConvertAll(kept, node => found[0][node]))).Average();
            return rungs[resolution] = new(resolution, found[0], [.. parts.Select((kept, rerun) => Stability.Scatter(found[rerun + 1], kept, graph.Nodes))], agreement);
        }
    }

    /// <summary>The rung that reruns reproduce best, with a little credit for finer ones, among those with a useful number of clusters.</summary>
    internal static Communities Chosen(IReadOnlyList<Communities> rungs)
    {
        var useful = rungs.Where(rung => rung.Count >= UsefulCount && rung.Agreement >= Acceptable).ToList();
        var candidates = useful.Count > 0 ? useful : rungs;
        return candidates.MaxBy(rung => rung.Agreement + Finer * Math.Log(rung.Count))!;
    }
}
