// What optimisers on flat buffers have in common. A recipe names one of a closed list.
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

/// <summary>Moves the values of flat parameters along their gradients.</summary>
internal abstract class Optimiser : IDisposable
{
    public static IReadOnlyList<string> Names { get; } = ["adamw", "lars"];

    public static Optimiser Of(string name, FlatParameters parameters, double weightDecay) => name switch
    {
        "adamw" => new AdamW(parameters, weightDecay),
        "lars" => new Lars(parameters, weightDecay),
        _ => throw new ArgumentException($"Optimiser '{name}' is not one of {string.Join(", ", Names)}."),
    };

    /// <summary>Running tensors by name, for checkpoints.</summary>
    public abstract IReadOnlyDictionary<string, Tensor> State { get; }

    /// <summary>Update number <paramref name="step"/>, counted from 1.</summary>
    public abstract void Step(long step, double learningRate);

    public void Dispose()
    {
        foreach (var tensor in State.Values) tensor.Dispose();
    }
}
