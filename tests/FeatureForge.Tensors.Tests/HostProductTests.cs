// Products by the kernel of k-means against LibTorch's in float64.
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Tensors.Tests;

public sealed class HostProductTests
{
    [Theory]
    [InlineData(1, 32, 64)]
    [InlineData(37, 128, 128)]
    [InlineData(640, 352, 96)]
    [InlineData(50, 20, 30)]
    public void A_product_is_that_of_matrices(int rows, int from, int to)
    {
        using var scope = NewDisposeScope();
        var (left, right) = (randn(rows, from), randn(from, to));

        foreach (var threads in new[] { 1, 2 })
        {
            var before = get_num_threads();
            set_num_threads(threads);
            var product = HostProduct.ByKernel(left, right);
            set_num_threads(before);

            Assert.Equal([rows, to], product.shape);
            Assert.InRange((product - mm(left.to(ScalarType.Float64), right.to(ScalarType.Float64))).abs().max().item<double>(), 0, 1e-4);
        }
    }
}
