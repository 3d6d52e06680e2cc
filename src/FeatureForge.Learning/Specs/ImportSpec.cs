// The request to bring an encoder made elsewhere into the store, and what it gives back.
using FeatureForge.Data;

namespace FeatureForge.Learning;

/// <summary>Import weights by name mapping.</summary>
public sealed record ImportSpec
{
    /// <summary>A .safetensors file, or a folder with one.</summary>
    public required string Source { get; init; }
    /// <summary>Name of the encoder to make.</summary>
    public required string Encoder { get; init; }
    /// <summary>auto, or the family that the file must be of.</summary>
    public string Architecture { get; init; } = "auto";
    /// <summary>The model's config.json; null = the one beside the file, if any.</summary>
    public string? Config { get; init; }
    /// <summary>Text: one token a line; null = vocab.txt beside the file.</summary>
    public string? Vocabulary { get; init; }
    /// <summary>Corpus to fit the raw level and the levels' centre and scale on; null = identity, and a fixed random raw level.</summary>
    public string? Corpus { get; init; }

    /// <summary>Every problem of the request that can be seen without the store.</summary>
    public IReadOnlyList<string> Problems()
    {
        var problems = new List<string>();
        if (Names.Problem("encoder", Encoder) is { } name) problems.Add(name);
        if (Corpus is not null && Names.Problem("corpus", Corpus) is { } corpus) problems.Add(corpus);
        if (Architecture != "auto" && !CheckpointSource.Families.Contains(Architecture))
            problems.Add($"architecture is '{Architecture}'; expected auto, {string.Join(", ", CheckpointSource.Families)}.");
        if (!Path.Exists(Source)) problems.Add($"{Source} does not exist: expected a .safetensors file or a folder with one.");
        return problems;
    }
}

/// <summary>What an import made.</summary>
public sealed record ImportResult
{
    public required string Encoder { get; init; }
    public required string EncoderId { get; init; }
    public required Modality Modality { get; init; }
    /// <summary>vit, dinov2, wav2vec2, hubert, bert, or featureforge for an exported encoder.</summary>
    public required string Family { get; init; }
    public required long Parameters { get; init; }
    public required IReadOnlyList<EncoderLevel> Levels { get; init; }
    /// <summary>Tensors of the file that an encoder has no use for (heads and the like), with type and shape.</summary>
    public IReadOnlyList<string> LeftOut { get; init; } = [];
}
