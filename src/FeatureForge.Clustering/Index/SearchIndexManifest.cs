// embeddings/SET/index/LEVEL-GRAIN/index.json: what an index holds, of which vectors, and how well it was measured to find.
using FeatureForge.Data;

namespace FeatureForge.Clustering;

/// <summary>One line of the measurement at build time.</summary>
/// <param name="Probes">Cells looked into.</param>
/// <param name="Recall">Share of the exact nearest neighbours found, over the sampled queries.</param>
/// <param name="Milliseconds">Mean time per query.</param>
public sealed record ProbeRecall(int Probes, double Recall, double Milliseconds);

/// <summary>The manifest of a search index; written last.</summary>
public sealed record SearchIndexManifest
{
    public required string Set { get; init; }
    public required string EncoderId { get; init; }
    public required string Level { get; init; }
    public required Grain Grain { get; init; }
    public required string Metric { get; init; }
    public required int Dimension { get; init; }
    public required long Rows { get; init; }
    public required int Cells { get; init; }
    /// <summary>Cells a search looks into unless asked otherwise: the fewest that reached <see cref="TargetRecall"/>.</summary>
    public required int Probes { get; init; }
    public required double TargetRecall { get; init; }
    /// <summary>Share of the exact <see cref="RecallNeighbours"/> nearest found at <see cref="Probes"/>.</summary>
    public required double Recall { get; init; }
    public required int RecallNeighbours { get; init; }
    /// <summary>How many rows were searched for, exactly and by the index.</summary>
    public required int RecallQueries { get; init; }
    /// <summary>From few probes to all cells.</summary>
    public required IReadOnlyList<ProbeRecall> Measured { get; init; }
    /// <summary>SHA-256 of the set's parts it was built from: other parts make it stale.</summary>
    public required IReadOnlyList<string> PartHashes { get; init; }
    public required DateTimeOffset BuiltAt { get; init; }
}
