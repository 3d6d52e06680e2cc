// The inner loop of k-means, neighbours and index on the CPU: products of a panel of rows (one row per lane) with a group of
// targets (one broadcast at a time), all sums in registers, so that scores are consumed from the first-level cache and
// the matrix of scores is never written (the idea of Flash-KMeans, Yang et al. 2026, and of BLIS' micro-kernels, Van Zee, van de Geijn 2015).
// Every score is summed over the dimensions in order by one lane: it depends neither on blocks nor on threads.
// Longer than usual because registers cannot be indexed: the two kernels are unrolled by hand.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace FeatureForge.Tensors;

/// <summary>Packing, and products of packed rows and packed targets.</summary>
internal static unsafe class ScoreKernel
{
    /// <summary>Rows in a panel.</summary>
    internal static readonly int Lanes = Vector512.IsHardwareAccelerated ? 32 : 16;
    /// <summary>Targets in a group.</summary>
    internal static readonly int Group = Vector512.IsHardwareAccelerated ? 12 : 6;

    /// <summary>The products of one panel and one group: tile [Group, Lanes].</summary>
    /// <param name="lanes">[dimension, Lanes].</param>
    /// <param name="targets">[dimension, Group].</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Multiply(float* lanes, float* targets, int dimension, float* tile)
    {
        if (Vector512.IsHardwareAccelerated) Multiply512(lanes, targets, dimension, tile);
        else Multiply256(lanes, targets, dimension, tile);
    }

    /// <summary>Packs up to Lanes rows into a panel [dimension, Lanes]; lanes without a row are zero.</summary>
    internal static void PackPanel(float* rows, int count, int dimension, float* panel) => Pack(rows, count, dimension, panel, Lanes);

    /// <summary>Packs up to Group targets into a group [dimension, Group]; places without a target are zero.</summary>
    internal static void PackGroup(float* rows, int count, int dimension, float* group) => Pack(rows, count, dimension, group, Group);

    private static void Pack(float* rows, int count, int dimension, float* packed, int width)
    {
        if (count < width) new Span<float>(packed, dimension * width).Clear();
        for (var r = 0; r < count; r++)
        {
            var from = rows + (long)r * dimension;
            var to = packed + r;
            for (var d = 0; d < dimension; d++, to += width) *to = from[d];
        }
    }

    /// <summary>The other way: scores of targets [targets, Lanes] to rows of them, one per lane.</summary>
    /// <param name="toNextRow">Values from one row to the next.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Unpack(float* scores, int targets, int lanes, float* rows, int toNextRow)
    {
        var (lane, whole) = (0, targets - targets % 8);
        if (Avx.IsSupported)
            for (; lane + 8 <= lanes; lane += 8)
                for (var target = 0; target < whole; target += 8) Transpose8(scores + target * Lanes + lane, rows + (long)lane * toNextRow + target, toNextRow);
        for (var l = 0; l < lanes; l++)
            for (var target = l < lane ? whole : 0; target < targets; target++) rows[(long)l * toNextRow + target] = scores[target * Lanes + l];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Transpose8(float* from, float* to, int toNextRow)
    {
        var (r0, r1, r2, r3) = (Row(0), Row(1), Row(2), Row(3));
        var (r4, r5, r6, r7) = (Row(4), Row(5), Row(6), Row(7));
        var (a0, a1, a2, a3) = (Avx.UnpackLow(r0, r1), Avx.UnpackHigh(r0, r1), Avx.UnpackLow(r2, r3), Avx.UnpackHigh(r2, r3));
        var (a4, a5, a6, a7) = (Avx.UnpackLow(r4, r5), Avx.UnpackHigh(r4, r5), Avx.UnpackLow(r6, r7), Avx.UnpackHigh(r6, r7));
        var (b0, b1, b2, b3) = (Avx.Shuffle(a0, a2, 0x44), Avx.Shuffle(a0, a2, 0xEE), Avx.Shuffle(a1, a3, 0x44), Avx.Shuffle(a1, a3, 0xEE));
        var (b4, b5, b6, b7) = (Avx.Shuffle(a4, a6, 0x44), Avx.Shuffle(a4, a6, 0xEE), Avx.Shuffle(a5, a7, 0x44), Avx.Shuffle(a5, a7, 0xEE));
        Put(0, Avx.Permute2x128(b0, b4, 0x20));
        Put(1, Avx.Permute2x128(b1, b5, 0x20));
        Put(2, Avx.Permute2x128(b2, b6, 0x20));
        Put(3, Avx.Permute2x128(b3, b7, 0x20));
        Put(4, Avx.Permute2x128(b0, b4, 0x31));
        Put(5, Avx.Permute2x128(b1, b5, 0x31));
        Put(6, Avx.Permute2x128(b2, b6, 0x31));
        Put(7, Avx.Permute2x128(b3, b7, 0x31));

        Vector256<float> Row(int target) => Vector256.Load(from + target * Lanes);
        void Put(int lane, Vector256<float> values) => values.Store(to + (long)lane * toNextRow);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)] // a short run would spend itself in slow first versions
    private static void Multiply512(float* lanes, float* targets, int dimension, float* tile)
    {
        Vector512<float> l0 = default, h0 = default;
        Vector512<float> l1 = default, h1 = default;
        Vector512<float> l2 = default, h2 = default;
        Vector512<float> l3 = default, h3 = default;
        Vector512<float> l4 = default, h4 = default;
        Vector512<float> l5 = default, h5 = default;
        Vector512<float> l6 = default, h6 = default;
        Vector512<float> l7 = default, h7 = default;
        Vector512<float> l8 = default, h8 = default;
        Vector512<float> l9 = default, h9 = default;
        Vector512<float> l10 = default, h10 = default;
        Vector512<float> l11 = default, h11 = default;
        for (var d = 0; d < dimension; d++)
        {
            var low = Vector512.Load(lanes);
            var high = Vector512.Load(lanes + 16);
            var value = Vector512.Create(targets[0]);
            l0 = Vector512.FusedMultiplyAdd(value, low, l0);
            h0 = Vector512.FusedMultiplyAdd(value, high, h0);
            value = Vector512.Create(targets[1]);
            l1 = Vector512.FusedMultiplyAdd(value, low, l1);
            h1 = Vector512.FusedMultiplyAdd(value, high, h1);
            value = Vector512.Create(targets[2]);
            l2 = Vector512.FusedMultiplyAdd(value, low, l2);
            h2 = Vector512.FusedMultiplyAdd(value, high, h2);
            value = Vector512.Create(targets[3]);
            l3 = Vector512.FusedMultiplyAdd(value, low, l3);
            h3 = Vector512.FusedMultiplyAdd(value, high, h3);
            value = Vector512.Create(targets[4]);
            l4 = Vector512.FusedMultiplyAdd(value, low, l4);
            h4 = Vector512.FusedMultiplyAdd(value, high, h4);
            value = Vector512.Create(targets[5]);
            l5 = Vector512.FusedMultiplyAdd(value, low, l5);
            h5 = Vector512.FusedMultiplyAdd(value, high, h5);
            value = Vector512.Create(targets[6]);
            l6 = Vector512.FusedMultiplyAdd(value, low, l6);
            h6 = Vector512.FusedMultiplyAdd(value, high, h6);
            value = Vector512.Create(targets[7]);
            l7 = Vector512.FusedMultiplyAdd(value, low, l7);
            h7 = Vector512.FusedMultiplyAdd(value, high, h7);
            value = Vector512.Create(targets[8]);
            l8 = Vector512.FusedMultiplyAdd(value, low, l8);
            h8 = Vector512.FusedMultiplyAdd(value, high, h8);
            value = Vector512.Create(targets[9]);
            l9 = Vector512.FusedMultiplyAdd(value, low, l9);
            h9 = Vector512.FusedMultiplyAdd(value, high, h9);
            value = Vector512.Create(targets[10]);
            l10 = Vector512.FusedMultiplyAdd(value, low, l10);
            h10 = Vector512.FusedMultiplyAdd(value, high, h10);
            value = Vector512.Create(targets[11]);
            l11 = Vector512.FusedMultiplyAdd(value, low, l11);
            h11 = Vector512.FusedMultiplyAdd(value, high, h11);
            lanes += 32;
            targets += 12;
        }
        l0.Store(tile + 0);
        h0.Store(tile + 16);
        l1.Store(tile + 32);
        h1.Store(tile + 48);
        l2.Store(tile + 64);
        h2.Store(tile + 80);
        l3.Store(tile + 96);
        h3.Store(tile + 112);
        l4.Store(tile + 128);
        h4.Store(tile + 144);
        l5.Store(tile + 160);
        h5.Store(tile + 176);
        l6.Store(tile + 192);
        h6.Store(tile + 208);
        l7.Store(tile + 224);
        h7.Store(tile + 240);
        l8.Store(tile + 256);
        h8.Store(tile + 272);
        l9.Store(tile + 288);
        h9.Store(tile + 304);
        l10.Store(tile + 320);
        h10.Store(tile + 336);
        l11.Store(tile + 352);
        h11.Store(tile + 368);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)] // a short run would spend itself in slow first versions
    private static void Multiply256(float* lanes, float* targets, int dimension, float* tile)
    {
        Vector256<float> l0 = default, h0 = default;
        Vector256<float> l1 = default, h1 = default;
        Vector256<float> l2 = default, h2 = default;
        Vector256<float> l3 = default, h3 = default;
        Vector256<float> l4 = default, h4 = default;
        Vector256<float> l5 = default, h5 = default;
        for (var d = 0; d < dimension; d++)
        {
            var low = Vector256.Load(lanes);
            var high = Vector256.Load(lanes + 8);
            var value = Vector256.Create(targets[0]);
            l0 = Vector256.FusedMultiplyAdd(value, low, l0);
            h0 = Vector256.FusedMultiplyAdd(value, high, h0);
            value = Vector256.Create(targets[1]);
            l1 = Vector256.FusedMultiplyAdd(value, low, l1);
            h1 = Vector256.FusedMultiplyAdd(value, high, h1);
            value = Vector256.Create(targets[2]);
            l2 = Vector256.FusedMultiplyAdd(value, low, l2);
            h2 = Vector256.FusedMultiplyAdd(value, high, h2);
            value = Vector256.Create(targets[3]);
            l3 = Vector256.FusedMultiplyAdd(value, low, l3);
            h3 = Vector256.FusedMultiplyAdd(value, high, h3);
            value = Vector256.Create(targets[4]);
            l4 = Vector256.FusedMultiplyAdd(value, low, l4);
            h4 = Vector256.FusedMultiplyAdd(value, high, h4);
            value = Vector256.Create(targets[5]);
            l5 = Vector256.FusedMultiplyAdd(value, low, l5);
            h5 = Vector256.FusedMultiplyAdd(value, high, h5);
            lanes += 16;
            targets += 6;
        }
        l0.Store(tile + 0);
        h0.Store(tile + 8);
        l1.Store(tile + 16);
        h1.Store(tile + 24);
        l2.Store(tile + 32);
        h2.Store(tile + 40);
        l3.Store(tile + 48);
        h3.Store(tile + 56);
        l4.Store(tile + 64);
        h4.Store(tile + 72);
        l5.Store(tile + 80);
        h5.Store(tile + 88);
    }
}
