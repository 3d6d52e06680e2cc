// VISReg against plain loops and an independent script; its way out of collapse.
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning.Tests;

public sealed class VisRegTests
{
    private static readonly VisRegSpec _weighted = new() { Scale = 1, Shape = 2, Centre = 3 };

    private static double Reference(double[][][] views, double[][] lines, VisRegSpec spec)
    {
        var total = 0.0;
        foreach (var view in views)
        {
            var (items, width) = (view.Length, view[0].Length);
            var mean = Enumerable.Range(0, width).Select(p => view.Average(row => row[p])).ToArray();
            var deviation = Enumerable.Range(0, width).Select(p => Math.Sqrt(view.Sum(row => Math.Pow(row[p] - mean[p], 2)) / (items - 1))).ToArray();
            total += spec.Scale * deviation.Average(sigma => (1 - sigma) * (1 - sigma)) + spec.Centre * mean.Average(mu => mu * mu);
            foreach (var line in lines)
            {
                var sorted = view.Select(row => Enumerable.Range(0, width).Sum(p => line[p] * (row[p] - mean[p]) / deviation[p])).Order().ToArray();
                total += spec.Shape * Enumerable.Range(0, items).Average(i => Math.Pow(sorted[i] - Quantile((i + 1.0) / (items + 1)), 2)) / lines.Length;
            }
        }
        return total / views.Length;
    }

    /// <summary>The normal quantile by bisection on the integral of the density.</summary>
    private static double Quantile(double share)
    {
        double Below(double x)
        {
            const int Steps = 4000;
            return 0.5 + Enumerable.Range(0, Steps).Sum(i => Math.Exp(-Math.Pow((i + 0.5) * x / Steps, 2) / 2)) * x / Steps / Math.Sqrt(2 * Math.PI);
        }
        double low = -6, high = 6;
        while (high - low > 1e-9)
        {
            if (Below((low + high) / 2) < share) low = (low + high) / 2;
            else high = (low + high) / 2;
        }
        return low;
    }

    private static Tensor Lines(int count, long width) => Slices.Draw(count, width, new StepRandom(1, 0, DrawPurpose.Objective), CPU);

    [Fact]
    public void Equals_the_papers_formula_computed_in_plain_loops()
    {
        using var scope = NewDisposeScope();
        var (views, lines) = (Waves.Views(1.1, 3, 6, 4), Waves.Rows(5, 7, 4).Select(Waves.Unit).ToArray());

        Assert.Equal(Reference(views, lines, _weighted), VisReg.Regularity(Waves.Of(views), Waves.Of(lines), _weighted).item<float>(), 1e-4); // float32 against float64
    }

    [Fact]
    public void Equals_what_an_independent_script_computed()
    {
        using var scope = NewDisposeScope();
        var (views, lines) = (Waves.Tensor(0.3, 3, 6, 4), nn.functional.normalize(Waves.Tensor(5, 7, 4), p: 2, dim: -1));

        var loss = GlobalMean.Distance(views, 2) * 0.7 + VisReg.Regularity(views, lines, _weighted) * 0.3;

        Assert.Equal(Waves.Golden("visreg"), loss.item<float>(), 1e-4);
    }

    [Fact]
    public void Quantiles_are_symmetric_and_those_of_the_normal_distribution()
    {
        using var scope = NewDisposeScope();
        var quantiles = VisReg.NormalQuantiles(3, CPU);

        Assert.Equal(-0.67449f, quantiles[0].item<float>(), 1e-4f);
        Assert.Equal(0f, quantiles[1].item<float>(), 1e-6f);
        Assert.Equal(0.67449f, quantiles[2].item<float>(), 1e-4f);
    }

    [Fact]
    public void Is_nearly_zero_for_a_standard_normal_distribution_alone()
    {
        using var scope = NewDisposeScope();
        var (normal, lines) = (Waves.Normal(1, 1, 2048, 2), Lines(64, 2));
        double Cost(Tensor of) => VisReg.Regularity(of, lines, new()).item<float>();

        Assert.InRange(Cost(normal), 0, 0.01);
        Assert.True(Cost(normal * 2) > 0.5);
        Assert.True(Cost(normal + 1) > 0.5);
        Assert.True(Cost(normal.sign()) > 0.05); // right mean and deviation, wrong shape
    }

    [Fact]
    public void The_gradient_of_the_scale_stays_the_same_however_near_to_collapse()
    {
        using var scope = NewDisposeScope();
        var (spread, lines) = (Waves.Normal(3, 1, 64, 4), Lines(16, 4));
        double Length(double scale) => Waves.Gradient(spread * scale, z => VisReg.Regularity(z, lines, new() { Shape = 0, Centre = 0 })).Length;

        Assert.Equal(1, Length(1e-3) / Length(1e-2), 0.02);
        Assert.True(Length(1e-3) > Length(0.5));
    }

    [Fact]
    public void Descent_leads_out_of_collapse()
    {
        using var scope = NewDisposeScope();
        var (vectors, lines) = (Waves.Normal(3, 1, 64, 4) * 1e-3, Lines(16, 4));
        for (var step = 0; step < 100; step++) vectors = vectors - 20 * Waves.Gradient(vectors, z => VisReg.Regularity(z, lines, new() { Shape = 0 })).Gradient;

        Assert.Equal(1f, vectors.std(1).mean().item<float>(), 0.1f);
    }

    [Fact]
    public void The_shape_does_not_see_the_scale_but_no_gradient_flows_through_the_deviation()
    {
        using var scope = NewDisposeScope();
        var (views, lines) = (Waves.Tensor(0.3, 1, 12, 4), Lines(16, 4));
        Tensor Shape(Tensor of) => VisReg.Regularity(of, lines, new() { Scale = 0, Centre = 0 });

        Assert.Equal(Shape(views).item<float>(), Shape(views * 3).item<float>(), 1e-4f);
        // With a gradient through the deviation, a function that does not see the scale would have none along its argument.
        var along = (Waves.Gradient(views, Shape).Gradient * views).sum().item<float>();
        Assert.True(Math.Abs(along) > 1e-3);
    }

    [Fact]
    public void Is_taken_per_view_and_does_not_depend_on_the_order_of_items()
    {
        using var scope = NewDisposeScope();
        var (half, lines) = (Waves.Normal(2, 1, 512, 4) * 0.5, Lines(32, 4));
        var apart = cat([half - 0.8, half + 0.8], 0);
        double Cost(Tensor of) => VisReg.Regularity(of, lines, new()).item<float>();

        Assert.True(Cost(apart) > 1.5 * Cost(apart.view(1, 1024, 4)));
        Assert.Equal(Cost(apart), Cost(apart.flip(1)), 1e-4);
    }
}
