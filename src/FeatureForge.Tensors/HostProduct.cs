// Products of float32 matrices on the host. MKL has no AVX-512 kernels for processors of AMD; the kernel of k-means and neighbours does.
using System.Runtime.CompilerServices;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Tensors;

/// <summary>Rows times a matrix by whatever is fastest on the device.</summary>
public static unsafe class HostProduct
{
    /// <summary>[N, D] x [D, E]; no gradients.</summary>
    public static Tensor Multiply(Tensor rows, Tensor matrix) =>
        Convolutions.AreFilledUp && rows.device_type == DeviceType.CPU && rows.dtype == ScalarType.Float32 ? ByKernel(rows, matrix) : mm(rows, matrix);

    internal static Tensor ByKernel(Tensor rows, Tensor matrix)
    {
        Require.Shape(rows, Require.Any, matrix.size(0));
        var (count, from, to) = ((int)rows.size(0), (int)rows.size(1), (int)matrix.size(1));
        var groups = (to + ScoreKernel.Group - 1) / ScoreKernel.Group;
        var product = empty(count, to);
        using var scope = NewDisposeScope();
        var (left, right) = (rows.detach().contiguous(), matrix.detach().contiguous());
        using var packed = new AlignedFloats((long)groups * ScoreKernel.Group * from);
        fixed (byte* a = left.bytes, b = right.bytes, c = product.bytes)
        {
            var (source, target) = ((nint)a, (nint)c);
            PackColumns((float*)b, from, to, packed.Pointer);
            void Panel(int panel)
            {
                var first = panel * ScoreKernel.Lanes;
                Multiply((float*)source + (long)first * from, Math.Min(ScoreKernel.Lanes, count - first), from, packed.Pointer, to, (float*)target + (long)first * to);
            }
            HostThreads.For((count + ScoreKernel.Lanes - 1) / ScoreKernel.Lanes, Panel);
        }
        return product;
    }

    // Columns are the targets: of each group a row of the matrix holds the values side by side.
    private static void PackColumns(float* matrix, int from, int to, float* packed)
    {
        for (var first = 0; first < to; first += ScoreKernel.Group)
        {
            var width = Math.Min(ScoreKernel.Group, to - first);
            for (var d = 0; d < from; d++, packed += ScoreKernel.Group)
            {
                if (width < ScoreKernel.Group) new Span<float>(packed, ScoreKernel.Group).Clear();
                new ReadOnlySpan<float>(matrix + (long)d * to + first, width).CopyTo(new Span<float>(packed, width));
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Multiply(float* rows, int count, int from, float* packed, int to, float* product)
    {
        using var work = new AlignedFloats((long)(from + ScoreKernel.Group) * ScoreKernel.Lanes);
        var tile = work.Pointer + (long)from * ScoreKernel.Lanes;
        ScoreKernel.PackPanel(rows, count, from, work.Pointer);
        for (var first = 0; first < to; first += ScoreKernel.Group, packed += (long)from * ScoreKernel.Group)
        {
            ScoreKernel.Multiply(work.Pointer, packed, from, tile);
            ScoreKernel.Unpack(tile, Math.Min(ScoreKernel.Group, to - first), count, product + first, to);
        }
    }
}
