// Pooling on the host against LibTorch's operations in float64.
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Tensors.Tests;

public sealed class CellMomentsTests
{
    [Theory]
    [InlineData(3, 16, 8, 8, 2, 2)]
    [InlineData(2, 21, 6, 10, 3, 5)] // channels that fill no vector
    [InlineData(1, 40, 4, 4, 4, 4)] // spans of one cell
    [InlineData(2, 8, 64, 64, 1, 1)]
    public void Means_and_squares_are_those_of_the_cells(int count, int channels, int height, int width, int rows, int columns)
    {
        using var scope = NewDisposeScope();
        manual_seed(7);
        var map = randn(count, channels, height, width) + 3;
        var channelsLast = map.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2);

        foreach (var each in new[] { map, channelsLast })
        {
            Assert.True(CellMoments.Fits(each, rows, columns));
            var (mean, square) = CellMoments.Of(each, rows, columns);

            var exact = map.to(ScalarType.Float64).view(count, channels, rows, height / rows, columns, width / columns);
            Assert.InRange(Difference(mean, exact), 0, 1e-5);
            Assert.InRange(Difference(square, exact.square()), 0, 1e-4);
        }

        double Difference(Tensor found, Tensor cells) => (found - cells.mean([3, 5]).flatten(2).transpose(1, 2)).abs().max().item<double>();
    }

    [Fact]
    public void Maps_that_are_cut_unevenly_or_carry_gradients_are_left_to_others()
    {
        using var scope = NewDisposeScope();
        Assert.False(CellMoments.Fits(randn(1, 4, 7, 8), 2, 2));
        Assert.False(CellMoments.Fits(randn(1, 4, 8, 8).requires_grad_(), 2, 2));
        Assert.False(CellMoments.Fits(randn(1, 4, 8, 8).to(ScalarType.Float64), 2, 2));
        Assert.Contains("3 x 2", Assert.Throws<ArgumentException>(() => CellMoments.Of(randn(1, 4, 8, 8), 3, 2)).Message, StringComparison.Ordinal);
    }
}
