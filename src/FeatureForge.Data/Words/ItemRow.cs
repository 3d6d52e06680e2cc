// One row of the items table: one recording, picture or document.
using System.Text;
using System.Text.Json.Serialization;

namespace FeatureForge.Data;

/// <summary>
/// One item. <see cref="ItemId"/> is the first 128 bits of the SHA-256 of its raw bytes, as 32 hex characters.
/// Fields of other modalities are null.
/// </summary>
public sealed record ItemRow
{
    private string? _text;

    public required string ItemId { get; init; }
    public required Modality Modality { get; init; }
    public required string SourceUri { get; init; }
    /// <summary>Relative to the source root, `/`-separated; `archive!entry`, `table#row`.</summary>
    public required string Path { get; init; }
    public required string MediaType { get; init; }
    public required long ByteSize { get; init; }
    /// <summary>The raw bytes, or null when ingested by reference.</summary>
    public byte[]? Content { get; init; }
    /// <summary>The decoded text (text items only).</summary>
    public string? Text
    {
        get => _text ??= ContentIsText ? Encoding.UTF8.GetString(Content!) : null;
        init => _text = value;
    }
    /// <summary>Content is the text in UTF-8, byte for byte: it is written as such, and <see cref="Text"/> need not be made. Known where rows are made, not where they are read.</summary>
    [JsonIgnore]
    public bool ContentIsText { get; init; }
    /// <summary>Pixels (image).</summary>
    public int? Width { get; init; }
    /// <summary>Pixels (image).</summary>
    public int? Height { get; init; }
    /// <summary>Colour or audio channels.</summary>
    public int? Channels { get; init; }
    /// <summary>Decoded length in milliseconds (audio).</summary>
    public int? DurationMs { get; init; }
    /// <summary>Hertz (audio).</summary>
    public int? SampleRate { get; init; }
    /// <summary>Unicode code points (text).</summary>
    public int? Characters { get; init; }
    /// <summary>ISO 639-1 code when known (text).</summary>
    public string? Language { get; init; }
    /// <summary>Scores by name: shares and issue scores in [0,1], and measurements whose unit is in the name.</summary>
    public IReadOnlyDictionary<string, float> Quality { get; init; } = new Dictionary<string, float>();
    /// <summary>The item, first of its group in source order, that this one nearly equals; null when there is none.</summary>
    public string? NearDuplicateOf { get; init; }
    /// <summary>What near duplicates of it share (first byte: which kind); null when it says too little to be compared.</summary>
    public byte[]? Signature { get; init; }
    /// <summary>JSON object with whatever else the source said of the item; "{}" when nothing.</summary>
    public string Metadata { get; init; } = "{}";
    public required DateTimeOffset IngestedAt { get; init; }
}
