// What every algorithm on host rows does first: a value that is not finite is named by its row before anything is computed.
namespace FeatureForge.Tensors;

/// <summary>Checks and copies of rows in host memory.</summary>
public static class HostRows
{
    /// <param name="firstRow">The number of the first row, for the message.</param>
    /// <exception cref="ArgumentException">A value is not finite; the message names its row and column, from 0.</exception>
    public static void RequireFinite(ReadOnlySpan<float> values, int dimension, long firstRow = 0)
    {
        var bad = values.IndexOfAnyExceptInRange(float.MinValue, float.MaxValue);
        if (bad >= 0)
            throw new ArgumentException($"Row {firstRow + bad / dimension} holds {values[bad]} in column {bad % dimension}; expected finite numbers. Leave the row out, or make its vector again.");
    }

    /// <summary>A copy with every row at unit length; rows of length 0 stay zero.</summary>
    public static float[] UnitLength(float[] values, int rows, int dimension)
    {
        var unit = values.AsSpan(0, rows * dimension).ToArray();
        Parallel.For(0, (rows + 1023) / 1024, part =>
        {
            for (var row = part * 1024; row < Math.Min(rows, (part + 1) * 1024); row++) RowProducts.ToUnitLength(unit.AsSpan(row * dimension, dimension));
        });
        return unit;
    }

    /// <summary>The mean row, summed in float64.</summary>
    public static float[] Mean(ReadOnlySpan<float> values, int rows, int dimension)
    {
        var sums = new double[dimension];
        for (var row = 0; row < rows; row++)
        {
            var some = values.Slice(row * dimension, dimension);
            for (var d = 0; d < dimension; d++) sums[d] += some[d];
        }
        return Array.ConvertAll(sums, sum => (float)(sum / rows));
    }

    /// <summary>A copy with <paramref name="centre"/> taken off every row.</summary>
    public static float[] Shifted(float[] values, int rows, int dimension, float[] centre)
    {
        var shifted = new float[rows * dimension];
        Parallel.For(0, rows, row =>
        {
            for (var d = 0; d < dimension; d++) shifted[row * dimension + d] = values[row * dimension + d] - centre[d];
        });
        return shifted;
    }
}
