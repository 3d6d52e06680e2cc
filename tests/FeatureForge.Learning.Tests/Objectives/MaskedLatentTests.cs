// Masked latent prediction: its target against plain loops and an independent script; padding and teacher.
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning.Tests;

public sealed class MaskedLatentTests
{
    private static double[][][] Target(double[][][][] layers)
    {
        var target = layers[0].Select(item => item.Select(cell => new double[cell.Length]).ToArray()).ToArray();
        foreach (var layer in layers)
            for (var n = 0; n < layer.Length; n++)
                for (var d = 0; d < layer[n][0].Length; d++)
                {
                    var mean = layer[n].Average(cell => cell[d]);
                    var deviation = Math.Sqrt(layer[n].Average(cell => Math.Pow(cell[d] - mean, 2)) + 1e-5);
                    for (var t = 0; t < layer[n].Length; t++) target[n][t][d] += (layer[n][t][d] - mean) / deviation / layers.Length;
                }
        return target;
    }

    private static float Difference(Tensor a, Tensor b) => (a - b).abs().max().item<float>();

    [Fact]
    public void The_target_equals_the_papers_formula_computed_in_plain_loops()
    {
        using var scope = NewDisposeScope();
        double[][][][] layers = [Waves.Views(0.3, 2, 5, 3), Waves.Views(2.2, 2, 5, 3), Waves.Views(4.1, 2, 5, 3)];

        var target = MaskedLatent.Target([.. layers.Select(Waves.Of)], null, 3);

        Assert.Equal(0f, Difference(target, Waves.Of(Target(layers))), 1e-4f); // float32 against float64
    }

    [Fact]
    public void Equals_what_an_independent_script_computed()
    {
        using var scope = NewDisposeScope();
        var target = MaskedLatent.Target([Waves.Tensor(0.5, 2, 5, 3), Waves.Tensor(4, 2, 5, 3)], null, 2);
        var hidden = (arange(10).view(2, 5) % 3) == 0;

        Assert.Equal(Waves.Golden("masked-latent"), HiddenCells.Mean((Waves.Tensor(1, 2, 5, 3) - target).pow(2).mean([-1]), hidden).item<float>(), 1e-4);
    }

    [Fact]
    public void Only_the_last_layers_of_the_deepest_width_are_averaged()
    {
        using var scope = NewDisposeScope();
        var (wide, first, second) = (Waves.Tensor(0.1, 2, 5, 7), Waves.Tensor(0.5, 2, 5, 3), Waves.Tensor(4, 2, 5, 3));
        var both = MaskedLatent.Target([first, second], null, 6);

        Assert.Equal(0f, Difference(both, MaskedLatent.Target([wide, first, second], null, 6)));
        Assert.Equal(0f, Difference(MaskedLatent.Target([second], null, 6), MaskedLatent.Target([first, second], null, 1)));
        Assert.NotEqual(0f, Difference(both, MaskedLatent.Target([second], null, 6)), 1e-3f);
    }

    [Fact]
    public void Scale_and_shift_of_a_channel_do_not_reach_the_target()
    {
        using var scope = NewDisposeScope();
        var layer = Waves.Tensor(0.5, 2, 5, 3);

        Assert.Equal(0f, Difference(MaskedLatent.Target([layer], null, 1), MaskedLatent.Target([layer * Waves.Of([2, 3, 4], 3) + 9], null, 1)), 1e-3f);
    }

    [Fact]
    public void Padding_changes_nothing_for_the_other_cells()
    {
        using var scope = NewDisposeScope();
        var layer = Waves.Tensor(0.5, 1, 4, 3);
        var padded = cat([layer, full(1, 2, 3, 100)], 1);

        var target = MaskedLatent.Target([padded], tensor(new long[] { 7, 8, 9, 5, 0, 0 }).view(1, 6), 1);

        Assert.Equal(0f, Difference(MaskedLatent.Target([layer], null, 1), target.narrow(1, 0, 4)), 1e-4f);
    }

    [Fact]
    public void No_gradient_reaches_the_teacher_and_visible_cells_do_not_count()
    {
        using var scope = NewDisposeScope();
        var objective = new MaskedLatentSpec().Build(new(6, 3, 1, 0));
        var (cells, layer) = (Waves.Tensor(1, 2, 5, 3).requires_grad_(true), Waves.Tensor(4, 2, 5, 3).requires_grad_(true));
        var hidden = (arange(10).view(2, 5) % 3) == 0;

        objective.Loss(ObjectiveInputs.Of(Waves.Tensor(0, 2, 2, 6)) with { Masked = new() { Cells = cells, Hidden = hidden, Patches = zeros(2, 5, 1), TeacherLayers = [layer] } }).backward();

        Assert.True(layer.grad is null);
        var pull = cells.grad!.abs().sum(-1L);
        Assert.Equal(0f, pull.masked_select(hidden.logical_not()).max().item<float>());
        Assert.True(pull.masked_select(hidden).min().item<float>() > 0);
    }
}
