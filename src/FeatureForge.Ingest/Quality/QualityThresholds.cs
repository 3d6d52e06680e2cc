// Where a score becomes an issue. Part of an ingest spec; used by the corpus report, and to quarantine only when that is asked for.
// Picture thresholds are cleanvision's published defaults turned round, text thresholds those of MassiveText (Rae et al., 2021) and
// CCNet (language), audio thresholds our own.
using FeatureForge.Data;

namespace FeatureForge.Ingest;

/// <summary>Thresholds by issue. A score beyond its threshold is an issue; one that an item does not have never is.</summary>
public sealed record QualityThresholds
{
    /// <summary>blur, above: hardly any edges when the longer side has 64 pixels.</summary>
    public float Blur { get; init; } = 0.71f;
    /// <summary>darkness, above: 99 % of the pixels are darker than a third of full brightness.</summary>
    public float Darkness { get; init; } = 0.68f;
    /// <summary>brightness, above: 95 % of the pixels are brighter than this.</summary>
    public float Brightness { get; init; } = 0.95f;
    /// <summary>low_information, above: the entropy of luma is under 3 of 8 bits.</summary>
    public float LowInformation { get; init; } = 0.625f;
    /// <summary>odd_aspect, above: the shorter side is under 0.35 of the longer.</summary>
    public float OddAspect { get; init; } = 0.65f;
    /// <summary>odd_size, above: the side of a square of the same area is under 23 or over 11,585 pixels.</summary>
    public float OddSize { get; init; } = 0.5f;
    /// <summary>grayscale, above: so large a share of the pixels has no colour.</summary>
    public float Grayscale { get; init; } = 0.995f;
    /// <summary>silence_share, above.</summary>
    public float SilenceShare { get; init; } = 0.8f;
    /// <summary>clipping_share, above: one sample in a thousand at full scale is heard.</summary>
    public float ClippingShare { get; init; } = 0.001f;
    /// <summary>narrow_bandwidth, above: nothing over 3.2 kHz.</summary>
    public float NarrowBandwidth { get; init; } = 0.6f;
    /// <summary>dc_offset, above: fraction of full scale.</summary>
    public float DcOffset { get; init; } = 0.02f;
    /// <summary>level_dbfs, below: decibels of full scale.</summary>
    public float LowLevel { get; init; } = -50;
    /// <summary>word_count, below.</summary>
    public float ShortText { get; init; } = 5;
    /// <summary>symbol_share, above.</summary>
    public float SymbolShare { get; init; } = 0.3f;
    /// <summary>repetition, above: share of three-word phrases that occurred before.</summary>
    public float Repetition { get; init; } = 0.3f;
    /// <summary>top_phrase_share, above: share of characters in the commonest three-word phrase.</summary>
    public float TopPhraseShare { get; init; } = 0.18f;
    /// <summary>duplicate_line_share, above: share of characters in lines that occurred before.</summary>
    public float DuplicateLineShare { get; init; } = 0.2f;
    /// <summary>language_confidence, below.</summary>
    public float LanguageConfidence { get; init; } = 0.5f;

    /// <summary>One sentence per threshold that is no number.</summary>
    public IReadOnlyList<string> Problems() =>
        [.. QualityIssue.All.Where(issue => !float.IsFinite(issue.Threshold(this))).Select(issue => $"The threshold of {issue.Name} is {issue.Threshold(this)}; expected a number.")];

    /// <summary>These thresholds with some changed, each as NAME=VALUE.</summary>
    /// <exception cref="BadRequestException">An unknown name, or a value that is no number.</exception>
    public QualityThresholds With(IEnumerable<string> changes)
    {
        var (changed, problems) = (this, new List<string>());
        foreach (var change in changes)
        {
            var (name, value) = change.IndexOf('=') is var at and > 0 ? (change[..at], change[(at + 1)..]) : (change, "");
            if (QualityIssue.Find(name) is not { } issue) problems.Add(QualityIssue.Unknown(name));
            else if (!float.TryParse(value, System.Globalization.CultureInfo.InvariantCulture, out var number) || !float.IsFinite(number)) problems.Add($"Threshold '{change}': expected {name}=NUMBER.");
            else changed = issue.WithThreshold(changed, number);
        }
        BadRequestException.ThrowIfAny(problems);
        return changed;
    }

    /// <summary>The issues that an item has.</summary>
    public IEnumerable<QualityIssue> IssuesOf(ItemRow row) => QualityIssue.All.Where(issue => issue.IsPresent(row, this));

    /// <exception cref="MediaRejectedException">The item has an issue that is to be dropped.</exception>
    internal void ThrowIfDropped(ItemRow row, IReadOnlyList<string> drop)
    {
        if (drop.Count == 0) return;
        var found = IssuesOf(row).Where(issue => drop.Contains(issue.Name)).Select(issue => FormattableString.Invariant($"{issue.Score} is {row.Quality[issue.Score]:0.####}, {(issue.Below ? "at least" : "at most")} {issue.Threshold(this):0.####} is allowed")).ToList();
        if (found.Count > 0) throw new MediaRejectedException(RejectionCode.LowQuality, $"Dropped for its quality: {string.Join("; ", found)}. Ingest it without dropping, or with another threshold.");
    }
}
