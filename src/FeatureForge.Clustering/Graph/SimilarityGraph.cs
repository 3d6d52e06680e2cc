// The undirected weighted graph that communities are found in, as compressed rows.
using FeatureForge.Tensors;

namespace FeatureForge.Clustering;

/// <summary>
/// An undirected graph: node i's edges are Targets[Starts[i]..Starts[i+1]] with Weights alike, ascending by target, every edge
/// stored from both ends. Inner is the weight inside a node that stands for several (counted twice, as both ends lie inside).
/// </summary>
internal sealed class SimilarityGraph
{
    private SimilarityGraph(int[] starts, int[] targets, double[] weights, double[] inner)
    {
        (Starts, Targets, Weights, Inner) = (starts, targets, weights, inner);
        Degrees = new double[inner.Length];
        for (var i = 0; i < inner.Length; i++)
        {
            Degrees[i] = inner[i];
            for (var e = starts[i]; e < starts[i + 1]; e++) Degrees[i] += weights[e];
        }
        TotalDegree = Degrees.Sum();
    }

    internal int[] Starts { get; }
    internal int[] Targets { get; }
    internal double[] Weights { get; }
    internal double[] Inner { get; }
    /// <summary>Sum of a node's edge weights, the inner weight included.</summary>
    internal double[] Degrees { get; }
    internal double TotalDegree { get; }
    internal int Nodes => Inner.Length;

    /// <summary>From neighbour lists: an edge weighs 1 when one end lists the other, 2 when both do.</summary>
    internal static SimilarityGraph Of(NeighbourTable neighbours)
    {
        var pairs = new List<(int From, int To, double Weight)>(neighbours.Index.Length * 2);
        for (var i = 0; i < neighbours.Index.Length; i++)
        {
            var (from, to) = (i / neighbours.K, neighbours.Index[i]);
            pairs.Add((from, to, 1));
            pairs.Add((to, from, 1));
        }
        return Of(neighbours.Queries, pairs, new double[neighbours.Queries]);
    }

    /// <summary>From weighted edges, each given once and between different nodes.</summary>
    internal static SimilarityGraph Of(int nodes, IEnumerable<(int From, int To, double Weight)> edges)
    {
        var pairs = new List<(int, int, double)>();
        foreach (var (from, to, weight) in edges)
        {
            pairs.Add((from, to, weight));
            pairs.Add((to, from, weight));
        }
        return Of(nodes, pairs, new double[nodes]);
    }

    /// <summary>One node per group; edges between groups add up, those inside go to Inner.</summary>
    internal SimilarityGraph Aggregate(int[] groups, int groupCount)
    {
        var inner = new double[groupCount];
        var pairs = new List<(int, int, double)>();
        for (var i = 0; i < Nodes; i++)
        {
            inner[groups[i]] += Inner[i];
            for (var e = Starts[i]; e < Starts[i + 1]; e++)
            {
                if (groups[Targets[e]] == groups[i]) inner[groups[i]] += Weights[e];
                else pairs.Add((groups[i], groups[Targets[e]], Weights[e]));
            }
        }
        return Of(groupCount, pairs, inner);
    }

    /// <summary>The part between the kept nodes, renumbered in their order.</summary>
    internal SimilarityGraph Induced(int[] kept)
    {
        var number = new int[Nodes];
        Array.Fill(number, -1);
        for (var i = 0; i < kept.Length; i++) number[kept[i]] = i;
        var pairs = new List<(int, int, double)>();
        for (var i = 0; i < kept.Length; i++)
        {
            for (var e = Starts[kept[i]]; e < Starts[kept[i] + 1]; e++)
                if (number[Targets[e]] >= 0) pairs.Add((i, number[Targets[e]], Weights[e]));
        }
        return Of(kept.Length, pairs, [.. kept.Select(node => Inner[node])]);
    }

    // Two counting sorts order the pairs by (from, to); equal pairs then add up.
    private static SimilarityGraph Of(int nodes, List<(int From, int To, double Weight)> pairs, double[] inner)
    {
        var ordered = SortBy(SortBy([.. pairs], pair => pair.To, nodes), pair => pair.From, nodes);
        var starts = new int[nodes + 1];
        var targets = new List<int>(ordered.Length);
        var weights = new List<double>(ordered.Length);
        for (var i = 0; i < ordered.Length; i++)
        {
            var (from, to, weight) = ordered[i];
            if (i > 0 && ordered[i - 1].From == from && ordered[i - 1].To == to) weights[^1] += weight;
            else
            {
                targets.Add(to);
                weights.Add(weight);
                starts[from + 1]++;
            }
        }
        for (var i = 0; i < nodes; i++) starts[i + 1] += starts[i];
        return new(starts, [.. targets], [.. weights], inner);
    }

    private static (int From, int To, double Weight)[] SortBy((int From, int To, double Weight)[] pairs, Func<(int From, int To, double Weight), int> key, int keys)
    {
        var next = new int[keys + 1];
        foreach (var pair in pairs) next[key(pair) + 1]++;
        for (var i = 0; i < keys; i++) next[i + 1] += next[i];
        var sorted = new (int, int, double)[pairs.Length];
        foreach (var pair in pairs) sorted[next[key(pair)]++] = pair;
        return sorted;
    }
}
