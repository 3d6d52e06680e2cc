// The 2-D map of one clustering. The points come from the API as bytes; js/map.js draws them.
using FeatureForge.Data;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace FeatureForge.Server.Pages.Clusterings;

public sealed class MapModel(Store store, ClusteringReader clusterings, ItemReader items) : PageModel
{
    public ClusteringManifest Clustering { get; private set; } = null!;
    public string? CorpusName { get; private set; }
    /// <summary>What the points are.</summary>
    public Modality Modality { get; private set; }
    public int Depth { get; private set; }
    /// <summary>The cluster to show alone, or null.</summary>
    public string? Cluster { get; private set; }
    /// <summary>Clusterings that have a map.</summary>
    public IReadOnlyList<string> Others { get; private set; } = [];
    public IReadOnlyList<string> Selections { get; private set; } = [];
    public IReadOnlyList<string> LabelSets { get; private set; } = [];
    /// <summary>Keys of the items' metadata, as the first of them have them.</summary>
    public IReadOnlyList<string> MetadataKeys { get; private set; } = [];

    public async Task<IActionResult> OnGetAsync(string name, string? cluster, CancellationToken stop)
    {
        if (store.FindClustering(name) is not { } clustering) return NotFound();
        // The page's script asks for it next.
        _ = clusterings.MapAsync(clustering, CancellationToken.None);
        var tree = await clusterings.TreeAsync(clustering, stop);
        Clustering = clustering;
        CorpusName = clusterings.CorpusOf(clustering)?.Name;
        Modality = store.FindSet(clustering.Set)?.Modality ?? Modality.Image;
        Depth = tree.Depth;
        Cluster = cluster != null ? tree.Find(cluster)?.ClusterId : null;
        Others = [.. store.Clusterings().Where(other => other.MapParts.Count > 0).Select(other => other.Name)];
        LabelSets = store.LabelSets();
        Selections = [.. store.Selections().Where(one => one.Corpus == clusterings.CorpusOf(clustering)?.Name).Select(one => one.Name)];
        if (clusterings.CorpusOf(clustering) is { } corpus)
            MetadataKeys = [.. (await items.PageAsync(corpus, null, null, 0, 20, stop)).Where(item => item.Metadata.StartsWith('{')).SelectMany(item => Keys(item.Metadata)).Distinct().Take(20)];
        return Page();
    }

    private static List<string> Keys(string metadata)
    {
        using var json = System.Text.Json.JsonDocument.Parse(metadata);
        return [.. json.RootElement.EnumerateObject().Select(property => property.Name)];
    }
}
