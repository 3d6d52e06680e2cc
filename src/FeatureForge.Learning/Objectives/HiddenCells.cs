// What the three masked objectives share: checking their input and counting hidden cells alone.
using FeatureForge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

internal static class HiddenCells
{
    /// <summary>The masked view of a batch whose cells have that width.</summary>
    /// <exception cref="ArgumentException">No masked view was made, or its shapes differ.</exception>
    public static MaskedCells Of(ObjectiveInput input, long width)
    {
        var masked = input.Masked ?? throw new ArgumentException("A masked objective needs a view with hidden cells: none was given.");
        Require.Shape(masked.Cells, Require.Any, Require.Any, width);
        Require.Shape(masked.Hidden, masked.Cells.size(0), masked.Cells.size(1));
        return masked;
    }

    /// <summary>The mean of values [N, T] where <paramref name="hidden"/> is true; 0 when nothing is hidden.</summary>
    public static Tensor Mean(Tensor values, Tensor hidden)
    {
        var counted = hidden.to(ScalarType.Float32);
        return (values * counted).sum() / counted.sum().clamp_min(1);
    }

    public static IEnumerable<string> Problems(double share, int block, int hidden)
    {
        if (!(share is > 0 and < 1)) yield return $"share is {share}; expected more than 0 and less than 1.";
        if (block < 1) yield return $"block is {block}; expected at least 1 cell.";
        if (hidden < 1) yield return $"hidden is {hidden}; expected at least 1.";
    }
}
