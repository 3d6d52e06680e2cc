// Density-based validity of a clustering with noise (DBCV: Moulavi, Jaskowiak, Campello, Zimek, Sander 2014), in [-1,1]: how much
// less dense the sparsest place between clusters is than the sparsest place inside. Core distances are sums of powers of
// the dimension, taken in logarithms because float64 does not hold (1/d)^128. Compares all pairs: for up to a few thousand rows.
using FeatureForge.Tensors;

namespace FeatureForge.Clustering;

internal static class DensityValidity
{
    /// <param name="labels">[rows]; negative for noise.</param>
    /// <returns>Null with fewer than two clusters of two rows.</returns>
    internal static double? Of(float[] values, int rows, int dimension, VectorMetric metric, int[] labels, CancellationToken stop = default)
    {
        var clusters = Enumerable.Range(0, rows).Where(row => labels[row] >= 0).GroupBy(row => labels[row]).Where(group => group.Count() > 1).Select(group => group.ToArray()).ToList();
        if (clusters.Count < 2) return null;
        var unit = metric == VectorMetric.Cosine ? HostRows.UnitLength(values, rows, dimension) : values;
        double Distance(int a, int b) => NeighbourDistance(unit, a, b, dimension, metric);
        var core = new double[rows];
        Parallel.ForEach(clusters, new ParallelOptions { CancellationToken = stop }, members =>
        {
            foreach (var row in members) core[row] = Core(row, members, dimension, Distance);
        });
        double Reach(int a, int b) => Math.Max(Distance(a, b), Math.Max(core[a], core[b]));
        var trees = new (double Sparsest, int[] Inner)[clusters.Count];
        Parallel.For(0, clusters.Count, i => trees[i] = Inside(clusters[i], Reach));
        var apart = new double[clusters.Count];
        Parallel.For(0, clusters.Count, i => apart[i] = Enumerable.Range(0, clusters.Count).Where(j => j != i)
            .Min(j => trees[i].Inner.Min(a => trees[j].Inner.Min(b => Reach(a, b)))));
        double sum = 0;
        for (var i = 0; i < clusters.Count; i++)
        {
            var widest = Math.Max(apart[i], trees[i].Sparsest);
            if (widest > 0) sum += clusters[i].Length * (apart[i] - trees[i].Sparsest) / widest;
        }
        return sum / rows;
    }

    private static double NeighbourDistance(float[] values, int a, int b, int dimension, VectorMetric metric)
    {
        var squared = RowProducts.SquaredDistance(values.AsSpan(a * dimension, dimension), values.AsSpan(b * dimension, dimension));
        return metric == VectorMetric.Cosine ? squared / 2 : Math.Sqrt(squared);
    }

    // ((sum of (1/d)^D) / (n - 1))^(-1/D), by log-sum-exp; 0 for a row with a duplicate.
    private static double Core(int row, int[] members, int dimension, Func<int, int, double> distance)
    {
        var logs = members.Where(other => other != row).Select(other => -dimension * Math.Log(distance(row, other))).ToArray();
        var most = logs.Max();
        if (double.IsPositiveInfinity(most)) return 0;
        var mean = most + Math.Log(logs.Sum(log => Math.Exp(log - most)) / logs.Length);
        return Math.Exp(-mean / dimension);
    }

    // Prim's tree; the longest edge between inner nodes (of degree above 1), all edges when there is none.
    private static (double Sparsest, int[] Inner) Inside(int[] members, Func<int, int, double> reach)
    {
        var n = members.Length;
        var (best, from, inside, degree) = (new double[n], new int[n], new bool[n], new int[n]);
        Array.Fill(best, double.PositiveInfinity);
        var edges = new List<(int From, int To, double Weight)>();
        for (var current = 0; ;)
        {
            inside[current] = true;
            if (edges.Count == n - 1) break;
            var next = -1;
            for (var i = 0; i < n; i++)
            {
                if (inside[i]) continue;
                var weight = reach(members[current], members[i]);
                if (weight < best[i]) (best[i], from[i]) = (weight, current);
                if (next < 0 || best[i] < best[next]) next = i;
            }
            edges.Add((from[next], next, best[next]));
            degree[from[next]]++;
            degree[next]++;
            current = next;
        }
        var inner = Enumerable.Range(0, n).Where(i => degree[i] > 1).ToArray();
        var between = edges.Where(edge => degree[edge.From] > 1 && degree[edge.To] > 1).Select(edge => edge.Weight).DefaultIfEmpty(edges.Max(edge => edge.Weight)).Max();
        return (between, inner.Length > 0 ? Array.ConvertAll(inner, i => members[i]) : members);
    }
}
