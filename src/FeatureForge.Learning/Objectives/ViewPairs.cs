// Which views an objective compares: every view with every global one, but never with itself.
// Two local views of an item may show nothing in common, so they are never compared with each other.
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

internal static class ViewPairs
{
    /// <summary>Unordered pairs of views [B, P] of which at least one is global.</summary>
    public static IEnumerable<(Tensor First, Tensor Second)> Of(Tensor views, int globalViews)
    {
        for (var first = 0; first < globalViews; first++)
            for (var second = first + 1; second < views.size(0); second++)
                yield return (views[first], views[second]);
    }

    /// <summary>The mean inner product of a student's view [V, B, K] with the teacher's [G, B, K] of the same item, over all pairs of different views.</summary>
    /// <returns>A scalar; for unit vectors the mean cosine.</returns>
    public static Tensor MeanProduct(Tensor student, Tensor teacher)
    {
        var (views, globals, items) = (student.size(0), teacher.size(0), student.size(1));
        var products = einsum("vbk,gbk->vg", student, teacher); // [V, G]
        var different = ones(views, globals, device: student.device) - eye(views, globals, device: student.device);
        return (products * different).sum() / (items * globals * (views - 1));
    }
}
