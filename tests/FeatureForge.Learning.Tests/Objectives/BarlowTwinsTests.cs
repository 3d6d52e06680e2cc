// Barlow Twins against plain loops and an independent script.
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning.Tests;

public sealed class BarlowTwinsTests
{
    private static double Reference(double[][] first, double[][] second, double lambda)
    {
        var (items, width) = (first.Length, first[0].Length);
        double Correlation(int i, int j)
        {
            var (a, b) = (first.Average(row => row[i]), second.Average(row => row[j]));
            var product = Enumerable.Range(0, items).Sum(n => (first[n][i] - a) * (second[n][j] - b));
            return product / Math.Sqrt(first.Sum(row => Math.Pow(row[i] - a, 2)) * second.Sum(row => Math.Pow(row[j] - b, 2)));
        }
        var total = 0.0;
        for (var i = 0; i < width; i++)
            for (var j = 0; j < width; j++)
                total += i == j ? Math.Pow(1 - Correlation(i, i), 2) : lambda * Math.Pow(Correlation(i, j), 2);
        return total;
    }

    private static double Loss(Tensor first, Tensor second, double lambda = 5e-3) => BarlowTwins.Pair(first, second, lambda).item<float>();

    [Theory]
    [InlineData(0.3, 5e-3)]
    [InlineData(1.1, 1)]
    public void Equals_the_papers_formula_computed_in_plain_loops(double phase, double lambda)
    {
        using var scope = NewDisposeScope();
        var views = Waves.Views(phase, 2, 6, 4);

        Assert.Equal(Reference(views[0], views[1], lambda), Loss(Waves.Of(views[0]), Waves.Of(views[1]), lambda), 1e-4); // float32 against float64
    }

    [Fact]
    public void Equals_what_an_independent_script_computed()
    {
        using var scope = NewDisposeScope();
        var views = Waves.Tensor(0.3, 3, 6, 4);

        Assert.Equal(Waves.Golden("barlow-twins"), Loss(views[0], views[1]), 1e-4);
    }

    [Fact]
    public void Is_zero_for_equal_views_of_uncorrelated_dimensions()
    {
        using var scope = NewDisposeScope();
        var corners = Waves.Of([1, 1, 1, -1, -1, 1, -1, -1], 4, 2);

        Assert.Equal(0, Loss(corners, corners), 1e-6);
    }

    [Fact]
    public void Does_not_depend_on_scale_and_shift_of_a_dimension_or_on_the_order_of_views()
    {
        using var scope = NewDisposeScope();
        var views = Waves.Tensor(0.3, 2, 6, 4);

        Assert.Equal(Loss(views[0], views[1]), Loss(views[0] * Waves.Of([1, 2, 3, 4], 4) + 7, views[1]), 1e-4);
        Assert.Equal(Loss(views[0], views[1]), Loss(views[1], views[0]), 1e-4);
    }

    [Fact]
    public void Equal_vectors_cost_the_width_and_their_gradient_is_finite()
    {
        using var scope = NewDisposeScope();

        Assert.Equal(4, Loss(ones(6, 4), ones(6, 4)), 1e-4);
        Assert.True(double.IsFinite(Waves.Gradient(ones(6, 4), z => BarlowTwins.Pair(z, z, 5e-3)).Length));
    }
}
