// SIGReg against plain loops and an independent script, and what the paper and its users say must hold of it.
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning.Tests;

public sealed class SigRegTests
{
    private static double Reference(double[][][] views, int globals, double[][] lines, double lambda, double batch)
    {
        var (items, width) = (views[0].Length, views[0][0].Length);
        double prediction = 0, statistic = 0;
        foreach (var view in views)
        {
            for (var n = 0; n < items; n++)
                for (var p = 0; p < width; p++)
                {
                    var mean = views.Take(globals).Average(global => global[n][p]);
                    prediction += (view[n][p] - mean) * (view[n][p] - mean) / (views.Length * items * width);
                }
            foreach (var line in lines)
                for (var knot = 0; knot <= 16; knot++)
                {
                    var t = knot * 3.0 / 16;
                    var real = view.Average(row => Math.Cos(t * Waves.Dot(row, line))) - Math.Exp(-t * t / 2);
                    var imaginary = view.Average(row => Math.Sin(t * Waves.Dot(row, line)));
                    var share = knot is 0 or 16 ? 0.5 : 1;
                    statistic += 2 * share * 3 / 16 * (real * real + imaginary * imaginary) * Math.Exp(-t * t / 2) / (views.Length * lines.Length);
                }
        }
        return (1 - lambda) * prediction + lambda * batch * statistic;
    }

    private static double Statistic(Tensor views, Tensor lines) => SigReg.Statistic(views, lines).item<float>();

    private static Tensor Lines(int count, long width) => Slices.Draw(count, width, new StepRandom(1, 0, DrawPurpose.Objective), CPU);

    [Theory]
    [InlineData(0.3, 0.05, 256)]
    [InlineData(1.1, 0.5, 16)]
    public void Equals_the_papers_formula_computed_in_plain_loops(double phase, double lambda, double batch)
    {
        using var scope = NewDisposeScope();
        var (views, lines) = (Waves.Views(phase, 3, 6, 4), Waves.Rows(5, 7, 4).Select(Waves.Unit).ToArray());

        var loss = SigReg.Combine(Waves.Of(views), 2, Waves.Of(lines), lambda, batch).item<float>();

        Assert.Equal(Reference(views, 2, lines, lambda, batch), loss, 1e-4); // float32 against float64
    }

    [Fact]
    public void Equals_what_an_independent_script_computed()
    {
        using var scope = NewDisposeScope();
        var lines = nn.functional.normalize(Waves.Tensor(5, 7, 4), p: 2, dim: -1);

        Assert.Equal(Waves.Golden("sigreg"), SigReg.Combine(Waves.Tensor(0.3, 3, 6, 4), 2, lines, 0.05, 256).item<float>(), 1e-4);
    }

    [Fact]
    public void Is_nearly_zero_for_a_standard_normal_distribution_alone()
    {
        using var scope = NewDisposeScope();
        var (normal, lines) = (Waves.Normal(1, 1, 2048, 8), Lines(64, 8));

        // The expectation at 2,048 normal draws is about 0.001.
        Assert.InRange(Statistic(normal, lines), 0, 0.003);
        Assert.True(Statistic(normal * 2, lines) > 0.05);
        Assert.True(Statistic(normal + 1, lines) > 0.05);
        Assert.True(Statistic(nn.functional.normalize(normal, p: 2, dim: -1), lines) > 0.05);
    }

    [Fact]
    public void Is_taken_per_view_and_not_of_all_views_pooled()
    {
        using var scope = NewDisposeScope();
        var (half, lines) = (Waves.Normal(2, 1, 512, 4) * 0.5, Lines(32, 4));
        var apart = cat([half - 0.8, half + 0.8], 0); // together they look more normal than each does alone

        Assert.True(Statistic(apart, lines) > 1.5 * Statistic(apart.view(1, 1024, 4), lines));
    }

    [Fact]
    public void A_batch_twice_as_large_of_the_same_items_costs_the_same()
    {
        using var scope = NewDisposeScope();
        var (views, lines) = (Waves.Tensor(0.3, 3, 6, 4), Lines(16, 4));
        double Cost(Tensor of) => SigReg.Combine(of, 2, lines, 0.05, 256).item<float>();

        Assert.Equal(Cost(views), Cost(cat([views, views], 1)), 1e-4);
    }

    [Fact]
    public void Does_not_depend_on_the_order_of_global_views_or_items()
    {
        using var scope = NewDisposeScope();
        var (views, lines) = (Waves.Tensor(0.3, 3, 6, 4), Lines(16, 4));
        double Cost(Tensor of) => SigReg.Combine(of, 2, lines, 0.05, 256).item<float>();

        Assert.Equal(Cost(views), Cost(stack([views[1], views[0], views[2]])), 1e-4);
        Assert.Equal(Cost(views), Cost(views.flip(1)), 1e-4);
        Assert.NotEqual(Cost(views), Cost(stack([views[2], views[1], views[0]])), 1e-3); // a local view for a global one
    }

    [Fact]
    public void Local_views_count_in_both_terms()
    {
        using var scope = NewDisposeScope();
        var (views, lines) = (Waves.Tensor(0.3, 3, 6, 4), Lines(16, 4));
        var moved = cat([views.narrow(0, 0, 2), views.narrow(0, 2, 1) + 1], 0);

        Assert.NotEqual(GlobalMean.Distance(views, 2).item<float>(), GlobalMean.Distance(moved, 2).item<float>(), 1e-3);
        Assert.NotEqual(Statistic(views, lines), Statistic(moved, lines), 1e-3);
    }

    [Fact]
    public void The_gradient_vanishes_at_full_collapse()
    {
        using var scope = NewDisposeScope();
        var (spread, lines) = (Waves.Normal(3, 1, 64, 4), Lines(16, 4));
        double Length(double scale) => Waves.Gradient(spread * scale, z => SigReg.Statistic(z, lines)).Length;

        Assert.True(Length(1e-3) < 0.01 * Length(0.5));
    }

    [Fact]
    public void Directions_are_a_function_of_seed_and_step_and_have_unit_length()
    {
        using var scope = NewDisposeScope();
        Tensor Draw(long step) => Slices.Draw(9, 5, new StepRandom(7, step, DrawPurpose.Objective), CPU);

        Assert.Equal(0f, (Draw(1) - Draw(1)).abs().max().item<float>());
        Assert.NotEqual(0f, (Draw(1) - Draw(2)).abs().max().item<float>());
        Assert.Equal(0f, (Draw(1).norm(1) - 1).abs().max().item<float>(), 1e-5f);
    }
}
