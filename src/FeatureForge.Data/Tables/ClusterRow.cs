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
    /// <summary>The sibling of the nearest centroid; null for the root and in files of earlier versions.</summary>
    public string? NearestSiblingId { get; init; }
    /// <summary>suggested, or person when somebody gave the name; null in files of earlier versions.</summary>
    public string? NameSource { get; init; }
}

/// <summary>Which leaf a vector belongs to.</summary>
/// <param name="ClusterId">The leaf; null = noise.</param>
/// <param name="ClusterPath">Root to leaf.</param>
/// <param name="Strength">In [0,1].</param>
/// <param name="Distance">To the leaf's centroid, in the level's metric; of noise, to the nearest leaf's.</param>
/// <param name="NearestClusterId">The leaf, also of noise; null in files of earlier versions.</param>
public sealed record MembershipRow(string ItemId, int SpanIndex, string? ClusterId, IReadOnlyList<string> ClusterPath, float Strength, float Distance, string? NearestClusterId = null);

/// <summary>Where a vector that was not clustered goes in an existing tree.</summary>
/// <param name="ClusterId">The leaf; null when out of distribution.</param>
/// <param name="NearestClusterId">The leaf, also when out of distribution.</param>
/// <param name="ClusterPath">Root to leaf; empty when out of distribution.</param>
/// <param name="Strength">In [0,1]: share of its nearest members that are in that leaf, nearer ones counting more.</param>
/// <param name="Distance">To the leaf's centroid, in the level's metric.</param>
/// <param name="Novelty">Its distance to members relative to what 99 % of the leaf's members have; above 1 is unusual.</param>
/// <param name="OutOfDistribution">It is like nothing the tree was made of.</param>
/// <param name="X">Its place on the clustering's map; null without one.</param>
public sealed record AssignmentRow(string ItemId, int SpanIndex, string? ClusterId, string NearestClusterId, IReadOnlyList<string> ClusterPath, float Strength, float Distance,
    float Novelty, bool OutOfDistribution, float? X, float? Y);

/// <summary>One change that a person made to a clustering; rows are only ever added.</summary>
public sealed record ClusterEditRow
{
    public required string EditId { get; init; }
    /// <summary>rename, merge or split.</summary>
    public required string Kind { get; init; }
    /// <summary>The clusters it was done to.</summary>
    public required IReadOnlyList<string> ClusterIds { get; init; }
    /// <summary>The clusters it made; empty for a rename.</summary>
    public IReadOnlyList<string> ResultIds { get; init; } = [];
    /// <summary>The name that was given, or null.</summary>
    public string? Name { get; init; }
    public required string Author { get; init; }
    public required DateTimeOffset At { get; init; }
}
/// <summary>A vector's place on the 2-D map.</summary>
public sealed record MapRow(string ItemId, int SpanIndex, float X, float Y);

/// <summary>One number of a training run. <paramref name="Name"/> as reported: "loss", "learning_rate", "retrieval.high".</summary>
public sealed record MetricRow(long Step, string Name, double Value);
