// Inputs of objectives for tests, made of formulas.
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning.Tests;

internal static class ObjectiveInputs
{
    public const int Width = 6, CellWidth = 5, PatchWidth = 4, Vocabulary = 9;

    public static readonly EncoderShape Shape = new(Width, CellWidth, PatchWidth, Vocabulary);

    /// <summary>All views are global, at most two.</summary>
    public static ObjectiveInput Of(Tensor features) =>
        new() { Features = features, GlobalViews = (int)Math.Min(2, features.size(0)), Random = new StepRandom(1, 1, DrawPurpose.Objective) };

    /// <summary>Everything that any objective asks for: 2 global views and a local one of 8 items, 3 cells hidden of 10.</summary>
    public static ObjectiveInput Full(Objective objective)
    {
        var features = Waves.Tensor(0.3, 3, 8, Width);
        return Of(features) with
        {
            Target = objective.Target(features.narrow(0, 0, 2))?.detach(),
            Masked = new()
            {
                Cells = Waves.Tensor(1, 8, 10, CellWidth),
                Hidden = (arange(80).view(8, 10) % 3) == 0,
                Patches = Waves.Tensor(2, 8, 10, PatchWidth),
                TeacherLayers = [Waves.Tensor(3, 8, 10, CellWidth), Waves.Tensor(4, 8, 10, CellWidth)],
                Tokens = arange(80).view(8, 10) % Vocabulary,
            },
        };
    }
}
