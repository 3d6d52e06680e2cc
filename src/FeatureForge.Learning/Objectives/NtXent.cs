// NT-Xent: two views of an item attract, all other views in the batch repel.
// Chen, Kornblith, Norouzi, Hinton 2020, "A simple framework for contrastive learning of visual representations"
// (arXiv 2002.05709), equation 1. No deviations. Needs large batches: every other view is a negative.
using FeatureForge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

internal static class NtXent
{
    public const string Name = "NT-Xent";

    /// <summary>The mean loss over all 2B views. projected: [2B, D], the second views after all first views in the same order.</summary>
    /// <returns>A scalar; ln(2B - 1) when nothing is learned.</returns>
    public static Tensor Loss(Tensor projected, double temperature)
    {
        Require.Shape(projected, Require.Any, Require.Any);
        var count = projected.size(0);
        if (count % 2 != 0 || count < 4) throw new ArgumentException($"Expected two views of at least two items, found {count} rows.");
        var unit = nn.functional.normalize(projected, p: 2, dim: 1); // [2B, D]
        var similarity = mm(unit, unit.t()) / temperature; // [2B, 2B]
        var itself = eye(count, dtype: ScalarType.Bool, device: projected.device);
        var partner = arange(count, dtype: ScalarType.Int64, device: projected.device).roll(count / 2);
        return nn.functional.cross_entropy(similarity.masked_fill(itself, float.NegativeInfinity), partner);
    }
}
