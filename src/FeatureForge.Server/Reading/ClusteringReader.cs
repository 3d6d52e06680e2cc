// Clusterings for pages and the map: the tree, the points, and the corpus whose items they are about.
using FeatureForge.Data;

namespace FeatureForge.Server;

/// <summary>Trees and maps of clusterings through bounded caches. Thread-safe.</summary>
public sealed class ClusteringReader(Store store)
{
    private readonly BoundedCache<string, ClusterTree> _trees = new(200_000, tree => tree.Clusters.Count + 1);
    private readonly BoundedCache<string, MapPoints> _maps = new(128L << 20, map => map.Weight + 1);

    public Task<ClusterTree> TreeAsync(ClusteringManifest clustering, CancellationToken stop) =>
        _trees.GetAsync(Key(clustering), () => ClusterTree.LoadAsync(store, clustering, CancellationToken.None), stop);

    public async Task<MapPoints> MapAsync(ClusteringManifest clustering, CancellationToken stop)
    {
        var tree = await TreeAsync(clustering, stop);
        return await _maps.GetAsync(Key(clustering), () => Task.Run(() => MapPoints.LoadAsync(store, clustering, tree, CancellationToken.None)), stop);
    }

    /// <summary>The corpus the clustered set was extracted from, or null when either is gone.</summary>
    public CorpusManifest? CorpusOf(ClusteringManifest clustering) =>
        store.FindSet(clustering.Set) is { } set ? store.FindCorpus(set.Corpus) : null;

    // A clustering that was made again has other parts.
    private static string Key(ClusteringManifest clustering) => string.Join('/', [clustering.Name, clustering.RunId,
        .. clustering.ClusterParts.Concat(clustering.MembershipParts).Concat(clustering.MapParts).Select(part => part.Sha256)]);
}
