// The prediction term of LeJEPA and VISReg: each view of an item, global or local, is to predict the mean of its global views.
// Balestriero and LeCun 2025, arXiv 2511.08544. Gradients flow through the mean as well: there is no teacher.
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

internal static class GlobalMean
{
    /// <summary>Mean squared distance per dimension of [V, B, P] to the mean of the first <paramref name="globalViews"/> views.</summary>
    public static Tensor Distance(Tensor projected, int globalViews) =>
        (projected - projected.narrow(0, 0, globalViews).mean([0], keepdim: true)).square().mean();
}
