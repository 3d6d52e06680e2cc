// Masked language modelling against plain loops and an independent script; which tokens count.
using FeatureForge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning.Tests;

public sealed class MaskedTokensTests
{
    private static readonly long[] _tokens = [2, 5, 1, 0];

    private static double Guess(Tensor scores, bool[] counted) => MaskedTokens.Guess(scores, tensor(_tokens), tensor(counted)).item<float>();

    [Fact]
    public void Equals_the_cross_entropy_computed_in_plain_loops()
    {
        using var scope = NewDisposeScope();
        var scores = Waves.Rows(1.7, 4, 6);
        var expected = new[] { 0, 1, 3 }.Average(row => Math.Log(scores[row].Sum(Math.Exp)) - scores[row][_tokens[row]]);

        Assert.Equal(expected, Guess(Waves.Of(scores), [true, true, false, true]), 1e-5); // float32 against float64
    }

    [Fact]
    public void Equals_what_an_independent_script_computed()
    {
        using var scope = NewDisposeScope();

        Assert.Equal(Waves.Golden("masked-tokens"), Guess(Waves.Tensor(3, 4, 6), [true, true, false, true]), 1e-5);
    }

    [Fact]
    public void Knowing_nothing_costs_the_logarithm_of_the_vocabulary()
    {
        using var scope = NewDisposeScope();

        Assert.Equal(Math.Log(6), Guess(zeros(4, 6), [true, true, true, true]), 1e-5);
    }

    [Fact]
    public void At_most_so_many_hidden_tokens_are_scored_and_the_same_ones_at_the_same_step()
    {
        using var scope = NewDisposeScope();
        var hidden = (arange(200).view(10, 20) % 4) == 0;
        (long[] Rows, bool[] Counted) Choose(long step, int most)
        {
            var (rows, counted) = MaskedTokens.Choose(hidden, most, new StepRandom(1, step, DrawPurpose.Objective));
            return (HostCopies.ToArray<long>(rows), [.. HostCopies.ToArray<float>(counted.to(ScalarType.Float32)).Select(value => value > 0)]);
        }

        var few = Choose(1, 20);
        Assert.Equal(20, few.Rows.Distinct().Count());
        Assert.All(few.Rows, row => Assert.Equal(0, row % 4));
        Assert.Equal(few.Rows, Choose(1, 20).Rows);
        Assert.NotEqual(few.Rows, Choose(2, 20).Rows);
        Assert.Equal(50, Choose(1, 200).Counted.Count(counted => counted));
    }

    [Fact]
    public void Visible_tokens_do_not_count()
    {
        using var scope = NewDisposeScope();
        var objective = new MaskedTokensSpec { Hidden = 8 }.Build(new(6, 3, 1, 9));
        var cells = Waves.Tensor(1, 2, 5, 3).requires_grad_(true);
        var hidden = (arange(10).view(2, 5) % 3) == 0;

        objective.Loss(ObjectiveInputs.Of(Waves.Tensor(0, 2, 2, 6)) with { Masked = new() { Cells = cells, Hidden = hidden, Patches = zeros(2, 5, 1), Tokens = arange(10).view(2, 5) % 9 } }).backward();

        var pull = cells.grad!.abs().sum(-1L);
        Assert.Equal(0f, pull.masked_select(hidden.logical_not()).max().item<float>());
        Assert.True(pull.masked_select(hidden).min().item<float>() > 0);
    }

    [Fact]
    public void An_encoder_without_a_vocabulary_is_refused() =>
        Assert.Contains("vocabulary", Assert.Throws<ArgumentException>(() => new MaskedTokensSpec().Build(new(6, 3, 1, 0))).Message);
}
