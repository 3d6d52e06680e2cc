// The tree of a clustering as labelling uses it: which nodes there are, and the path from the root to every item.
using FeatureForge.Data;

namespace FeatureForge.Labelling;

/// <summary>One clustering's nodes and the items below them.</summary>
public sealed class LabelTree
{
    private readonly Dictionary<string, ClusterRow> _nodes;

    internal LabelTree(string clustering, string encoderId, IEnumerable<ClusterRow> nodes, IReadOnlyDictionary<string, IReadOnlyList<string>> paths) =>
        (Clustering, EncoderId, _nodes, Paths) = (clustering, encoderId, nodes.ToDictionary(node => node.ClusterId, StringComparer.Ordinal), paths);

    public string Clustering { get; }
    public string EncoderId { get; }
    public IReadOnlyCollection<ClusterRow> Nodes => _nodes.Values;
    /// <summary>By item: cluster ids from the root to the leaf; noise is absent. Of an item with several vectors the first counts.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Paths { get; }

    public bool Holds(string clusterId) => _nodes.ContainsKey(clusterId);
    public ClusterRow? Find(string clusterId) => _nodes.GetValueOrDefault(clusterId);

    /// <exception cref="BadRequestException">No such clustering.</exception>
    public static async Task<LabelTree> ReadAsync(Store store, string clustering, CancellationToken stop)
    {
        var manifest = store.Clustering(clustering);
        var nodes = new List<ClusterRow>();
        foreach (var part in manifest.ClusterParts)
            await foreach (var row in ClustersTable.ReadAsync(store.FileOf(store.ClusteringFolder(clustering), part), stop)) nodes.Add(row);
        var paths = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        foreach (var part in manifest.MembershipParts)
            await foreach (var row in MembershipsTable.ReadAsync(store.FileOf(store.ClusteringFolder(clustering), part), stop))
                if (row.ClusterId is not null) paths.TryAdd(row.ItemId, row.ClusterPath);
        return new(clustering, manifest.EncoderId, nodes, paths);
    }
}
