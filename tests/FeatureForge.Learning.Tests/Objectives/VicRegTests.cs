// VICReg against plain loops and an independent script.
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning.Tests;

public sealed class VicRegTests
{
    private static double Reference(double[][][] views, int globals, VicRegSpec spec)
    {
        var (items, width) = (views[0].Length, views[0][0].Length);
        var distances = new List<double>();
        for (var a = 0; a < globals; a++)
            for (var b = a + 1; b < views.Length; b++)
                distances.Add(Enumerable.Range(0, items).Average(n => Enumerable.Range(0, width).Average(p => Math.Pow(views[a][n][p] - views[b][n][p], 2))));
        double shortfall = 0, correlation = 0;
        foreach (var view in views)
        {
            double Covariance(int i, int j)
            {
                var (first, second) = (view.Average(row => row[i]), view.Average(row => row[j]));
                return view.Sum(row => (row[i] - first) * (row[j] - second)) / (items - 1);
            }
            shortfall += Enumerable.Range(0, width).Average(p => Math.Max(0, 1 - Math.Sqrt(Covariance(p, p) + 1e-4))) / views.Length;
            for (var i = 0; i < width; i++)
                for (var j = 0; j < width; j++)
                    if (i != j) correlation += Math.Pow(Covariance(i, j), 2) / width / views.Length;
        }
        return spec.Invariance * distances.Average() + spec.Variance * shortfall + spec.Covariance * correlation;
    }

    private static double Loss(Tensor views, int globals = 2, VicRegSpec? spec = null) => VicReg.Combine(views, globals, spec ?? new()).item<float>();

    [Theory]
    [InlineData(2, 0.3)]
    [InlineData(1, 1.1)]
    public void Equals_the_papers_formula_computed_in_plain_loops(int globals, double phase)
    {
        using var scope = NewDisposeScope();
        var views = Waves.Views(phase, 3, 6, 4);

        Assert.Equal(Reference(views, globals, new() { Covariance = 2 }), Loss(Waves.Of(views), globals, new() { Covariance = 2 }), 1e-3); // a value of 40 in float32
    }

    [Fact]
    public void Equals_what_an_independent_script_computed()
    {
        using var scope = NewDisposeScope();

        Assert.Equal(Waves.Golden("vicreg"), Loss(Waves.Tensor(0.3, 3, 6, 4)), 1e-3);
    }

    [Fact]
    public void Is_zero_for_equal_views_whose_dimensions_are_wide_and_uncorrelated()
    {
        using var scope = NewDisposeScope();
        var corners = Waves.Of([2, 2, 2, -2, -2, 2, -2, -2], 4, 2);

        Assert.Equal(0, Loss(stack([corners, corners])), 1e-6);
    }

    [Fact]
    public void Does_not_depend_on_the_order_of_views_or_on_a_shift_of_all()
    {
        using var scope = NewDisposeScope();
        var views = Waves.Tensor(0.3, 2, 6, 4);

        Assert.Equal(Loss(views), Loss(views.flip(0)), 1e-4);
        Assert.Equal(Loss(views), Loss(views + 5), 1e-3);
    }

    [Fact]
    public void Equal_vectors_cost_the_weight_of_the_variance()
    {
        using var scope = NewDisposeScope();

        Assert.Equal(25 * (1 - 0.01), Loss(ones(2, 6, 4)), 1e-4); // sqrt(1e-4) = 0.01
    }

    [Fact]
    public void Refuses_weights_that_end_in_collapse() => Assert.Single(new VicRegSpec { Variance = 0 }.Problems());
}
