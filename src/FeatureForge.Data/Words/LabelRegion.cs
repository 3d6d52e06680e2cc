// The part of an item that a label is about, when it is not all of it. Kept as one JSON column: kinds of regions differ, tables do not.
using System.Text.Json;

namespace FeatureForge.Data;

/// <summary>
/// A region in native units. Audio: [StartMs, EndMs). Text: [StartChar, EndChar) in Unicode code points. Image: a rectangle, or a polygon
/// as x, y, x, y …, in pixels of the source image with fractions.
/// </summary>
public sealed record LabelRegion
{
    public double? StartMs { get; init; }
    public double? EndMs { get; init; }
    public int? StartChar { get; init; }
    public int? EndChar { get; init; }
    public double? X { get; init; }
    public double? Y { get; init; }
    public double? Width { get; init; }
    public double? Height { get; init; }
    /// <summary>Clockwise degrees about the top left corner; null = 0.</summary>
    public double? Rotation { get; init; }
    public IReadOnlyList<double>? Polygon { get; init; }

    /// <summary>As the region column holds it.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, SpecJson.Line);

    /// <summary>What a region column holds; null for null.</summary>
    public static LabelRegion? Parse(string? json) => json is null ? null : JsonSerializer.Deserialize<LabelRegion>(json, SpecJson.Line);
}
