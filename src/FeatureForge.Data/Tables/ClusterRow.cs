// Rows of the clustering tables.
namespace FeatureForge.Data;

/// <summary>A node of the tree of clusters.</summary>
public sealed record ClusterRow
{
    public required string ClusterId { get; init; }
    /// <summary>Null for the root.</summary>
    public string? ParentId { get; init; }
    /// <summary>0 for the root.</summary>
    public required int Depth { get; init; }
    /// <summary>Vectors below it.</summary>
    public required long Size { get; init; }
    public required string Name { get; init; }
    public IReadOnlyList<string> Keywords { get; init; } = [];
    /// <summary>Items that show best what the cluster is; the medoid first.</summary>
    public IReadOnlyList<string> ExemplarIds { get; init; } = [];
    /// <summary>Items at its border.</summary>
    public IReadOnlyList<string> BoundaryIds { get; init; } = [];
    /// <summary>In [0,1]: agreement of its members between reruns; null when not measured.</summary>
    public float? Stability { get; init; }
    /// <summary>Mean cosine similarity of members to the centroid, in [-1,1].</summary>
    public required float Cohesion { get; init; }
    public required float[] Centroid { get; init; }
}

/// <summary>Which leaf a vector belongs to.</summary>
/// <param name="ClusterId">The leaf; null = noise.</param>
/// <param name="ClusterPath">Root to leaf.</param>
/// <param name="Strength">In [0,1].</param>
/// <param name="Distance">To the leaf's centroid, in the level's metric.</param>
public sealed record MembershipRow(string ItemId, int SpanIndex, string? ClusterId, IReadOnlyList<string> ClusterPath, float Strength, float Distance);

/// <summary>A vector's place on the 2-D map.</summary>
public sealed record MapRow(string ItemId, int SpanIndex, float X, float Y);

/// <summary>One number of a training run. <paramref name="Name"/> as reported: "loss", "learning_rate", "retrieval.high".</summary>
public sealed record MetricRow(long Step, string Name, double Value);
