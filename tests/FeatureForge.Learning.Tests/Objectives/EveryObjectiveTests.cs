// What holds of every objective of the closed list, whatever its formula.
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning.Tests;

public sealed class EveryObjectiveTests
{
    public static TheoryData<string> Kinds => [.. ObjectiveKinds.All.Keys];
    public static TheoryData<string> MaskedKinds => [.. ObjectiveKinds.All.Keys.Where(kind => kind.StartsWith("masked", StringComparison.Ordinal))];
    public static TheoryData<string> ViewKinds => [.. ObjectiveKinds.All.Keys.Where(kind => !kind.StartsWith("masked", StringComparison.Ordinal))];

    private static Objective Build(string kind)
    {
        manual_seed(5);
        return ((ObjectiveSpec)Activator.CreateInstance(ObjectiveKinds.All[kind])!).Build(ObjectiveInputs.Shape);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Half_precision_costs_nearly_the_same_as_single(string kind)
    {
        using var scope = NewDisposeScope();
        using var objective = Build(kind);
        var input = ObjectiveInputs.Full(objective);
        Tensor Half(Tensor of) => of.to(ScalarType.BFloat16);
        var half = input with
        {
            Features = Half(input.Features),
            Target = input.Target is null ? null : Half(input.Target),
            Masked = input.Masked! with { Cells = Half(input.Masked.Cells), Patches = Half(input.Masked.Patches), TeacherLayers = [.. input.Masked.TeacherLayers.Select(Half)] },
        };

        var (single, rounded) = (objective.Loss(input), objective.Loss(half));

        Assert.Equal(ScalarType.Float32, rounded.dtype);
        Assert.Empty(rounded.shape);
        // The inputs themselves are rounded to three digits.
        Assert.Equal(single.item<float>(), rounded.item<float>(), 0.05 * (1 + Math.Abs(single.item<float>())));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_parameter_of_the_head_gets_a_finite_gradient(string kind)
    {
        using var scope = NewDisposeScope();
        using var objective = Build(kind);

        objective.Loss(ObjectiveInputs.Full(objective)).backward();

        Assert.All(objective.parameters(), parameter => Assert.True(parameter.grad!.isfinite().all().item<bool>()));
        Assert.True(objective.parameters().Count(parameter => parameter.grad!.abs().max().item<float>() > 0) >= 4);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void The_same_step_costs_the_same_twice(string kind)
    {
        using var scope = NewDisposeScope();
        using var objective = Build(kind);
        objective.eval();

        Assert.Equal(objective.Loss(ObjectiveInputs.Full(objective)).item<float>(), objective.Loss(ObjectiveInputs.Full(objective)).item<float>());
    }

    [Theory]
    [MemberData(nameof(ViewKinds))]
    public void Features_of_another_width_are_refused_with_both_shapes(string kind)
    {
        using var scope = NewDisposeScope();
        using var objective = Build(kind);
        var input = ObjectiveInputs.Full(objective) with { Features = zeros(3, 8, 7) };

        Assert.Equal("Expected a tensor of shape [any, any, 6], found [3, 8, 7].", Assert.Throws<ArgumentException>(() => objective.Loss(input)).Message);
    }

    [Theory]
    [MemberData(nameof(ViewKinds))]
    public void A_single_view_a_single_item_and_no_global_view_are_refused_with_the_shape(string kind)
    {
        using var scope = NewDisposeScope();
        using var objective = Build(kind);
        string Refusal(ObjectiveInput input) => Assert.Throws<ArgumentException>(() => objective.Loss(input)).Message;
        var input = ObjectiveInputs.Full(objective);

        Assert.Contains("[2, 2, 6]", Refusal(input with { Features = zeros(1, 8, 6) }));
        Assert.Contains("found [3, 1, 6]", Refusal(input with { Features = zeros(3, 1, 6) }));
        Assert.Contains("found 0", Refusal(input with { GlobalViews = 0 }));
        Assert.Contains("[3, 8, 6]", Refusal(input with { GlobalViews = 4 }));
    }

    [Theory]
    [InlineData("byol")]
    [InlineData("simdino")]
    public void A_target_of_another_shape_is_refused_with_both_shapes(string kind)
    {
        using var scope = NewDisposeScope();
        using var objective = Build(kind);
        var input = ObjectiveInputs.Full(objective) with { Target = zeros(1, 8, 64) };

        Assert.Equal("Expected a tensor of shape [2, 8, 64], found [1, 8, 64].", Assert.Throws<ArgumentException>(() => objective.Loss(input)).Message);
    }

    [Theory]
    [MemberData(nameof(MaskedKinds))]
    public void Masked_cells_of_another_shape_are_refused_with_both_shapes(string kind)
    {
        using var scope = NewDisposeScope();
        using var objective = Build(kind);
        var input = ObjectiveInputs.Full(objective);
        string Refusal(MaskedCells? masked) => Assert.Throws<ArgumentException>(() => objective.Loss(input with { Masked = masked })).Message;

        Assert.Equal("Expected a tensor of shape [any, any, 5], found [8, 10, 6].", Refusal(input.Masked! with { Cells = zeros(8, 10, 6) }));
        Assert.Equal("Expected a tensor of shape [8, 10], found [8, 9].", Refusal(input.Masked! with { Hidden = ones(8, 9, dtype: ScalarType.Bool) }));
        Assert.Contains("hidden cells", Refusal(null));
    }

    [Fact]
    public void Patches_layers_and_tokens_of_another_shape_are_refused_with_both_shapes()
    {
        using var scope = NewDisposeScope();
        string Refusal(string kind, Func<MaskedCells, MaskedCells> change)
        {
            using var objective = Build(kind);
            var input = ObjectiveInputs.Full(objective);
            return Assert.Throws<ArgumentException>(() => objective.Loss(input with { Masked = change(input.Masked!) })).Message;
        }

        Assert.Equal("Expected a tensor of shape [8, 10, 4], found [8, 10, 3].", Refusal("masked-autoencoder", masked => masked with { Patches = zeros(8, 10, 3) }));
        Assert.Equal("Expected a tensor of shape [8, 10, any], found [8, 11, 5].", Refusal("masked-latent", masked => masked with { TeacherLayers = [zeros(8, 11, 5)] }));
        Assert.Contains("teacher", Refusal("masked-latent", masked => masked with { TeacherLayers = [] }));
        Assert.Equal("Expected a tensor of shape [8, 10], found [8, 9].", Refusal("masked-tokens", masked => masked with { Tokens = zeros(8, 9, dtype: ScalarType.Int64) }));
    }

    [Fact]
    public void Teachers_and_masks_are_asked_for_by_those_that_need_them()
    {
        Assert.Equal(["byol", "masked-latent", "simdino"], ObjectiveKinds.All.Keys.Where(kind => Build(kind).NeedsTeacher).Order());
        Assert.Equal(["masked-autoencoder", "masked-latent", "masked-tokens"], ObjectiveKinds.All.Keys.Where(kind => Build(kind).Mask is not null).Order());
    }
}
