// The masked autoencoder's error against plain loops and an independent script; only hidden cells count.
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning.Tests;

public sealed class MaskedAutoencoderTests
{
    private static readonly bool[] _everyThird = [.. Enumerable.Range(0, 10).Select(n => n % 3 == 0)];

    private static Tensor Hidden(bool[] which) => tensor(which).view(2, 5);

    private static double Reference(double[][] predicted, double[][] patches, bool[] hidden)
    {
        var errors = new List<double>();
        for (var row = 0; row < hidden.Length; row++)
        {
            if (!hidden[row]) continue;
            var mean = patches[row].Average();
            var deviation = Math.Sqrt(patches[row].Average(value => (value - mean) * (value - mean)) + 1e-6);
            errors.Add(predicted[row].Zip(patches[row], (guess, value) => Math.Pow(guess - (value - mean) / deviation, 2)).Average());
        }
        return errors.Average();
    }

    [Fact]
    public void Equals_the_papers_formula_computed_in_plain_loops()
    {
        using var scope = NewDisposeScope();
        var (predicted, patches) = (Waves.Rows(0.2, 10, 7), Waves.Rows(4.4, 10, 7));

        var loss = MaskedAutoencoder.Error(Waves.Of(predicted).view(2, 5, 7), Waves.Of(patches).view(2, 5, 7), Hidden(_everyThird));

        Assert.Equal(Reference(predicted, patches, _everyThird), loss.item<float>(), 1e-5); // float32 against float64
    }

    [Fact]
    public void Equals_what_an_independent_script_computed()
    {
        using var scope = NewDisposeScope();

        Assert.Equal(Waves.Golden("masked-autoencoder"), MaskedAutoencoder.Error(Waves.Tensor(1, 2, 5, 3), Waves.Tensor(4, 2, 5, 3), Hidden(_everyThird)).item<float>(), 1e-5);
    }

    [Fact]
    public void Only_hidden_cells_count_and_without_any_the_loss_is_zero()
    {
        using var scope = NewDisposeScope();
        var (predicted, patches, hidden) = (Waves.Tensor(1, 2, 5, 3), Waves.Tensor(4, 2, 5, 3), Hidden(_everyThird));

        var gradient = Waves.Gradient(predicted, guess => MaskedAutoencoder.Error(guess, patches, hidden)).Gradient.abs().sum(-1L);

        Assert.Equal(0f, gradient.masked_select(hidden.logical_not()).max().item<float>());
        Assert.True(gradient.masked_select(hidden).min().item<float>() > 0);
        Assert.Equal(0f, MaskedAutoencoder.Error(predicted, patches, zeros_like(hidden)).item<float>());
    }

    [Fact]
    public void Brightness_and_contrast_of_a_patch_do_not_matter_and_nothing_pulls_at_the_patches()
    {
        using var scope = NewDisposeScope();
        var (predicted, patches, hidden) = (Waves.Tensor(1, 2, 5, 3), Waves.Tensor(4, 2, 5, 3).requires_grad_(true), Hidden(_everyThird));

        var loss = MaskedAutoencoder.Error(predicted.requires_grad_(true), patches, hidden);
        loss.backward();

        Assert.Equal(loss.item<float>(), MaskedAutoencoder.Error(predicted, patches * 5 + 2, hidden).item<float>(), 1e-4f);
        Assert.True(patches.grad is null);
    }

    [Fact]
    public void A_flat_patch_is_predicted_as_zero()
    {
        using var scope = NewDisposeScope();

        Assert.Equal(0f, MaskedAutoencoder.Error(zeros(2, 5, 3), full(2, 5, 3, 200), Hidden(_everyThird)).item<float>());
    }
}
