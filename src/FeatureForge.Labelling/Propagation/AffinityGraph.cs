// The graph that labels spread over: every vector tied to its nearest neighbours and to those that count it among theirs, weighted by a
// Gaussian whose width is each vector's own distance to its neighbours (Zelnik-Manor, Perona 2004), so that dense and thin regions spread alike.
using FeatureForge.Tensors;

namespace FeatureForge.Labelling;

/// <summary>A symmetric sparse matrix by rows: the ties of row i are <c>Column[First[i] .. First[i + 1]]</c>, normalised by both ends' sums.</summary>
internal sealed class AffinityGraph
{
    private AffinityGraph(int[] first, int[] column, float[] weight, float[] typicality) => (First, Column, Weight, Typicality) = (first, column, weight, typicality);

    internal int Rows => First.Length - 1;
    internal int[] First { get; }
    internal int[] Column { get; }
    /// <summary>W(i,j) / sqrt(d(i) d(j)), d being the sums of W's rows.</summary>
    internal float[] Weight { get; }
    /// <summary>By row: one over the mean distance to its neighbours (Hacohen, Dekel, Weinshall 2022), in (0,1] relative to the largest.</summary>
    internal float[] Typicality { get; }

    /// <summary>The graph of host rows.</summary>
    internal static AffinityGraph Of(float[] values, int rows, int dimension, VectorMetric metric, int neighbours, string device, CancellationToken stop)
    {
        if (rows < 2) return new([0, .. new int[rows]], [], [], [.. Enumerable.Repeat(1f, rows)]);
        var table = Neighbours.Among(values, rows, dimension, Math.Min(neighbours, rows - 1), metric, device, null, stop);
        return Of(table, rows);
    }

    internal static AffinityGraph Of(NeighbourTable table, int rows)
    {
        var k = table.K;
        var width = new double[rows];
        var mean = new double[rows];
        // Cosine distance is half a squared distance between unit vectors; either way the kernel takes the distance's square root twice over.
        for (var row = 0; row < rows; row++)
        {
            for (var i = 0; i < k; i++) mean[row] += table.Distance[row * k + i];
            mean[row] = mean[row] / k;
            width[row] = Math.Max(table.Distance[row * k + Math.Min(k - 1, 6)], 1e-9);
        }
        var ties = new Dictionary<int, float>[rows];
        for (var row = 0; row < rows; row++) ties[row] = new(2 * k);
        for (var row = 0; row < rows; row++)
            for (var i = 0; i < k; i++)
            {
                var other = table.Index[row * k + i];
                double distance = table.Distance[row * k + i];
                var weight = (float)Math.Max(Math.Exp(-distance * distance / (width[row] * width[other])), 1e-6);
                ties[row][other] = weight;
                ties[other][row] = weight;
            }
        return Normalised(ties, mean);
    }

    private static AffinityGraph Normalised(Dictionary<int, float>[] ties, double[] mean)
    {
        var rows = ties.Length;
        var first = new int[rows + 1];
        for (var row = 0; row < rows; row++) first[row + 1] = first[row] + ties[row].Count;
        var sums = ties.Select(row => row.Values.Sum(weight => (double)weight)).ToArray();
        var column = new int[first[rows]];
        var normalised = new float[first[rows]];
        for (var row = 0; row < rows; row++)
        {
            var at = first[row];
            foreach (var (other, weight) in ties[row].OrderBy(pair => pair.Key))
            {
                column[at] = other;
                normalised[at++] = (float)(weight / Math.Sqrt(Math.Max(sums[row] * sums[other], 1e-30)));
            }
        }
        var typicality = mean.Select(distance => (float)(1 / (distance + 1e-6))).ToArray();
        var largest = typicality.Max();
        return new(first, column, normalised, [.. typicality.Select(value => value / largest)]);
    }

    /// <summary>next = alpha * S * current + (1 - alpha) * start, for K numbers per row; all arrays are [rows, K].</summary>
    internal void Step(float[] current, float[] start, float[] next, int width, float alpha)
    {
        Parallel.For(0, Rows, row =>
        {
            var target = next.AsSpan(row * width, width);
            var given = start.AsSpan(row * width, width);
            for (var c = 0; c < width; c++) target[c] = (1 - alpha) * given[c];
            for (var at = First[row]; at < First[row + 1]; at++)
            {
                var source = current.AsSpan(Column[at] * width, width);
                var weight = alpha * Weight[at];
                for (var c = 0; c < width; c++) target[c] += weight * source[c];
            }
        });
    }
}
