// SwAV and Sinkhorn's codes against plain loops and an independent script.
using FeatureForge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning.Tests;

public sealed class SwavTests
{
    private static double[][] Codes(double[][] scores, double sharpness, int iterations)
    {
        var (items, prototypes) = (scores.Length, scores[0].Length);
        var code = scores.Select(row => row.Select(score => Math.Exp(score / sharpness)).ToArray()).ToArray();
        for (var i = 0; i < iterations; i++)
        {
            for (var k = 0; k < prototypes; k++)
            {
                var sum = code.Sum(row => row[k]);
                foreach (var row in code) row[k] *= items / (prototypes * sum);
            }
            foreach (var row in code)
            {
                var sum = row.Sum();
                for (var k = 0; k < prototypes; k++) row[k] /= sum;
            }
        }
        return code;
    }

    private static double Reference(double[][][] scores, int globals, SwavSpec spec)
    {
        var losses = new List<double>();
        for (var g = 0; g < globals; g++)
        {
            var codes = Codes(scores[g], spec.Sharpness, spec.Iterations);
            for (var v = 0; v < scores.Length; v++)
            {
                if (v == g) continue;
                for (var n = 0; n < codes.Length; n++)
                {
                    var whole = Math.Log(scores[v][n].Sum(score => Math.Exp(score / spec.Temperature)));
                    losses.Add(-codes[n].Select((share, k) => share * (scores[v][n][k] / spec.Temperature - whole)).Sum());
                }
            }
        }
        return losses.Average();
    }

    [Theory]
    [InlineData(0.3, 2, 3)]
    [InlineData(1.1, 1, 1)]
    public void Equals_the_papers_formula_computed_in_plain_loops(double phase, int globals, int iterations)
    {
        using var scope = NewDisposeScope();
        var (scores, spec) = (Waves.Views(phase, 4, 6, 5), new SwavSpec { Iterations = iterations, Sharpness = 0.3 });

        Assert.Equal(Reference(scores, globals, spec), Swav.Swapped(Waves.Of(scores), globals, spec).item<float>(), 1e-3); // a value of 10 in float32
    }

    [Fact]
    public void Equals_what_an_independent_script_computed()
    {
        using var scope = NewDisposeScope();

        Assert.Equal(Waves.Golden("swav"), Swav.Swapped(Waves.Tensor(0.3, 3, 6, 4) / 2, 2, new()).item<float>(), 1e-3);
    }

    [Fact]
    public void Codes_share_the_batch_evenly_among_prototypes()
    {
        using var scope = NewDisposeScope();
        var codes = Sinkhorn.Codes(Waves.Tensor(0.3, 12, 4) / 2 + Waves.Of([1, 0, 0, 0], 4), 0.5, 20);

        Assert.All(HostCopies.ToArray<float>(codes.sum(1L)), sum => Assert.Equal(1f, sum, 1e-5f));
        Assert.All(HostCopies.ToArray<float>(codes.sum(0L)), sum => Assert.Equal(3f, sum, 1e-3f));
    }

    [Fact]
    public void Codes_stay_finite_when_nobody_is_near_a_prototype()
    {
        using var scope = NewDisposeScope();
        var scores = zeros(6, 3);
        scores[TensorIndex.Colon, 0] = -1e4f;

        Assert.True(Sinkhorn.Codes(scores, 0.05, 3).isfinite().all().item<bool>());
    }

    [Fact]
    public void Views_that_agree_cost_less_than_views_of_different_items()
    {
        using var scope = NewDisposeScope();
        var view = Waves.Tensor(0.3, 1, 12, 4);
        double Loss(Tensor other) => Swav.Swapped(cat([view, other], 0), 2, new() { Sharpness = 0.3 }).item<float>();

        Assert.True(Loss(view) < Loss(view.roll(1, 1)) - 0.5);
    }

    [Fact]
    public void Does_not_depend_on_the_order_of_global_views_and_equal_scores_cost_the_logarithm_of_the_prototypes()
    {
        using var scope = NewDisposeScope();
        var scores = Waves.Tensor(0.3, 2, 12, 4);
        double Loss(Tensor of) => Swav.Swapped(of, 2, new() { Sharpness = 0.3 }).item<float>();

        Assert.Equal(Loss(scores), Loss(scores.flip(0)), 1e-4);
        Assert.Equal(Math.Log(4), Loss(zeros(2, 12, 4)), 1e-5);
    }

    [Fact]
    public void No_gradient_flows_through_codes()
    {
        using var scope = NewDisposeScope();

        Assert.False(Sinkhorn.Codes(Waves.Tensor(0.3, 6, 4).requires_grad_(true), 0.05, 3).requires_grad);
    }
}
