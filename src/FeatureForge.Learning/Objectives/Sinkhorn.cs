// Assigns a batch to prototypes in equal shares: the codes of SwAV.
// Cuturi 2013, "Sinkhorn distances" (arXiv 1306.0895), as used by Caron et al. 2020 (arXiv 2006.09882).
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

internal static class Sinkhorn
{
    /// <summary>Scores [B, K] to codes [B, K]: every row sums to 1, every column nearly to B / K. No gradient flows.</summary>
    /// <param name="sharpness">Lower makes codes harder; scores are divided by it.</param>
    public static Tensor Codes(Tensor scores, double sharpness, int iterations)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var (items, prototypes) = (scores.size(0), scores.size(1));
        // In logarithms: a prototype that nobody is near would otherwise be 0 / 0.
        var log = scores.detach() / sharpness;
        for (var i = 0; i < iterations; i++)
        {
            log = log - log.logsumexp(0, keepdim: true) + Math.Log((double)items / prototypes);
            log = log - log.logsumexp(1, keepdim: true);
        }
        return log.exp().MoveToOuterDisposeScope();
    }
}
