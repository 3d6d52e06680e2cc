// How raw items become training tensors: decoded once, at one size or rate. The first half of the preprocessing identity.
using System.Text.Json;
using System.Text.Json.Serialization;

namespace FeatureForge.Data;

/// <summary>
/// The decoded form that training and extraction read. Image: squeezed to a square of <see cref="ImageSize"/> pixels, RGB,
/// 8 bit, channel first. Audio: mono, <see cref="SampleRate"/> Hz, 16 bit. Text: as decoded.
/// </summary>
public sealed record PreparationSpec
{
    /// <summary>Whose items are prepared.</summary>
    public required Modality Modality { get; init; }
    /// <summary>Pixels per side (image); null for other modalities.</summary>
    public int? ImageSize { get; init; }
    /// <summary>Hertz (audio); null for other modalities.</summary>
    public int? SampleRate { get; init; }
    /// <summary>Grows when the decoding itself changes.</summary>
    public int Revision { get; init; } = 1;

    /// <summary>16 hex characters; the folder name under prepared/.</summary>
    [JsonIgnore]
    public string Hash => ContentId.Of(JsonSerializer.Serialize(this, SpecJson.Line))[..16];
}
