// The closed list of quality issues: which score decides, and in which direction.
using FeatureForge.Data;

namespace FeatureForge.Ingest;

/// <summary>One kind of issue.</summary>
public sealed record QualityIssue
{
    private readonly Func<QualityThresholds, float> _get;
    private readonly Func<QualityThresholds, float, QualityThresholds> _set;

    private QualityIssue(Modality modality, string name, Func<QualityThresholds, float> get, Func<QualityThresholds, float, QualityThresholds> set, string? below = null)
    {
        (Modality, Name, Score, Below) = (modality, name, below ?? name, below != null);
        (_get, _set) = (get, set);
    }

    public Modality Modality { get; }
    public string Name { get; }
    /// <summary>The score that decides, as the items table's quality names it.</summary>
    public string Score { get; }
    /// <summary>Low scores are bad; otherwise high ones are.</summary>
    public bool Below { get; }

    /// <summary>All issues, by modality.</summary>
    public static IReadOnlyList<QualityIssue> All { get; } =
    [
        new(Modality.Image, "blur", t => t.Blur, (t, value) => t with { Blur = value }),
        new(Modality.Image, "darkness", t => t.Darkness, (t, value) => t with { Darkness = value }),
        new(Modality.Image, "brightness", t => t.Brightness, (t, value) => t with { Brightness = value }),
        new(Modality.Image, "low_information", t => t.LowInformation, (t, value) => t with { LowInformation = value }),
        new(Modality.Image, "odd_aspect", t => t.OddAspect, (t, value) => t with { OddAspect = value }),
        new(Modality.Image, "odd_size", t => t.OddSize, (t, value) => t with { OddSize = value }),
        new(Modality.Image, "grayscale", t => t.Grayscale, (t, value) => t with { Grayscale = value }),
        new(Modality.Audio, "silence_share", t => t.SilenceShare, (t, value) => t with { SilenceShare = value }),
        new(Modality.Audio, "clipping_share", t => t.ClippingShare, (t, value) => t with { ClippingShare = value }),
        new(Modality.Audio, "narrow_bandwidth", t => t.NarrowBandwidth, (t, value) => t with { NarrowBandwidth = value }),
        new(Modality.Audio, "dc_offset", t => t.DcOffset, (t, value) => t with { DcOffset = value }),
        new(Modality.Audio, "low_level", t => t.LowLevel, (t, value) => t with { LowLevel = value }, below: "level_dbfs"),
        new(Modality.Text, "short_text", t => t.ShortText, (t, value) => t with { ShortText = value }, below: "word_count"),
        new(Modality.Text, "symbol_share", t => t.SymbolShare, (t, value) => t with { SymbolShare = value }),
        new(Modality.Text, "repetition", t => t.Repetition, (t, value) => t with { Repetition = value }),
        new(Modality.Text, "top_phrase_share", t => t.TopPhraseShare, (t, value) => t with { TopPhraseShare = value }),
        new(Modality.Text, "duplicate_line_share", t => t.DuplicateLineShare, (t, value) => t with { DuplicateLineShare = value }),
        new(Modality.Text, "language_confidence", t => t.LanguageConfidence, (t, value) => t with { LanguageConfidence = value }, below: "language_confidence"),
    ];

    /// <summary>Null when there is no such issue.</summary>
    public static QualityIssue? Find(string name) => All.FirstOrDefault(issue => issue.Name == name);

    public float Threshold(QualityThresholds thresholds) => _get(thresholds);

    internal static string Unknown(string name) => $"There is no quality issue '{name}'; expected {string.Join(", ", All.Select(issue => issue.Name))}.";

    internal QualityThresholds WithThreshold(QualityThresholds thresholds, float value) => _set(thresholds, value);

    internal bool IsPresent(ItemRow row, QualityThresholds thresholds) =>
        row.Modality == Modality && row.Quality.TryGetValue(Score, out var score) && (Below ? score < Threshold(thresholds) : score > Threshold(thresholds));
}
