// The minimum spanning tree of mutual reachability distances max(core(a), core(b), d(a,b)), core being the distance to the
// min_samples-th neighbour without the row itself (Campello, Moulavi, Sander 2013; scikit-learn counts the row, so its
// min_samples is ours + 1). Small sets: Prim's algorithm in float64 over all pairs, row 0 first and the smaller row at a tie,
// which is what independent implementations do. Large sets: Kruskal's over the neighbour graph, whose components are then joined by
// the exact nearest outsiders of sampled members.
using System.Numerics;
using System.Runtime.InteropServices;
using FeatureForge.Tensors;

namespace FeatureForge.Clustering;

/// <summary>An edge of a spanning tree.</summary>
internal readonly record struct ReachabilityEdge(int From, int To, double Weight);

internal static class SpanningTree
{
    /// <summary>Up to this many rows all pairs are compared.</summary>
    internal const int ExactRows = 12_000;
    private const int GraphNeighbours = 20;
    private const int BridgeQueries = 8192;

    /// <summary>The n - 1 edges by rising weight (stable: by the order they were found in at a tie), and the core distances.</summary>
    internal static (ReachabilityEdge[] Edges, double[] Core) Of(float[] values, int rows, int dimension, VectorMetric metric, int minSamples,
        Action<string, int, int> progress, CancellationToken stop)
    {
        if (rows < 2) return ([], new double[rows]);
        minSamples = Math.Min(minSamples, rows - 1);
        return rows <= ExactRows
            ? Exact(metric == VectorMetric.Cosine ? HostRows.UnitLength(values, rows, dimension) : values, rows, dimension, metric, minSamples, progress, stop)
            : OfGraph(values, rows, dimension, metric, minSamples, progress, stop);
    }

    private static (ReachabilityEdge[], double[]) Exact(float[] values, int rows, int dimension, VectorMetric metric, int minSamples, Action<string, int, int> progress, CancellationToken stop)
    {
        var core = new double[rows];
        var done = 0;
        Parallel.For(0, rows, new ParallelOptions { CancellationToken = stop }, () => new double[rows], (row, _, distances) =>
        {
            for (var other = 0; other < rows; other++) distances[other] = Distance(values, row, other, dimension, metric);
            Array.Sort(distances);
            core[row] = distances[minSamples]; // place 0 is the row itself
            if (Interlocked.Increment(ref done) % 1024 == 0) lock (core) progress("core distances", done, rows);
            return distances;
        }, _ => { });

        var edges = new List<ReachabilityEdge>(rows - 1);
        var best = new double[rows];
        var from = new int[rows];
        var inside = new bool[rows];
        Array.Fill(best, double.PositiveInfinity);
        var current = 0;
        while (true)
        {
            stop.ThrowIfCancellationRequested();
            inside[current] = true;
            if (edges.Count == rows - 1) break;
            Reach(values, current, dimension, metric, core, inside, best, from);
            var next = -1;
            for (var row = 0; row < rows; row++)
                if (!inside[row] && (next < 0 || best[row] < best[next])) next = row;
            edges.Add(new(from[next], next, best[next]));
            current = next;
            if (edges.Count % 1024 == 0) progress("spanning tree", edges.Count, rows - 1);
        }
        return ([.. edges.OrderBy(edge => edge.Weight)], core);
    }

    private static void Reach(float[] values, int current, int dimension, VectorMetric metric, double[] core, bool[] inside, double[] best, int[] from)
    {
        const int part = 1024;
        Parallel.For(0, (inside.Length + part - 1) / part, number =>
        {
            for (var row = number * part; row < Math.Min(inside.Length, (number + 1) * part); row++)
            {
                if (inside[row]) continue;
                var reach = Math.Max(Distance(values, current, row, dimension, metric), Math.Max(core[current], core[row]));
                if (reach < best[row]) (best[row], from[row]) = (reach, current);
            }
        });
    }

    // In float64, so that the order of distances is that of any careful implementation.
    private static double Distance(float[] values, int a, int b, int dimension, VectorMetric metric)
    {
        var left = MemoryMarshal.Cast<float, Vector<float>>(values.AsSpan(a * dimension, dimension));
        var right = MemoryMarshal.Cast<float, Vector<float>>(values.AsSpan(b * dimension, dimension));
        var (low, high) = (Vector<double>.Zero, Vector<double>.Zero);
        for (var i = 0; i < left.Length; i++)
        {
            Vector.Widen(left[i], out var leftLow, out var leftHigh);
            Vector.Widen(right[i], out var rightLow, out var rightHigh);
            low += (leftLow - rightLow) * (leftLow - rightLow);
            high += (leftHigh - rightHigh) * (leftHigh - rightHigh);
        }
        var sum = Vector.Sum(low + high);
        for (var d = left.Length * Vector<float>.Count; d < dimension; d++)
        {
            var difference = (double)values[a * dimension + d] - values[b * dimension + d];
            sum += difference * difference;
        }
        return metric == VectorMetric.Cosine ? sum / 2 : Math.Sqrt(sum);
    }

    /// <summary>The tree over the neighbour graph, whatever the number of rows.</summary>
    internal static (ReachabilityEdge[] Edges, double[] Core) OfGraph(float[] values, int rows, int dimension, VectorMetric metric, int minSamples, Action<string, int, int> progress, CancellationToken stop)
    {
        var k = Math.Min(rows - 1, Math.Max(GraphNeighbours, minSamples));
        var table = Neighbours.Among(values, rows, dimension, k, metric, "cpu", (done, total) => progress("neighbours", done, total), stop);
        var core = new double[rows];
        for (var row = 0; row < rows; row++) core[row] = table.Distance[row * k + minSamples - 1];
        var candidates = new List<ReachabilityEdge>(rows * k);
        for (var row = 0; row < rows; row++)
            for (var i = 0; i < k; i++)
            {
                var other = table.Index[row * k + i];
                candidates.Add(new(row, other, Math.Max(table.Distance[row * k + i], Math.Max(core[row], core[other]))));
            }
        var sets = new DisjointSets(rows);
        var edges = Join(candidates, sets);
        for (var round = 0; edges.Count < rows - 1; round++)
        {
            progress("bridges", edges.Count, rows - 1);
            edges.AddRange(Join(Bridges(values, rows, dimension, metric, core, sets, round, stop), sets));
        }
        return ([.. edges.OrderBy(edge => edge.Weight)], core);
    }

    private static List<ReachabilityEdge> Join(List<ReachabilityEdge> candidates, DisjointSets sets)
    {
        var kept = new List<ReachabilityEdge>();
        foreach (var edge in candidates.OrderBy(edge => edge.Weight).ThenBy(edge => edge.From).ThenBy(edge => edge.To))
            if (sets.Join(edge.From, edge.To)) kept.Add(edge);
        return kept;
    }

    // For up to BridgeQueries members of all components but the largest, in shares, the nearest rows of other components (Boruvka's step).
    private static List<ReachabilityEdge> Bridges(float[] values, int rows, int dimension, VectorMetric metric, double[] core, DisjointSets sets, int round, CancellationToken stop)
    {
        var component = Enumerable.Range(0, rows).Select(sets.Find).ToArray();
        var groups = component.Select((root, row) => (root, row)).GroupBy(pair => pair.root, pair => pair.row).OrderByDescending(group => group.Count()).ThenBy(group => group.Key).Select(group => group.ToArray()).ToList();
        var share = Math.Max(1, BridgeQueries / groups.Count);
        var asked = groups.Skip(1).SelectMany(group => group.Length <= share ? group : Array.ConvertAll(new CounterRandom(round).Stream(group[0]).Sample(share, group.Length), i => group[i])).ToArray();
        var queries = new float[asked.Length * dimension];
        for (var i = 0; i < asked.Length; i++) values.AsSpan(asked[i] * dimension, dimension).CopyTo(queries.AsSpan(i * dimension));
        var table = Neighbours.OutsideGroups(queries, Array.ConvertAll(asked, row => component[row]), values, component, dimension, metric, stop: stop);
        var bridges = new List<ReachabilityEdge>();
        for (var i = 0; i < asked.Length; i++)
            bridges.Add(new(asked[i], table.Index[i], Math.Max(table.Distance[i], Math.Max(core[asked[i]], core[table.Index[i]]))));
        // One bridge per component and round: the shortest.
        return [.. bridges.GroupBy(edge => component[edge.From]).Select(group => group.OrderBy(edge => edge.Weight).ThenBy(edge => edge.From).First())];
    }
}

/// <summary>Union-find with path halving.</summary>
internal sealed class DisjointSets(int count)
{
    private readonly int[] _parent = [.. Enumerable.Range(0, count)];

    internal int Find(int item)
    {
        while (_parent[item] != item) item = _parent[item] = _parent[_parent[item]];
        return item;
    }

    /// <returns>False when both were in one set.</returns>
    internal bool Join(int a, int b)
    {
        (a, b) = (Find(a), Find(b));
        if (a == b) return false;
        _parent[Math.Max(a, b)] = Math.Min(a, b);
        return true;
    }
}
