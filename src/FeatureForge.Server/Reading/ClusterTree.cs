// The clusters table of one clustering as a tree to walk.
using FeatureForge.Data;

namespace FeatureForge.Server;

/// <summary>All clusters of a clustering. Immutable.</summary>
public sealed class ClusterTree
{
    private readonly Dictionary<string, int> _positions = [];
    private readonly ILookup<string?, ClusterRow> _children;

    private ClusterTree(IReadOnlyList<ClusterRow> clusters)
    {
        Clusters = clusters;
        for (var position = 0; position < clusters.Count; position++) _positions[clusters[position].ClusterId] = position;
        _children = clusters.ToLookup(cluster => cluster.ParentId);
    }

    /// <summary>In table order.</summary>
    public IReadOnlyList<ClusterRow> Clusters { get; }

    /// <summary>Usually one; a flat clustering may have as many as clusters.</summary>
    public IReadOnlyList<ClusterRow> Roots => Children(null);

    public int Depth => Clusters.Count == 0 ? 0 : Clusters.Max(cluster => cluster.Depth);

    public static async Task<ClusterTree> LoadAsync(Store store, ClusteringManifest clustering, CancellationToken stop)
    {
        var rows = new List<ClusterRow>();
        foreach (var part in clustering.ClusterParts)
            await foreach (var row in ClustersTable.ReadAsync(store.FileOf(store.ClusteringFolder(clustering.Name), part), stop)) rows.Add(row with { Centroid = [] });
        return new(rows);
    }

    /// <summary>The cluster, or null.</summary>
    public ClusterRow? Find(string clusterId) => _positions.TryGetValue(clusterId, out var position) ? Clusters[position] : null;

    /// <summary>The cluster's place in <see cref="Clusters"/>, or -1.</summary>
    public int Position(string? clusterId) => clusterId != null && _positions.TryGetValue(clusterId, out var position) ? position : -1;

    /// <summary>The clusters below, largest first.</summary>
    public IReadOnlyList<ClusterRow> Children(string? clusterId) => [.. _children[clusterId].OrderByDescending(child => child.Size).ThenBy(child => child.ClusterId, StringComparer.Ordinal)];

    /// <summary>From the root down to the cluster itself.</summary>
    public IReadOnlyList<ClusterRow> PathTo(ClusterRow cluster)
    {
        var path = new List<ClusterRow> { cluster };
        while (path[0].ParentId is { } parent && Find(parent) is { } above && path.Count <= Clusters.Count) path.Insert(0, above);
        return path;
    }
}
