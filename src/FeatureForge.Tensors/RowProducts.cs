// Products of two host rows in four float32 sums at a time: the order of the sums is fixed, so results repeat.
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace FeatureForge.Tensors;

/// <summary>Vector arithmetic on host rows of the same length.</summary>
public static class RowProducts
{
    private const int Unrolled = 4;

    /// <summary>The scalar product.</summary>
    public static float Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b) => Sum<Product>(a, b);

    /// <summary>The squared Euclidean distance.</summary>
    public static float SquaredDistance(ReadOnlySpan<float> a, ReadOnlySpan<float> b) => Sum<SquaredDifference>(a, b);

    /// <summary>The squared length.</summary>
    public static float SumOfSquares(ReadOnlySpan<float> a) => Sum<Product>(a, a);

    /// <summary>Scales the row to unit length; a row of length 0 stays as it is.</summary>
    public static void ToUnitLength(Span<float> row)
    {
        double squares = 0;
        foreach (var value in row) squares += (double)value * value;
        if (squares < 1e-24) return;
        var scale = 1 / Math.Sqrt(squares);
        for (var d = 0; d < row.Length; d++) row[d] = (float)(row[d] * scale);
    }

    private interface ITerm
    {
        static abstract Vector<float> Of(Vector<float> a, Vector<float> b);
    }

    private readonly struct Product : ITerm
    {
        public static Vector<float> Of(Vector<float> a, Vector<float> b) => a * b;
    }

    private readonly struct SquaredDifference : ITerm
    {
        public static Vector<float> Of(Vector<float> a, Vector<float> b) => (a - b) * (a - b);
    }

    private static float Sum<TTerm>(ReadOnlySpan<float> a, ReadOnlySpan<float> b) where TTerm : struct, ITerm
    {
        ref var left = ref MemoryMarshal.GetReference(a);
        ref var right = ref MemoryMarshal.GetReference(b[..a.Length]);
        var (width, d) = (Vector<float>.Count, 0);
        Vector<float> first = default, second = default, third = default, fourth = default;
        for (; d <= a.Length - Unrolled * width; d += Unrolled * width)
        {
            first += TTerm.Of(Vector.LoadUnsafe(ref left, (nuint)d), Vector.LoadUnsafe(ref right, (nuint)d));
            second += TTerm.Of(Vector.LoadUnsafe(ref left, (nuint)(d + width)), Vector.LoadUnsafe(ref right, (nuint)(d + width)));
            third += TTerm.Of(Vector.LoadUnsafe(ref left, (nuint)(d + 2 * width)), Vector.LoadUnsafe(ref right, (nuint)(d + 2 * width)));
            fourth += TTerm.Of(Vector.LoadUnsafe(ref left, (nuint)(d + 3 * width)), Vector.LoadUnsafe(ref right, (nuint)(d + 3 * width)));
        }
        for (; d <= a.Length - width; d += width) first += TTerm.Of(Vector.LoadUnsafe(ref left, (nuint)d), Vector.LoadUnsafe(ref right, (nuint)d));
        var total = Vector.Sum(first + second + (third + fourth));
        for (; d < a.Length; d++) total += TTerm.Of(Vector.CreateScalar(Unsafe.Add(ref left, d)), Vector.CreateScalar(Unsafe.Add(ref right, d)))[0];
        return total;
    }
}
