// BYOL against plain loops and an independent script; the teacher stands still.
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning.Tests;

public sealed class ByolTests
{
    private static double Reference(double[][][] predicted, double[][][] target)
    {
        var losses = new List<double>();
        for (var v = 0; v < predicted.Length; v++)
            for (var g = 0; g < target.Length; g++)
                if (v != g) losses.AddRange(predicted[v].Zip(target[g], (a, b) => 2 - 2 * Waves.Dot(Waves.Unit(a), Waves.Unit(b))));
        return losses.Average();
    }

    private static double Loss(Tensor predicted, Tensor target) => Byol.Distance(predicted, target).item<float>();

    [Theory]
    [InlineData(2, 2)]
    [InlineData(2, 5)]
    [InlineData(1, 3)]
    public void Equals_the_papers_formula_computed_in_plain_loops(int globals, int views)
    {
        using var scope = NewDisposeScope();
        var (predicted, target) = (Waves.Views(0.3, views, 6, 4), Waves.Views(2, globals, 6, 4));

        Assert.Equal(Reference(predicted, target), Loss(Waves.Of(predicted), Waves.Of(target)), 1e-5); // float32 against float64
    }

    [Fact]
    public void Equals_what_an_independent_script_computed()
    {
        using var scope = NewDisposeScope();

        Assert.Equal(Waves.Golden("byol"), Loss(Waves.Tensor(0.3, 3, 6, 4), Waves.Tensor(2, 2, 6, 4)), 1e-5);
    }

    [Fact]
    public void Is_zero_when_each_view_predicts_the_other_whatever_the_length_and_four_when_it_predicts_the_opposite()
    {
        using var scope = NewDisposeScope();
        var target = Waves.Tensor(2, 2, 6, 4);

        Assert.Equal(0, Loss(target.flip(0) * 3, target), 1e-5);
        Assert.Equal(4, Loss(-target.flip(0), target), 1e-5);
        Assert.True(Loss(target, target) > 0.1); // a view is not compared with the teacher's same view
    }

    [Fact]
    public void No_gradient_reaches_the_teacher()
    {
        using var scope = NewDisposeScope();
        var target = Waves.Tensor(2, 2, 6, 4).requires_grad_(true);
        var predicted = Waves.Tensor(0.3, 2, 6, 4).requires_grad_(true);

        Byol.Distance(predicted, target).backward();

        Assert.True(target.grad is null || target.grad.abs().max().item<float>() == 0);
        Assert.True(predicted.grad!.abs().max().item<float>() > 0);
    }

    [Fact]
    public void The_targets_come_from_the_projector_and_not_from_the_predictor()
    {
        using var scope = NewDisposeScope();
        var objective = new ByolSpec { Projector = new() { Hidden = 8, Width = 5 } }.Build(new(4, 4, 1, 0));
        var features = Waves.Tensor(0.3, 2, 6, 4);

        var before = objective.Target(features)!.detach();
        using (no_grad()) foreach (var (name, parameter) in objective.named_parameters()) if (name.StartsWith("predictor", StringComparison.Ordinal)) parameter.fill_(1);

        Assert.Equal([2, 6, 5], before.shape);
        Assert.Equal(0f, (before - objective.Target(features)!).abs().max().item<float>());
    }

    [Fact]
    public void Says_so_when_there_is_no_teacher()
    {
        using var scope = NewDisposeScope();
        var objective = new ByolSpec().Build(new(4, 4, 1, 0));

        Assert.True(objective.NeedsTeacher);
        Assert.Contains("teacher", Assert.Throws<ArgumentException>(() => objective.Loss(ObjectiveInputs.Of(Waves.Tensor(0.3, 2, 6, 4)))).Message);
    }
}
