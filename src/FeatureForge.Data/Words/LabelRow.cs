// One row of a label log: a judgement, or the undoing of one. Rows are only ever added.
namespace FeatureForge.Data;

/// <summary>What a label is about.</summary>
public enum LabelTarget
{
    Item,
    Cluster,
}

/// <summary>Where a label came from. A person's counts before all others, an imported one before what a program worked out.</summary>
public enum LabelSource
{
    Person,
    /// <summary>Worked out from labels near by: down the tree of clusters and over the neighbour graph.</summary>
    Propagated,
    /// <summary>Predicted by a head on frozen vectors.</summary>
    Model,
    /// <summary>Brought in from a file of another tool.</summary>
    Import,
}

/// <summary>One row of labels/LABEL SET. A row with <see cref="Undoes"/> takes another row back, and is itself taken back the same way.</summary>
public sealed record LabelRow
{
    /// <summary>32 hexadecimal characters, unique.</summary>
    public required string LabelId { get; init; }
    public required LabelTarget Target { get; init; }
    /// <summary>item_id or cluster_id.</summary>
    public required string TargetId { get; init; }
    /// <summary>The clustering that the cluster, or the queue that showed the item, belongs to; null when none was involved.</summary>
    public string? Clustering { get; init; }
    /// <summary>The class; empty in a row that undoes.</summary>
    public required string Name { get; init; }
    public required LabelSource Source { get; init; }
    public required string Author { get; init; }
    /// <summary>In [0,1]; 1 for people unless they say otherwise.</summary>
    public float Confidence { get; init; } = 1;
    public required DateTimeOffset At { get; init; }
    /// <summary>The label_id that this row takes back; null = a label.</summary>
    public string? Undoes { get; init; }
    /// <summary>The act that wrote it together with others; what `undo --batch` names.</summary>
    public required string Batch { get; init; }
    /// <summary>The part of the item that is meant, as JSON (see <see cref="LabelRegion"/>); null = the whole item.</summary>
    public string? Region { get; init; }
    /// <summary>Encoder whose vectors a propagated or predicted label rests on; null for people and imports.</summary>
    public string? EncoderId { get; init; }
}
