// The requests of the two runs about heads, and what they give back.
using FeatureForge.Data;
using FeatureForge.Tensors;

namespace FeatureForge.Labelling;

/// <summary>Fit a classifier on frozen vectors from the labels of people and imports.</summary>
public sealed record HeadSpec
{
    /// <summary>auto: the one of best cross-validated accuracy; knn: vote of the nearest; linear: logistic regression; mlp: one hidden layer.</summary>
    public static IReadOnlyList<string> Kinds { get; } = ["auto", "knn", "linear", "mlp"];

    public required string LabelSet { get; init; }
    public required string Set { get; init; }
    /// <summary>Name of the head; null = the label set's.</summary>
    public string? Head { get; init; }
    public string Level { get; init; } = Data.Level.High;
    /// <summary>auto, or the kind of head to fit; a kind that does not exist is refused with those there are.</summary>
    public string Kind { get; init; } = "auto";
    /// <summary>Learn from propagated labels as well; their confidence is their weight. What is measured is measured on given labels alone.</summary>
    public bool WithPropagated { get; init; }
    public int Seed { get; init; }
    public string Device { get; init; } = "auto";

    public string HeadName() => Head ?? LabelSet;

    public IReadOnlyList<string> Problems() =>
        [.. new[] { Names.Problem("label set", LabelSet), Names.Problem("embedding set", Set), Names.Problem("head", HeadName()), Names.Problem("level", Level), DeviceChoice.Problem(Device),
            Kinds.Contains(Kind) ? null : $"Kind '{Kind}' is unknown; expected {string.Join(", ", Kinds)}." }.OfType<string>()];
}

/// <summary>How a kind of head did in cross-validation. Null where it was not measured.</summary>
/// <param name="Settings">The ones chosen, for instance "neighbours 5" or "decay 0.01".</param>
/// <param name="CalibrationErrorBefore">Expected calibration error of held-out answers before temperature scaling, and after with a temperature of other folds.</param>
public sealed record HeadScore(string Kind, string Settings, double Accuracy, double MacroF1, double CalibrationErrorBefore, double CalibrationErrorAfter);

/// <summary>What a fit made.</summary>
/// <param name="Folds">0: too few labels to measure anything; the head is linear and uncalibrated.</param>
public sealed record HeadResult(string Head, string LabelSet, string Set, string EncoderId, string Level, string Kind, IReadOnlyList<string> Classes, int Labels, int Folds,
    IReadOnlyList<HeadScore> Scores, double Temperature, double Seconds);

/// <summary>Predict the classes of an embedding set's items with a head.</summary>
public sealed record PredictSpec
{
    public required string Head { get; init; }
    public required string Set { get; init; }
    /// <summary>Where the predictions go; null = the label set the head learned from.</summary>
    public string? LabelSet { get; init; }
    /// <summary>In [0,1]: less sure predictions are not written.</summary>
    public double Threshold { get; init; }
    public string Device { get; init; } = "auto";

    public IReadOnlyList<string> Problems() =>
        [.. new[] { Names.Problem("head", Head), Names.Problem("embedding set", Set), LabelSet is null ? null : Names.Problem("label set", LabelSet), DeviceChoice.Problem(Device),
            Threshold is >= 0 and <= 1 ? null : FormattableString.Invariant($"threshold is {Threshold}; expected 0 to 1.") }.OfType<string>()];
}

/// <summary>What a prediction wrote. Items with a label of a person or an import get none.</summary>
public sealed record PredictResult(string Head, string LabelSet, string Set, int Predicted, int Abstained, int Given, int Replaced, int Added, IReadOnlyDictionary<string, int> ByName,
    double MeanConfidence, string Batch, double Seconds);
