// The flat optimiser against TorchSharp's, and the shape of the schedule.
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning.Tests;

public sealed class OptimiserTests
{
    [Fact]
    public void Flat_AdamW_takes_the_steps_of_the_librarys_AdamW()
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        var (ours, theirs) = (nn.Linear(6, 4, hasBias: false), nn.Linear(6, 4, hasBias: false));
        using (no_grad()) theirs.weight!.copy_(ours.weight!);
        using var flat = new FlatParameters(ours.parameters());
        using var optimiser = new AdamW(flat, weightDecay: 0.1);
        var reference = optim.AdamW(theirs.parameters(), lr: 0.01, weight_decay: 0.1);
        var input = randn(16, 6);

        for (var step = 1; step <= 20; step++)
        {
            flat.Gradients.zero_();
            ours.forward(input).pow(3).mean().backward();
            optimiser.Step(step, 0.01);
            reference.zero_grad();
            theirs.forward(input).pow(3).mean().backward();
            reference.step();
        }

        Assert.True((ours.weight! - theirs.weight!).abs().max().item<float>() < 1e-6f); // float32 rounding over 20 steps
    }

    [Fact]
    public void Vectors_do_not_decay()
    {
        using var scope = NewDisposeScope();
        var layer = nn.Linear(3, 2);
        using var flat = new FlatParameters(layer.parameters());

        Assert.Equal(6, flat.Decayed.sum().item<float>());
    }

    [Fact]
    public void Learning_rate_rises_then_falls_to_a_thousandth()
    {
        var rates = Enumerable.Range(1, 200).Select(step => LearningRate.At(step, 200, peak: 1, warmup: 0.1)).ToList();

        Assert.Equal(0.05, rates[0], 1e-9);
        Assert.Equal(1, rates[19], 1e-9);
        Assert.Equal(rates.Skip(19), rates.Skip(19).OrderDescending());
        Assert.Equal(1e-3, rates[^1], 1e-9);
    }
}
