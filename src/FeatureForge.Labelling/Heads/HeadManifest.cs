// heads/HEAD/{head.json, head.safetensors}: a classifier as files, stamped with the encoder, level and grain whose vectors it reads.
using System.Text.Json;
using FeatureForge.Data;
using FeatureForge.Tensors;

namespace FeatureForge.Labelling;

/// <summary>heads/NAME/head.json</summary>
public sealed record HeadManifest
{
    public required string Name { get; init; }
    public required string EncoderId { get; init; }
    public required string Level { get; init; }
    public required Grain Grain { get; init; }
    public required int Dimension { get; init; }
    public required string Metric { get; init; }
    public required string LabelSet { get; init; }
    public required string Set { get; init; }
    /// <summary>knn, linear or mlp, with its settings.</summary>
    public required string Kind { get; init; }
    public required int Neighbours { get; init; }
    public required double Decay { get; init; }
    public required int Hidden { get; init; }
    /// <summary>In the order of the probabilities.</summary>
    public required IReadOnlyList<string> Classes { get; init; }
    /// <summary>Log probabilities are divided by it before the softmax.</summary>
    public required double Temperature { get; init; }
    public required IReadOnlyList<HeadScore> Scores { get; init; }
    public required int Labels { get; init; }
    /// <summary>head.safetensors.</summary>
    public required PartFile Weights { get; init; }
    public required string RunId { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }

    public static string Folder(Store store, string head) => store.PathOf("heads", head);

    /// <exception cref="BadRequestException">No such head; the message names those there are.</exception>
    public static HeadManifest Read(Store store, string head)
    {
        if (store.Read<HeadManifest>(Path.Combine(Folder(store, head), "head.json")) is { } found) return found;
        var names = string.Join(", ", store.FoldersIn(store.PathOf("heads")).Where(folder => store.ReadText(Path.Combine(folder, "head.json")) is not null).Select(folder => Path.GetFileName(folder)!));
        throw new BadRequestException($"There is no head named '{head}' in this store; " + (names.Length > 0 ? $"it has: {names}." : "it has none. `featureforge classify train` makes one."));
    }

    internal HeadShape Shape() => new(Kind, Neighbours, Decay, Hidden);
}
