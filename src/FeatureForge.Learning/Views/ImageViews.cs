// Altered copies of pictures for one training step: random resized crop, flip, colour jitter, gray; all as batched
// tensor operations on the training device. Chen et al. 2020 (SimCLR); colour as one 3x3 matrix per view, in YIQ space.
using FeatureForge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

/// <summary>How strongly pictures are altered; in the recipe.</summary>
internal sealed record ImageViewSpec
{
    /// <summary>Smallest area of a global view, as a fraction of the picture.</summary>
    public double SmallestCrop { get; init; } = 0.2;
    /// <summary>Smallest area of a local view, as a fraction of the picture.</summary>
    public double SmallestLocalCrop { get; init; } = 0.05;
    /// <summary>Largest area of a local view, as a fraction of the picture.</summary>
    public double LargestLocalCrop { get; init; } = 0.3;
    /// <summary>Pixels per side of a local view.</summary>
    public int LocalSize { get; init; } = 16;
    /// <summary>Whether half of the views are mirrored.</summary>
    public bool Flip { get; init; } = true;
    /// <summary>Strength of brightness, contrast and saturation changes; 0 leaves colour alone.</summary>
    public double Colour { get; init; } = 0.4;
    /// <summary>Largest rotation of hue, as a fraction of the circle.</summary>
    public double Hue { get; init; } = 0.1;
    /// <summary>Share of the views without colour.</summary>
    public double Gray { get; init; } = 0.2;
}

internal static class ImageViews
{
    /// <summary>pixels in [0, 1], [B, 3, S, S], to views of each, [views * B, 3, size, size].</summary>
    public static Tensor Global(Tensor pixels, ImageViewSpec spec, int views, long size, StepRandom random) =>
        Make(pixels, spec, views, (spec.SmallestCrop, 1), size, random);

    /// <summary>The same for small crops.</summary>
    public static Tensor Local(Tensor pixels, ImageViewSpec spec, int views, StepRandom random) =>
        Make(pixels, spec, views, (spec.SmallestLocalCrop, spec.LargestLocalCrop), spec.LocalSize, random);

    private static Tensor Make(Tensor pixels, ImageViewSpec spec, int views, (double Smallest, double Largest) area, long size, StepRandom random)
    {
        Require.Shape(pixels, Require.Any, 3, Require.Any, Require.Any);
        using var scope = NewDisposeScope();
        var count = (int)pixels.size(0) * views;
        var place = HostCopies.ToTensor(Crops(count, spec, area, random), [count, 2, 3], pixels.device);
        var (mix, contrast) = Colours(count, spec, random);
        var both = cat([.. Enumerable.Repeat(pixels, views)], 0);
        var grid = nn.functional.affine_grid(place, [count, 3, size, size], align_corners: false);
        var crops = nn.functional.grid_sample(both, grid, mode: GridSampleMode.Bilinear, padding_mode: GridSamplePaddingMode.Reflection, align_corners: false);
        var mixed = bmm(HostCopies.ToTensor(mix, [count, 3, 3], pixels.device), crops.flatten(2)); // [2B, 3, S*S]
        var mean = mixed.mean([1, 2], keepdim: true);
        var altered = (mixed - mean) * HostCopies.ToTensor(contrast, [count, 1, 1], pixels.device) + mean;
        return altered.clamp(0, 1).view(count, 3, size, size).MoveToOuterDisposeScope();
    }

    /// <summary>One 2x3 affine matrix per view: a box of random area and aspect inside the picture, perhaps mirrored.</summary>
    private static float[] Crops(int count, ImageViewSpec spec, (double Smallest, double Largest) range, StepRandom random)
    {
        var matrices = new float[count * 6];
        for (var i = 0; i < count; i++)
        {
            var area = random.Uniform(range.Smallest, range.Largest);
            var aspect = Math.Exp(random.Uniform(Math.Log(3.0 / 4), Math.Log(4.0 / 3)));
            var width = (float)Math.Min(1, Math.Sqrt(area * aspect));
            var height = (float)Math.Min(1, Math.Sqrt(area / aspect));
            var flip = spec.Flip && random.Chance(0.5);
            matrices[i * 6] = flip ? -width : width;
            matrices[i * 6 + 2] = random.Uniform(-(1 - width), 1 - width);
            matrices[i * 6 + 4] = height;
            matrices[i * 6 + 5] = random.Uniform(-(1 - height), 1 - height);
        }
        return matrices;
    }

    /// <summary>Per view a colour matrix (brightness x saturation x hue, or gray) and a contrast factor.</summary>
    private static (float[] Mix, float[] Contrast) Colours(int count, ImageViewSpec spec, StepRandom random)
    {
        var mix = new float[count * 9];
        var contrast = new float[count];
        for (var i = 0; i < count; i++)
        {
            var jitter = spec.Colour > 0 && random.Chance(0.8);
            var brightness = jitter ? random.Uniform(1 - spec.Colour, 1 + spec.Colour) : 1;
            contrast[i] = jitter ? random.Uniform(1 - spec.Colour, 1 + spec.Colour) : 1;
            var saturation = random.Chance(spec.Gray) ? 0 : jitter ? random.Uniform(1 - spec.Colour, 1 + spec.Colour) : 1;
            var angle = jitter ? 2 * Math.PI * random.Uniform(-spec.Hue, spec.Hue) : 0;
            ColourMatrix(mix.AsSpan(i * 9, 9), brightness, saturation, angle);
        }
        return (mix, contrast);
    }

    // RGB -> YIQ, rotate and scale I and Q, back: three products of constant matrices, written out.
    private static void ColourMatrix(Span<float> matrix, double brightness, double saturation, double angle)
    {
        ReadOnlySpan<double> forward = [0.299, 0.587, 0.114, 0.596, -0.274, -0.322, 0.211, -0.523, 0.312];
        ReadOnlySpan<double> back = [1, 0.956, 0.621, 1, -0.272, -0.647, 1, -1.106, 1.703];
        var (sine, cosine) = Math.SinCos(angle);
        Span<double> turned = stackalloc double[9];
        for (var column = 0; column < 3; column++)
        {
            turned[column] = forward[column];
            turned[3 + column] = saturation * (cosine * forward[3 + column] - sine * forward[6 + column]);
            turned[6 + column] = saturation * (sine * forward[3 + column] + cosine * forward[6 + column]);
        }
        for (var row = 0; row < 3; row++)
            for (var column = 0; column < 3; column++)
                matrix[row * 3 + column] = (float)(brightness * (back[row * 3] * turned[column] + back[row * 3 + 1] * turned[3 + column] + back[row * 3 + 2] * turned[6 + column]));
    }
}
