// Sums of rows by the cluster they belong to, in float64 and in the order of the rows, whatever the threads.
namespace FeatureForge.Tensors;

internal static class RowSums
{
    /// <param name="values">[rows, dimension]; more may follow.</param>
    /// <param name="sums">[clusters, dimension].</param>
    internal static void Add(float[] values, int rows, int dimension, ReadOnlyMemory<int> clusters, double[] sums)
    {
        // By slices of dimensions: every sum follows the rows in order.
        const int slice = 32;
        Parallel.For(0, (dimension + slice - 1) / slice, part =>
        {
            var of = clusters.Span;
            var (from, to) = (part * slice, Math.Min(dimension, (part + 1) * slice));
            for (var row = 0; row < rows; row++)
            {
                var target = (long)of[row] * dimension;
                for (var d = from; d < to; d++) sums[target + d] += values[row * dimension + d];
            }
        });
    }
}
