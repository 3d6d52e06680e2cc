// What reading a checkpoint of another program gives: the shape of the network, its values under our names, how it wants its input.
using System.Text.Json;
using FeatureForge.Data;
using TorchSharp;

namespace FeatureForge.Learning;

/// <summary>A checkpoint in our terms. Tensors belong to the scope in which it was read.</summary>
/// <param name="Family">vit, dinov2, wav2vec2, hubert or bert.</param>
/// <param name="Encoder">The architecture as a recipe has it.</param>
/// <param name="Tensors">Values of the network's parameters, without the prefix "network.".</param>
/// <param name="LeftOut">Tensors of the checkpoint that the encoder has no use for, with shapes.</param>
internal sealed record ImportedNetwork(string Family, Modality Modality, EncoderSpec Encoder, IReadOnlyDictionary<string, torch.Tensor> Tensors, IReadOnlyList<string> LeftOut)
{
    /// <summary>Pictures: mean and deviation per channel of values in [0, 1].</summary>
    public float[] Mean { get; init; } = [];
    public float[] Deviation { get; init; } = [];

    /// <summary>After which blocks the levels are read: a third, two thirds, the end.</summary>
    public static EncoderSpec WithLevels(EncoderSpec encoder, int depth) => encoder with
    {
        Low = [Math.Max(1, (int)Math.Round(depth / 3.0))],
        Mid = [Math.Max(1, (int)Math.Round(2 * depth / 3.0))],
        High = [depth],
    };
}

/// <summary>The JSON files beside a checkpoint; every value may be absent.</summary>
internal sealed class CheckpointConfig(JsonElement? config, JsonElement? preprocessor)
{
    public int? Whole(params string[] path) => Find(config, path) is { ValueKind: JsonValueKind.Number } value && value.TryGetInt32(out var number) ? number : null;

    public double? Number(params string[] path) => Find(config, path) is { ValueKind: JsonValueKind.Number } value ? value.GetDouble() : null;

    public bool? Flag(params string[] path) => Find(config, path) is { ValueKind: JsonValueKind.True or JsonValueKind.False } value ? value.GetBoolean() : null;

    public string? Word(params string[] path) => Find(config, path) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;

    public int[]? Wholes(params string[] path) => Find(config, path) is { ValueKind: JsonValueKind.Array } value ? [.. value.EnumerateArray().Select(e => e.GetInt32())] : null;

    public float[]? Values(params string[] path) => Floats(Find(config, path));

    public float[]? Prepared(string name) => Floats(Find(preprocessor, [name]));

    public int? PreparedWhole(params string[] path) => Find(preprocessor, path) is { ValueKind: JsonValueKind.Number } value && value.TryGetInt32(out var number) ? number : null;

    public bool? PreparedFlag(string name) => Find(preprocessor, [name]) is { ValueKind: JsonValueKind.True or JsonValueKind.False } value ? value.GetBoolean() : null;

    private static float[]? Floats(JsonElement? found) => found is { ValueKind: JsonValueKind.Array } value ? [.. value.EnumerateArray().Select(e => e.GetSingle())] : null;

    private static JsonElement? Find(JsonElement? root, string[] path)
    {
        foreach (var name in path)
        {
            if (root is not { ValueKind: JsonValueKind.Object } level || !level.TryGetProperty(name, out var next)) return null;
            root = next;
        }
        return root;
    }

    /// <summary>The only activation the named families use here; anything else is refused.</summary>
    /// <exception cref="BadRequestException">The checkpoint wants another one.</exception>
    public Activation ActivationOf(string name) => Word(name) switch
    {
        null or "gelu" => Activation.Gelu,
        "relu" => Activation.Relu,
        "silu" or "swish" => Activation.Silu,
        var other => throw new BadRequestException($"The checkpoint's {name} is '{other}'; this program knows gelu, relu and silu."),
    };
}
