// SimDINO against plain loops and an independent script; the teacher stands still; the two terms stay in balance.
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning.Tests;

public sealed class SimDinoTests
{
    private static double Reference(double[][][] student, double[][][] teacher, SimDinoSpec spec)
    {
        var distances = new List<double>();
        for (var v = 0; v < student.Length; v++)
            for (var g = 0; g < teacher.Length; g++)
                if (v != g) distances.AddRange(student[v].Zip(teacher[g], (a, b) => Waves.Unit(a).Zip(Waves.Unit(b), (x, y) => (x - y) * (x - y) / 2).Sum()));
        var (items, width) = ((double)student[0].Length, (double)student[0][0].Length);
        var gamma = spec.Coefficient * spec.Precision * Math.Sqrt(items / (width * Math.Min(items, width)));
        return distances.Average() - gamma * student.Take(teacher.Length).Average(view => TotalCodingRateTests.Rate([.. view.Select(Waves.Unit)], spec.Precision * spec.Precision));
    }

    [Theory]
    [InlineData(2, 2, 0.05)]
    [InlineData(2, 5, 0.5)]
    public void Equals_the_papers_formula_computed_in_plain_loops(int globals, int views, double precision)
    {
        using var scope = NewDisposeScope();
        var (student, teacher, spec) = (Waves.Views(0.3, views, 6, 4), Waves.Views(2, globals, 6, 4), new SimDinoSpec { Precision = precision, Coefficient = 2 });

        Assert.Equal(Reference(student, teacher, spec), SimDino.Combine(Waves.Of(student), Waves.Of(teacher), spec).item<float>(), 1e-4); // float32 against float64
    }

    [Fact]
    public void Equals_what_an_independent_script_computed()
    {
        using var scope = NewDisposeScope();

        Assert.Equal(Waves.Golden("simdino"), SimDino.Combine(Waves.Tensor(0.3, 3, 6, 4), Waves.Tensor(2, 2, 6, 4), new()).item<float>(), 1e-4);
    }

    [Fact]
    public void No_gradient_reaches_the_teacher()
    {
        using var scope = NewDisposeScope();
        var target = Waves.Tensor(2, 2, 6, 4).requires_grad_(true);
        var student = Waves.Tensor(0.3, 2, 6, 4).requires_grad_(true);

        SimDino.Combine(student, target, new()).backward();

        Assert.True(target.grad is null || target.grad.abs().max().item<float>() == 0);
        Assert.True(student.grad!.abs().max().item<float>() > 0);
    }

    [Theory]
    [InlineData(64, 8)]
    [InlineData(256, 8)]
    [InlineData(256, 32)]
    public void The_gradient_of_the_weighted_rate_stays_within_its_bound_for_any_batch_and_width(long items, long width)
    {
        using var scope = NewDisposeScope();
        var (rows, spec) = (nn.functional.normalize(Waves.Normal(1, items, width), p: 2, dim: -1), new SimDinoSpec());

        var length = Waves.Gradient(rows, z => CodingRate.Of(z, spec.Precision * spec.Precision) * SimDino.Balance(items, width, spec)).Length;

        // 1/2 sqrt(width min(width, items) / items) / precision bounds the gradient of the rate.
        Assert.InRange(length, 0.005, 0.5);
    }

    [Fact]
    public void Spread_vectors_cost_less_than_equal_ones_that_agree_as_well()
    {
        using var scope = NewDisposeScope();
        var spread = Waves.Normal(1, 2, 32, 4);
        spread = cat([spread.narrow(0, 0, 1), spread.narrow(0, 0, 1)], 0);
        double Loss(Tensor of) => SimDino.Combine(of, of, new()).item<float>();

        Assert.True(Loss(spread) < Loss(ones(2, 32, 4)) - 0.1);
    }
}
