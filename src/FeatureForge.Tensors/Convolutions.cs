// Convolutions that are right on every processor. oneDNN (as in LibTorch 2.10) makes wrong ones for the AVX-512 of AMD: where the channels do not fill its blocks, outputs
// and gradients hold what lay in memory before, in float32 and bfloat16 alike (measured on family 26; also pytorch issue 163347). Whole blocks are right, so there the
// channels are filled up with zeros, which changes no sum. Restricting oneDNN to AVX2 is right too, but bfloat16 then takes 20 to 70 times as long.
using System.Runtime.Intrinsics.X86;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FeatureForge.Tensors;

/// <summary>Runs convolution modules; to be used instead of their own forward.</summary>
public static class Convolutions
{
    private const long SmallBlock = 16;
    private const long Block = 32;

    /// <summary>Whether this processor is one of those whose channels have to be filled up.</summary>
    public static bool AreFilledUp { get; } = HasAvx512OfAmd();

    /// <summary>What the module computes.</summary>
    /// <param name="convolution">In one or two dimensions, padded with zeros.</param>
    /// <param name="input">[N, C, ...].</param>
    /// <returns>[N, O, ...].</returns>
    /// <exception cref="ArgumentException">It is a convolution of another kind.</exception>
    public static Tensor Forward(Convolution convolution, Tensor input) => Forward(convolution, input, FillsUp(input));

    /// <summary>A convolution without bias and the norm behind it. In evaluation the norm is a scale and a shift per channel and goes into the convolution: the output is passed over once instead of twice.</summary>
    public static Tensor Forward(Conv2d convolution, BatchNorm2d norm, Tensor input)
    {
        if (norm.training) return norm.forward(Forward(convolution, input));
        var scale = norm.weight * (norm.running_var! + norm.eps).rsqrt();
        return Forward(convolution, convolution.weight * scale.view(-1, 1, 1, 1), norm.bias! - norm.running_mean! * scale, input, FillsUp(input));
    }

    private static bool FillsUp(Tensor input) => AreFilledUp && input.device_type == DeviceType.CPU;

    internal static Tensor Forward(Convolution convolution, Tensor input, bool fillUp) => Forward(convolution, convolution.weight, convolution.bias, input, fillUp);

    private static Tensor Forward(Convolution convolution, Tensor weight, Tensor? bias, Tensor input, bool fillUp)
    {
        var groups = convolution.groups;
        if (fillUp && groups == 1 && weight.shape[2..].All(side => side == 1) && convolution.padding!.All(pad => pad == 0)) return OfSinglePixels(convolution, weight, bias, input);
        var (from, to) = (convolution.in_channels / groups, convolution.out_channels / groups);
        var (moreIn, moreOut) = fillUp ? (Missing(from), Missing(to)) : (0, 0);
        if (moreIn > 0)
        {
            input = PerGroup(input, 1, groups, from, moreIn);
            weight = Padded(weight, weight.dim() - 2, moreIn);
        }
        if (moreOut > 0)
        {
            weight = PerGroup(weight, 0, groups, to, moreOut);
            if (bias is not null) bias = PerGroup(bias, 0, groups, to, moreOut);
        }
        var output = convolution switch
        {
            Conv1d => nn.functional.conv1d(input, weight, bias, convolution.stride[0], convolution.padding![0], convolution.dilation[0], groups),
            Conv2d => nn.functional.conv2d(input, weight, bias, convolution.stride, convolution.padding, convolution.dilation, groups),
            _ => throw new ArgumentException($"{convolution.GetType().Name} is not a convolution in one or two dimensions.", nameof(convolution)),
        };
        return moreOut == 0 ? output : PerGroup(output, 1, groups, to + moreOut, -moreOut);
    }

    // Kernels of one pixel are a product of matrices, which is right for all shapes: with many channels, last in memory, oneDNN's are wrong however whole the blocks
    // (16 to 512 channels), or end the process by a division by zero (512 to 1024).
    private static Tensor OfSinglePixels(Convolution convolution, Tensor weight, Tensor? bias, Tensor input)
    {
        for (var side = 0; side < convolution.stride.Length; side++)
            if (convolution.stride[side] > 1) input = input.slice(2 + side, 0, input.size(2 + side), convolution.stride[side]);
        return nn.functional.linear(input.movedim([1], [-1]), weight.flatten(1), bias).movedim([-1], [1]);
    }

    private static long Missing(long channels) => channels <= SmallBlock ? SmallBlock - channels : (Block - channels % Block) % Block;

    // Every group of channels gets zeros, or loses channels, at its end.
    private static Tensor PerGroup(Tensor tensor, int dimension, long groups, long channels, long more)
    {
        if (groups == 1) return Padded(tensor, tensor.dim() - 1 - dimension, more);
        var split = tensor.unflatten(dimension, groups, channels);
        return Padded(split, split.dim() - 2 - dimension, more).flatten(dimension, dimension + 1);
    }

    // pad counts dimensions from the last one.
    private static Tensor Padded(Tensor tensor, long fromLast, long more)
    {
        var sizes = new long[2 * fromLast + 2];
        sizes[^1] = more;
        return nn.functional.pad(tensor, sizes);
    }

    private static bool HasAvx512OfAmd()
    {
        if (!X86Base.IsSupported) return false;
        var (most, b, c, d) = X86Base.CpuId(0, 0);
        // "AuthenticAMD", four letters a register; then leaf 7, EBX bit 16 = AVX512F.
        return (b, d, c) == (0x68747541, 0x69746E65, 0x444D4163) && most >= 7 && (X86Base.CpuId(7, 0).Ebx & (1 << 16)) != 0;
    }
}
