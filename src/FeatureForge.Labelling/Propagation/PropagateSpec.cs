// The request of a propagation and what it gives back.
using FeatureForge.Data;

namespace FeatureForge.Labelling;

/// <summary>Spread the labels of people over the items that have none.</summary>
public sealed record PropagateSpec
{
    /// <summary>both: down the tree and over the neighbour graph; tree; graph.</summary>
    public static IReadOnlyList<string> Methods { get; } = ["both", "tree", "graph"];

    public required string LabelSet { get; init; }
    public required string Set { get; init; }
    public string Level { get; init; } = Data.Level.High;
    /// <summary>Whose labelled nodes count; null = the set's only clustering of that level, or none.</summary>
    public string? Clustering { get; init; }
    /// <summary>both: down the tree and over the neighbour graph; tree; graph.</summary>
    public string Method { get; init; } = "both";
    /// <summary>In [0,1]: an item whose likeliest class has less confidence gets no label.</summary>
    public double Threshold { get; init; } = 0.5;
    /// <summary>Nearest neighbours that each item is tied to.</summary>
    public int Neighbours { get; init; } = 15;
    /// <summary>In [0,1): how much of an item's answer comes from its neighbours.</summary>
    public double Alpha { get; init; } = 0.9;
    public int Seed { get; init; }
    /// <summary>auto, cpu or cuda.</summary>
    public string Device { get; init; } = "auto";

    public IReadOnlyList<string> Problems()
    {
        var problems = new List<string>();
        void Check(string? problem) { if (problem is not null) problems.Add(problem); }
        Check(Names.Problem("label set", LabelSet));
        Check(Names.Problem("embedding set", Set));
        Check(Names.Problem("level", Level));
        if (Clustering is not null) Check(Names.Problem("clustering", Clustering));
        Check(Tensors.DeviceChoice.Problem(Device));
        if (!Methods.Contains(Method)) Check($"Method '{Method}' is unknown; expected {string.Join(", ", Methods)}.");
        if (Threshold is not (>= 0 and <= 1)) Check(FormattableString.Invariant($"threshold is {Threshold}; expected 0 to 1."));
        if (Alpha is not (>= 0 and < 1)) Check(FormattableString.Invariant($"alpha is {Alpha}; expected 0 to less than 1."));
        if (Neighbours is < 1 or > 200) Check($"neighbours is {Neighbours}; expected 1 to 200.");
        return problems;
    }
}

/// <summary>An item whose propagated label a person should look at.</summary>
/// <param name="Reason">low_confidence, between_classes or against_cluster (the neighbours say otherwise than the labelled cluster).</param>
public sealed record DoubtfulLabel(string ItemId, string Name, float Confidence, string? Second, float SecondConfidence, string Reason);

/// <summary>What a propagation did.</summary>
public sealed record PropagateResult
{
    public required string LabelSet { get; init; }
    public required string Set { get; init; }
    public required string EncoderId { get; init; }
    /// <summary>Items labelled by people or imports, and labelled nodes of the tree, that it started from.</summary>
    public required int LabelledItems { get; init; }
    public required int LabelledClusters { get; init; }
    public required IReadOnlyList<string> Classes { get; init; }
    /// <summary>Propagated labels now in force.</summary>
    public required int Propagated { get; init; }
    /// <summary>Items left without a label because no class was sure enough, or no label reached them.</summary>
    public required int Abstained { get; init; }
    /// <summary>Share of the items with a label of any kind.</summary>
    public required double Coverage { get; init; }
    /// <summary>Earlier propagated labels that were taken back, and new ones added.</summary>
    public required int Replaced { get; init; }
    public required int Added { get; init; }
    /// <summary>Accuracy on labelled items that were held out; null when they are too few to tell (under 20, or under 5 a class).</summary>
    public double? HeldOutAccuracy { get; init; }
    /// <summary>Expected calibration error on held-out labels before and after scaling.</summary>
    public double? CalibrationErrorBefore { get; init; }
    public double? CalibrationErrorAfter { get; init; }
    /// <summary>The most doubtful, worst first; at most 100.</summary>
    public required IReadOnlyList<DoubtfulLabel> Review { get; init; }
    public required string Batch { get; init; }
    public required double Seconds { get; init; }
}
