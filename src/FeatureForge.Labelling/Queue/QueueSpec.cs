// What a person asks the queue for, and what it hands out.
using FeatureForge.Data;

namespace FeatureForge.Labelling;

/// <summary>Which items to label next. The label set need not exist yet.</summary>
public sealed record QueueSpec
{
    public required string LabelSet { get; init; }
    public required string Set { get; init; }
    public string Level { get; init; } = Data.Level.High;
    /// <summary>Whose tree is covered and named; null = the set's only clustering of that level, or none.</summary>
    public string? Clustering { get; init; }
    /// <summary>Only items of this selection are handed out; null = any.</summary>
    public string? Selection { get; init; }
    /// <summary>Of every random draw: the same log, vectors and seed give the same order.</summary>
    public int Seed { get; init; }
    /// <summary>auto, cpu or cuda.</summary>
    public string Device { get; init; } = "auto";

    public IReadOnlyList<string> Problems() =>
        [.. new[] { Names.Problem("label set", LabelSet), Names.Problem("embedding set", Set), Names.Problem("level", Level),
            Clustering is null ? null : Names.Problem("clustering", Clustering), Selection is null ? null : Names.Problem("selection", Selection), Tensors.DeviceChoice.Problem(Device) }.OfType<string>()];
}

/// <summary>A class with its probability.</summary>
public sealed record QueueSuggestion(string Name, float Probability);

/// <summary>An item that somebody is to label.</summary>
/// <param name="Reason">A sentence: why this one, why now.</param>
/// <param name="Kind">coverage, uncertain or second_opinion.</param>
/// <param name="Score">Coverage gained, margin, or votes so far; comparable within one kind.</param>
/// <param name="ClusterId">The leaf it lies in, when there is a clustering.</param>
/// <param name="Suggestions">What the labels so far make of it, likeliest first; at most three.</param>
public sealed record QueueEntry(string ItemId, string Path, Modality? Modality, string Kind, string Reason, float Score, string? ClusterId, string? ClusterName,
    IReadOnlyList<QueueSuggestion> Suggestions, DateTimeOffset LeasedUntil);

/// <summary>A turn of the queue.</summary>
/// <param name="Phase">coverage or uncertain: what single opinions are asked by now.</param>
/// <param name="Labelled">Items with a label of a person or an import.</param>
/// <param name="Left">Items without one.</param>
public sealed record QueueTurn(string LabelSet, string Set, string Phase, int Labelled, int Left, IReadOnlyList<QueueEntry> Entries);
