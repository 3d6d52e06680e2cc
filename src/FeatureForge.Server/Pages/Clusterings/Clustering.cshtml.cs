// One clustering: its tree, and the selected cluster with items one can see, hear and read.
using FeatureForge.Data;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace FeatureForge.Server.Pages.Clusterings;

/// <summary>What the _Branch partial shows.</summary>
public sealed record Branch(ClusteringModel Page, IReadOnlyList<ClusterRow> Clusters);

public sealed class ClusteringModel(Store store, ClusteringReader clusterings, ItemReader items) : PageModel
{
    public ClusteringManifest Clustering { get; private set; } = null!;
    public ClusterTree Tree { get; private set; } = null!;
    public string? WhyStale { get; private set; }
    public ClusterRow? Selected { get; private set; }
    /// <summary>From the root to the selected cluster.</summary>
    public IReadOnlyList<ClusterRow> Path { get; private set; } = [];
    public string? CorpusName { get; private set; }
    public IReadOnlyList<ItemRow> Exemplars { get; private set; } = [];
    public IReadOnlyList<ItemRow> Boundary { get; private set; } = [];

    public bool Contains(ClusterRow cluster) => Path.Contains(cluster);

    public async Task<IActionResult> OnGetAsync(string name, string? cluster, CancellationToken stop)
    {
        if (store.FindClustering(name) is not { } clustering) return NotFound();
        Clustering = clustering;
        Tree = await clusterings.TreeAsync(clustering, stop);
        WhyStale = Staleness.WhyStale(clustering, store.FindSet(clustering.Set));
        Selected = cluster == null ? Tree.Roots.FirstOrDefault() : Tree.Find(cluster);
        if (Selected == null) return cluster == null ? Page() : NotFound();
        Path = Tree.PathTo(Selected);
        if (clusterings.CorpusOf(clustering) is { } corpus)
        {
            CorpusName = corpus.Name;
            Exemplars = await items.FindAllAsync(corpus, Selected.ExemplarIds.Distinct().Take(24), stop);
            Boundary = await items.FindAllAsync(corpus, Selected.BoundaryIds.Distinct().Take(12), stop);
        }
        return Page();
    }
}
