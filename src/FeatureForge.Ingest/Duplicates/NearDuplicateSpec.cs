// How alike two items must be to count as near duplicates. Part of an ingest spec.
namespace FeatureForge.Ingest;

/// <summary>Thresholds; what they find on real data is in tests/FeatureForge.Benchmarks/RESULTS.md.</summary>
public sealed record NearDuplicateSpec
{
    /// <summary>Pictures: most bits of 64 in which the perceptual hashes differ. Up to 7 every such pair is found, beyond most of them.</summary>
    public int ImageDistance { get; init; } = 12;
    /// <summary>Pictures: least correlation of the two pictures at 12 x 12 pixels.</summary>
    public double ImageCorrelation { get; init; } = 0.97;
    /// <summary>Pictures: most levels of 255 by which the mean colour of a quarter may differ.</summary>
    public int ImageColour { get; init; } = 12;
    /// <summary>Documents: least estimated Jaccard similarity of their three-word phrases.</summary>
    public double TextSimilarity { get; init; } = 0.4;
    /// <summary>Recordings: least estimated Jaccard similarity of their spectral landmarks.</summary>
    public double AudioSimilarity { get; init; } = 0.25;
    /// <summary>Recordings: least length of the shorter by the longer.</summary>
    public double AudioLength { get; init; } = 0.75;
    /// <summary>
    /// Items of each modality that are remembered, at about 130 (pictures), 200 (documents) or 280 (recordings) bytes each; later items
    /// are still compared with these, but not among each other. 0: near duplicates are not looked for.
    /// </summary>
    public int MostRemembered { get; init; } = 2_000_000;

    /// <summary>One sentence per value out of range.</summary>
    public IReadOnlyList<string> Problems() =>
    [
        .. new (string Name, double Value, double Most)[]
        {
            ("image distance", ImageDistance, 64), ("image correlation", ImageCorrelation, 1), ("image colour", ImageColour, 255), ("text similarity", TextSimilarity, 1),
            ("audio similarity", AudioSimilarity, 1), ("audio length", AudioLength, 1), ("most remembered", MostRemembered, 100_000_000),
        }.Where(entry => entry.Value is not >= 0 || entry.Value > entry.Most).Select(entry => $"Near duplicates: {entry.Name} is {entry.Value}; expected 0 to {entry.Most}."),
    ];
}
