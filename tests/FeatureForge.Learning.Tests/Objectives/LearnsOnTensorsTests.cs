// Every objective teaches a linear encoder what views of an item have in common, or what hidden cells hold, on drawn tensors.
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FeatureForge.Learning.Tests;

public sealed class LearnsOnTensorsTests
{
    private const int Items = 128, Common = 4, Noise = 8, Width = 4, Cells = 8, PatchWidth = 4, CellWidth = 6, Words = 5, Steps = 150;

    /// <summary>The kind's defaults, with a narrow projector where it has one.</summary>
    private static ObjectiveSpec Spec(string kind)
    {
        var spec = (ObjectiveSpec)Activator.CreateInstance(ObjectiveKinds.All[kind])!;
        spec.GetType().GetProperty("Projector")?.SetValue(spec, new ProjectorSpec { Hidden = 256 });
        return spec;
    }

    /// <summary>The teacher's parameters move towards the student's; at rate 1 they become them.</summary>
    private static void Follow(nn.Module teacher, nn.Module student, double rate)
    {
        using var noGradient = no_grad();
        foreach (var (slow, fast) in teacher.parameters().Zip(student.parameters())) slow.add_((fast - slow) * rate);
    }

    /// <summary>Views [4, N, D] of new items: four common values among eight that change from view to view, all mixed.</summary>
    private static Tensor Views(Tensor mixing)
    {
        var common = randn(1, Items, Common).expand(4, Items, Common);
        return mm(cat([common, randn(4, Items, Noise)], 2).flatten(0, 1), mixing).view(4, Items, Common + Noise);
    }

    private static double Retrieval(Linear encoder, Tensor mixing)
    {
        manual_seed(99);
        using var noGradient = no_grad();
        var views = Views(mixing);
        var (first, second) = QualityProbe.Standardised(encoder.forward(views[0]), encoder.forward(views[1]));
        return QualityProbe.Retrieval(first, second);
    }

    [Theory]
    [MemberData(nameof(EveryObjectiveTests.ViewKinds), MemberType = typeof(EveryObjectiveTests))]
    public void What_views_have_in_common_is_found(string kind)
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        var mixing = linalg.qr(randn(Common + Noise, Common + Noise)).Q;
        var shape = new EncoderShape(Width, Width, 1, 0);
        var (encoder, slowEncoder) = (nn.Linear(Common + Noise, Width), nn.Linear(Common + Noise, Width));
        var (objective, slowObjective) = (Spec(kind).Build(shape), Spec(kind).Build(shape));
        Follow(slowEncoder, encoder, 1);
        Follow(slowObjective, objective, 1);
        var optimiser = optim.Adam(encoder.parameters().Concat(objective.parameters()), 1e-2);
        var untrained = Retrieval(encoder, mixing);

        manual_seed(2);
        for (var step = 0; step < Steps; step++)
        {
            using var inner = NewDisposeScope();
            var views = Views(mixing);
            Tensor? target;
            using (no_grad()) target = slowObjective.Target(slowEncoder.forward(views.narrow(0, 0, 2)));
            optimiser.zero_grad();
            objective.Loss(new() { Features = encoder.forward(views), GlobalViews = 2, Target = target, Random = new StepRandom(1, step, DrawPurpose.Objective) }).backward();
            optimiser.step();
            Follow(slowEncoder, encoder, 0.05);
            Follow(slowObjective, objective, 0.05);
        }

        Assert.InRange(untrained, 0, 0.2);
        Assert.InRange(Retrieval(encoder, mixing), 0.7, 1);
    }

    [Theory]
    [MemberData(nameof(EveryObjectiveTests.MaskedKinds), MemberType = typeof(EveryObjectiveTests))]
    public void What_hidden_cells_hold_is_guessed_from_the_others(string kind)
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        var (pattern, words) = (randn(Common, Cells * PatchWidth), randn(Common, Cells * Words));
        var shape = new EncoderShape(Width, CellWidth, PatchWidth, Words + 1);
        var inputWidth = kind == "masked-tokens" ? Words + 1 : PatchWidth;
        var (encoder, teacher) = (nn.Linear(Cells * inputWidth, Cells * CellWidth), nn.Linear(Cells * inputWidth, Cells * CellWidth));
        var objective = Spec(kind).Build(shape);
        Follow(teacher, encoder, 1);
        var optimiser = optim.Adam(encoder.parameters().Concat(objective.parameters()), 1e-2);
        var losses = new List<float>();

        for (var step = 0; step < Steps; step++)
        {
            using var inner = NewDisposeScope();
            var common = randn(Items, Common);
            var patches = mm(common, pattern).view(Items, Cells, PatchWidth);
            var tokens = mm(common, words).view(Items, Cells, Words).argmax(-1) + 1;
            var hidden = rand(Items, Cells) < 0.4;
            var whole = kind == "masked-tokens" ? nn.functional.one_hot(tokens, Words + 1).to(ScalarType.Float32) : patches;
            Tensor Encoded(Linear by, Tensor input) => by.forward(input.flatten(1)).view(Items, Cells, CellWidth);
            Tensor layer;
            using (no_grad()) layer = Encoded(teacher, whole);
            optimiser.zero_grad();
            var masked = new MaskedCells { Cells = Encoded(encoder, whole.masked_fill(hidden.unsqueeze(-1), 0)), Hidden = hidden, Patches = patches, TeacherLayers = [layer], Tokens = tokens };
            var loss = objective.Loss(new() { Features = zeros(2, 2, Width), GlobalViews = 2, Masked = masked, Random = new StepRandom(1, step, DrawPurpose.Objective) });
            loss.backward();
            optimiser.step();
            Follow(teacher, encoder, 0.01);
            losses.Add(loss.item<float>());
        }

        Assert.True(losses.TakeLast(10).Average() < 0.6 * losses.Take(3).Average(), $"The loss went from {losses.Take(3).Average():0.000} to {losses.TakeLast(10).Average():0.000}.");
    }
}
