// Vectors with known classes that any language rebuilds from counters (splitmix64 and Box-Muller): what the tree is judged on.
using FeatureForge.Tensors;

namespace FeatureForge.Benchmarks;

/// <summary>Rows with the class of each; row-major.</summary>
internal sealed record PlantedSet(float[] Vectors, int Dimension, VectorMetric Metric, int[] Classes)
{
    public int Rows => Classes.Length;
}

internal static class TreeMixtures
{
    /// <summary>Unit vectors of low intrinsic dimension, as encoders give them: a 16-d mixture through tanh to 128-d, sizes by Zipf 0.7.</summary>
    public static PlantedSet EmbeddingLike(int rows, int classes = 256)
    {
        const int dimension = 128;
        var (centres, first, second) = (new CounterRandom(11), new CounterRandom(14), new CounterRandom(15));
        var (inner, outer) = (new CounterRandom(13), new CounterRandom(16));
        var labels = Labels(rows, classes, 0.7);
        var a = Enumerable.Range(0, 16 * 64).Select(i => first.Normal(i) / 4).ToArray();
        var b = Enumerable.Range(0, 64 * dimension).Select(i => second.Normal(i) / 8).ToArray();
        var vectors = new float[rows * dimension];
        Parallel.For(0, rows, row =>
        {
            Span<double> z = stackalloc double[16], h = stackalloc double[64], x = stackalloc double[dimension];
            for (var d = 0; d < 16; d++) z[d] = 1.2 * centres.Normal(labels[row] * 16 + d) + 0.45 * inner.Normal((long)row * 16 + d);
            for (var j = 0; j < 64; j++)
            {
                for (var d = 0; d < 16; d++) h[j] += z[d] * a[d * 64 + j];
                h[j] = Math.Tanh(h[j]);
            }
            double squared = 0;
            for (var j = 0; j < 64; j++)
                for (var d = 0; d < dimension; d++) x[d] += h[j] * b[j * dimension + d];
            for (var d = 0; d < dimension; d++)
            {
                x[d] += 0.02 * outer.Normal((long)row * dimension + d);
                squared += x[d] * x[d];
            }
            for (var d = 0; d < dimension; d++) vectors[row * dimension + d] = (float)(x[d] / Math.Sqrt(squared));
        });
        return new(vectors, dimension, VectorMetric.Cosine, labels);
    }

    /// <summary>Isotropic Gaussians of centre deviation 0.5 with class sizes by Zipf 1: hard for k-means, far from what encoders give.</summary>
    public static PlantedSet Zipf(int rows, int classes = 256)
    {
        const int dimension = 128;
        var (centres, noise) = (new CounterRandom(1), new CounterRandom(3));
        var labels = Labels(rows, classes, 1);
        var vectors = new float[rows * dimension];
        Parallel.For(0, rows, row =>
        {
            for (var d = 0; d < dimension; d++)
                vectors[row * dimension + d] = (float)(0.5 * centres.Normal((long)labels[row] * dimension + d) + noise.Normal((long)row * dimension + d));
        });
        return new(vectors, dimension, VectorMetric.L2, labels);
    }

    /// <summary>Three planted levels: each group of a level scatters around its parent's centre, less and less; the classes are the finest.</summary>
    /// <param name="branches">Children per node, coarse to fine.</param>
    public static PlantedSet ThreeLevels(int rows, int[] branches, int seed)
    {
        const int dimension = 32;
        double[] spread = [4, 1.6, 0.7];
        var random = new CounterRandom(seed);
        var classes = branches.Aggregate(1, (product, count) => product * count);
        var labels = new int[rows];
        var vectors = new float[rows * dimension];
        var path = new int[branches.Length];
        for (var row = 0; row < rows; row++)
        {
            labels[row] = random.Stream(9).Below(row, classes);
            var node = labels[row];
            for (var level = branches.Length - 1; level >= 0; level--)
            {
                path[level] = node;
                node /= branches[level];
            }
            for (var d = 0; d < dimension; d++)
            {
                var value = 0.22 * random.Stream(8).Normal((long)row * dimension + d);
                for (var level = 0; level < branches.Length; level++) value += spread[level] / Math.Sqrt(dimension) * 2 * random.Stream(level).Normal((long)path[level] * dimension + d);
                vectors[row * dimension + d] = (float)value;
            }
        }
        return new(vectors, dimension, VectorMetric.L2, labels);
    }

    private static int[] Labels(int rows, int classes, double exponent)
    {
        var cumulative = new double[classes];
        for (var c = 0; c < classes; c++) cumulative[c] = (c == 0 ? 0 : cumulative[c - 1]) + Math.Pow(c + 1, -exponent);
        var random = new CounterRandom(2);
        return [.. Enumerable.Range(0, rows).Select(i =>
        {
            var at = Array.BinarySearch(cumulative, random.Unit(i) * cumulative[^1]);
            return Math.Min(at < 0 ? ~at : at + 1, classes - 1);
        })];
    }
}
