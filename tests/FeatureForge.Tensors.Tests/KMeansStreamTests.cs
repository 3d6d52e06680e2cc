// Lloyd's passes over a stream: the same as over rows in memory, whatever the blocks, near the origin and far from it.
namespace FeatureForge.Tensors.Tests;

public sealed class KMeansStreamTests
{
    private const int Clusters = 12;

    private static RowStream Blocks(float[] values, int dimension, int rowsPerBlock) => new(values.Length / dimension, dimension, () => Read(values, dimension, rowsPerBlock));

    private static IEnumerable<(float[] Values, int Count)> Read(float[] values, int dimension, int rowsPerBlock)
    {
        // One array for all blocks, as a reader of files would do it.
        var block = new float[rowsPerBlock * dimension];
        for (var first = 0; first < values.Length; first += block.Length)
        {
            var some = values.AsSpan(first, Math.Min(block.Length, values.Length - first));
            some.CopyTo(block);
            yield return (block, some.Length / dimension);
        }
    }

    // Lloyd as in a textbook, in float64; the inertia of every pass's start.
    private static (double[] Centres, List<double> Inertia) Lloyd(float[] values, int dimension, float[] start, bool onSphere, int passes)
    {
        var centres = Array.ConvertAll(start, value => (double)value);
        var history = new List<double>();
        for (var pass = 0; pass < passes; pass++)
        {
            var (sums, sizes, inertia) = (new double[centres.Length], new int[centres.Length / dimension], 0.0);
            for (var row = 0; row < values.Length; row += dimension)
            {
                var (best, nearest) = (double.PositiveInfinity, 0);
                for (var c = 0; c < sizes.Length; c++)
                {
                    double squared = 0;
                    for (var d = 0; d < dimension; d++) squared += (values[row + d] - centres[c * dimension + d]) * (values[row + d] - centres[c * dimension + d]);
                    if (squared < best) (best, nearest) = (squared, c);
                }
                inertia += best;
                sizes[nearest]++;
                for (var d = 0; d < dimension; d++) sums[nearest * dimension + d] += values[row + d];
            }
            history.Add(inertia);
            for (var c = 0; c < sizes.Length; c++)
            {
                if (sizes[c] == 0) continue;
                double length = 0;
                for (var d = 0; d < dimension; d++) length += sums[c * dimension + d] * sums[c * dimension + d];
                for (var d = 0; d < dimension; d++) centres[c * dimension + d] = sums[c * dimension + d] / (onSphere ? Math.Sqrt(length) : sizes[c]);
            }
        }
        return (centres, history);
    }

    [Theory]
    [InlineData(VectorMetric.Cosine, 0)]
    [InlineData(VectorMetric.L2, 0)]
    [InlineData(VectorMetric.L2, 1000)]
    public void Passes_are_those_of_lloyd_over_all_rows(VectorMetric metric, float offset)
    {
        var (values, _) = Mixtures.EmbeddingLike(1500, 20);
        var dimension = Mixtures.Dimension;
        if (metric == VectorMetric.Cosine) values = HostRows.UnitLength(values, 1500, dimension);
        else for (var i = 0; i < values.Length; i++) values[i] += offset;
        var start = values[..(Clusters * dimension)];

        var (centres, inertia) = KMeansStream.Refine(Blocks(values, dimension, 400), start, metric, 5, 0);
        var (expected, history) = Lloyd(values, dimension, start, metric == VectorMetric.Cosine, 5);

        for (var pass = 0; pass < 5; pass++) Assert.Equal(history[pass], inertia[pass], history[pass] * 1e-4);
        for (var i = 0; i < centres.Length; i++) Assert.Equal(expected[i], centres[i], offset > 0 ? 2e-3 : 1e-4);
        Assert.True(inertia.Zip(inertia.Skip(1)).All(pair => pair.Second <= pair.First));
    }

    [Fact]
    public void Blocks_of_any_size_give_the_same_centres_and_a_pass_that_gains_nothing_is_the_last()
    {
        var (values, _) = Mixtures.EmbeddingLike(1000, 10);
        var start = values[..(Clusters * Mixtures.Dimension)];

        var whole = KMeansStream.Refine(Blocks(values, Mixtures.Dimension, 1000), start, VectorMetric.L2, 200, 0);
        var small = KMeansStream.Refine(Blocks(values, Mixtures.Dimension, 7), start, VectorMetric.L2, 200, 0);

        Assert.Equal(whole.Centroids, small.Centroids);
        Assert.Equal(whole.Inertia, small.Inertia);
        Assert.InRange(whole.Inertia.Count, 3, 199);
        Assert.Equal(whole.Inertia[^2], whole.Inertia[^1], 1e-6 * whole.Inertia[^1]);
    }

    [Fact]
    public void A_centre_without_rows_stays_and_a_row_that_is_not_finite_is_named()
    {
        float[] rows = [0, 0, 0, 1, 1, 0];
        float[] start = [0, 0, 50, 50];

        var (centres, _) = KMeansStream.Refine(RowStream.Of(rows, 3, 2), start, VectorMetric.L2, 1, 0);
        rows[4] = float.NaN;
        var error = Assert.Throws<ArgumentException>(() => KMeansStream.Refine(Blocks(rows, 2, 1), start, VectorMetric.L2, 1, 0));

        Assert.Equal([50f, 50f], centres[2..]);
        Assert.Equal(1 / 3f, centres[0], 1e-5);
        Assert.Contains("Row 2 holds NaN in column 0", error.Message);
    }
}
