// Vector arithmetic on host rows: products in float32 lanes, sums over many rows in float64.
using System.Numerics;
using System.Runtime.InteropServices;
using FeatureForge.Tensors;

namespace FeatureForge.Clustering;

internal static class Geometry
{
    internal static float Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        var lanes = MemoryMarshal.Cast<float, Vector<float>>(a);
        var others = MemoryMarshal.Cast<float, Vector<float>>(b);
        var sum = Vector<float>.Zero;
        for (var i = 0; i < lanes.Length; i++) sum += lanes[i] * others[i];
        var total = Vector.Sum(sum);
        for (var i = lanes.Length * Vector<float>.Count; i < a.Length; i++) total += a[i] * b[i];
        return total;
    }

    internal static float SquaredDistance(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        var lanes = MemoryMarshal.Cast<float, Vector<float>>(a);
        var others = MemoryMarshal.Cast<float, Vector<float>>(b);
        var sum = Vector<float>.Zero;
        for (var i = 0; i < lanes.Length; i++)
        {
            var difference = lanes[i] - others[i];
            sum += difference * difference;
        }
        var total = Vector.Sum(sum);
        for (var i = lanes.Length * Vector<float>.Count; i < a.Length; i++) total += (a[i] - b[i]) * (a[i] - b[i]);
        return total;
    }

    /// <summary>The distance in the metric. For cosine both vectors are of unit length (or zero).</summary>
    internal static float Distance(ReadOnlySpan<float> a, ReadOnlySpan<float> b, VectorMetric metric) => metric == VectorMetric.Cosine
        ? Math.Clamp(1 - Dot(a, b), 0, 2)
        : MathF.Sqrt(SquaredDistance(a, b));

    internal static float Cosine(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        var lengths = MathF.Sqrt(Dot(a, a)) * MathF.Sqrt(Dot(b, b));
        return lengths > 0 ? Math.Clamp(Dot(a, b) / lengths, -1, 1) : 0;
    }

    internal static void ToUnitLength(Span<float> vector)
    {
        var length = MathF.Sqrt(Dot(vector, vector));
        if (length < 1e-12f) return;
        for (var d = 0; d < vector.Length; d++) vector[d] /= length;
    }

    /// <summary>The mean of the rows; of unit length for the cosine metric.</summary>
    internal static float[] Centroid(SetVectors vectors, ReadOnlySpan<int> rows)
    {
        var sums = new double[vectors.Dimension];
        foreach (var row in rows)
        {
            var vector = vectors[row];
            for (var d = 0; d < sums.Length; d++) sums[d] += vector[d];
        }
        var count = rows.Length;
        var centroid = Array.ConvertAll(sums, sum => (float)(sum / count));
        if (vectors.Metric == VectorMetric.Cosine) ToUnitLength(centroid);
        return centroid;
    }
}
