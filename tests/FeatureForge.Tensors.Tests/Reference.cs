// Slow, obvious versions of what the tensors compute, in float64.
namespace FeatureForge.Tensors.Tests;

internal static class Reference
{
    internal static double Squared(float[] a, int i, float[] b, int j, int dimension)
    {
        double sum = 0;
        for (var d = 0; d < dimension; d++)
        {
            var difference = (double)a[i * dimension + d] - b[j * dimension + d];
            sum += difference * difference;
        }
        return sum;
    }

    internal static int[] Nearest(float[] rows, float[] centroids, int dimension) =>
        [.. Enumerable.Range(0, rows.Length / dimension).Select(i => Enumerable.Range(0, centroids.Length / dimension).MinBy(c => Squared(rows, i, centroids, c, dimension)))];

    internal static double[] Means(float[] rows, int[] assignment, int clusters, int dimension, bool unitLength)
    {
        var means = new double[clusters * dimension];
        for (var i = 0; i < assignment.Length; i++)
            for (var d = 0; d < dimension; d++) means[assignment[i] * dimension + d] += rows[i * dimension + d];
        for (var c = 0; c < clusters; c++)
        {
            var mean = means.AsSpan(c * dimension, dimension);
            var length = Math.Sqrt(mean.ToArray().Sum(value => value * value));
            var divisor = unitLength ? length : assignment.Count(owner => owner == c);
            for (var d = 0; d < dimension; d++) mean[d] /= divisor;
        }
        return means;
    }

    /// <summary>Adjusted Rand index (Hubert, Arabie 1985).</summary>
    internal static double AdjustedRand(int[] left, int[] right)
    {
        static double Pairs(IEnumerable<int> counts) => counts.Sum(count => count * (count - 1.0) / 2);
        var both = Pairs(left.Zip(right).GroupBy(pair => pair).Select(group => group.Count()));
        var ofLeft = Pairs(left.GroupBy(x => x).Select(group => group.Count()));
        var ofRight = Pairs(right.GroupBy(x => x).Select(group => group.Count()));
        var expected = ofLeft * ofRight / Pairs([left.Length]);
        return (both - expected) / ((ofLeft + ofRight) / 2 - expected);
    }
}
