// One clustering: its tree, the selected cluster with items one can see, hear and read, and what people do to it: rename, merge, split, label.
using FeatureForge.Clustering;
using FeatureForge.Data;
using FeatureForge.Jobs;
using FeatureForge.Labelling;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace FeatureForge.Server.Pages.Clusterings;

/// <summary>What the _Branch partial shows.</summary>
public sealed record Branch(ClusteringModel Page, IReadOnlyList<ClusterRow> Clusters);

[Needs(Write = AccessRole.Labeller)]
public sealed class ClusteringModel(Store store, ClusteringReader clusterings, ItemReader items, RunDesk desk, RunLedger ledger, JobWakeUp jobs, LabelDesk labels) : PageModel
{
    // A change takes a second or two; the page waits for it that long and shows the run when it takes longer.
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan _look = TimeSpan.FromMilliseconds(200);
    private static readonly Dictionary<string, string> _done = new()
    {
        ["rename"] = "Renamed; later runs keep the name.",
        ["merge"] = "The two are one cluster now; later runs honour it.",
        ["split"] = "Divided; later runs honour it.",
        ["label"] = "Labelled. Propagate the label set to give the label to the items below.",
    };

    public ClusteringManifest Clustering { get; private set; } = null!;
    public ClusterTree Tree { get; private set; } = null!;
    public string? WhyStale { get; private set; }
    public ClusterRow? Selected { get; private set; }
    /// <summary>From the root to the selected cluster.</summary>
    public IReadOnlyList<ClusterRow> Path { get; private set; } = [];
    public string? CorpusName { get; private set; }
    public IReadOnlyList<ItemRow> Exemplars { get; private set; } = [];
    public IReadOnlyList<ItemRow> Boundary { get; private set; } = [];
    /// <summary>What the selected cluster can be merged with: the others below the same node, the nearest first.</summary>
    public IReadOnlyList<ClusterRow> Siblings { get; private set; } = [];
    public IReadOnlyList<string> LabelSets { get; private set; } = [];
    /// <summary>What was just done, and what was wrong with it.</summary>
    public string? Done { get; private set; }
    public IReadOnlyList<string> Problems { get; private set; } = [];

    public bool Contains(ClusterRow cluster) => Path.Contains(cluster);

    public async Task<IActionResult> OnGetAsync(string name, string? cluster, string? done, CancellationToken stop)
    {
        Done = done == null ? null : _done.GetValueOrDefault(done);
        return await ShowAsync(name, cluster, stop);
    }

    public Task<IActionResult> OnPostRenameAsync(string name, string cluster, string? newName, CancellationToken stop) =>
        ChangeAsync(name, cluster, new() { Clustering = name, Kind = "rename", Clusters = [cluster], Name = newName?.Trim(), Author = Author }, _ => cluster, stop);

    public Task<IActionResult> OnPostMergeAsync(string name, string cluster, string? with, string? newName, CancellationToken stop) =>
        ChangeAsync(name, cluster, new() { Clustering = name, Kind = "merge", Clusters = [cluster, with ?? ""], Name = string.IsNullOrWhiteSpace(newName) ? null : newName.Trim(), Author = Author }, row => row.ParentId, stop);

    public Task<IActionResult> OnPostSplitAsync(string name, string cluster, int parts, CancellationToken stop) =>
        ChangeAsync(name, cluster, new() { Clustering = name, Kind = "split", Clusters = [cluster], Parts = parts, Author = Author }, _ => cluster, stop);

    public async Task<IActionResult> OnPostLabelAsync(string name, string cluster, string? labelSet, string? newName, CancellationToken stop)
    {
        try
        {
            await labels.SetAsync(new() { LabelSet = labelSet ?? "", Name = newName?.Trim() ?? "", ClusterIds = [cluster], Clustering = name, Author = Author }, stop);
            return RedirectToPage(new { name, cluster, done = "label" });
        }
        catch (BadRequestException error) { return await RefusedAsync(name, cluster, error.Problems, stop); }
    }

    private string Author => HttpContext.Actor()!;

    private async Task<IActionResult> ChangeAsync(string name, string cluster, EditSpec spec, Func<ClusterRow, string?> after, CancellationToken stop)
    {
        if (!HttpContext.May(AccessRole.Editor)) return StatusCode(403);
        if (store.FindClustering(name) is not { } clustering || (await clusterings.TreeAsync(clustering, stop)).Find(cluster) is not { } row) return NotFound();
        RunRow run;
        try { run = desk.Submit(RunKind.Edit, spec).Run; }
        catch (BadRequestException error) { return await RefusedAsync(name, cluster, error.Problems, stop); }
        jobs.Wake();
        for (var waited = TimeSpan.Zero; jobs.IsHere && waited < _patience && !ledger.Get(run.RunId).IsEnded; waited += _look) await Task.Delay(_look, stop);
        return ledger.Get(run.RunId).State == RunState.Succeeded ? RedirectToPage(new { name, cluster = after(row), done = spec.Kind }) : Redirect($"/runs/{run.RunId}");
    }

    private async Task<IActionResult> RefusedAsync(string name, string cluster, IReadOnlyList<string> problems, CancellationToken stop)
    {
        Problems = problems;
        Response.StatusCode = 422;
        return await ShowAsync(name, cluster, stop);
    }

    private async Task<IActionResult> ShowAsync(string name, string? cluster, CancellationToken stop)
    {
        if (store.FindClustering(name) is not { } clustering) return NotFound();
        Clustering = clustering;
        Tree = await clusterings.TreeAsync(clustering, stop);
        WhyStale = Staleness.WhyStale(clustering, store.FindSet(clustering.Set));
        Selected = cluster == null ? Tree.Roots.FirstOrDefault() : Tree.Find(cluster);
        if (Selected == null) return cluster == null ? Page() : NotFound();
        Path = Tree.PathTo(Selected);
        Siblings = [.. Tree.Children(Selected.ParentId).Where(sibling => sibling != Selected).OrderByDescending(sibling => sibling.ClusterId == Selected.NearestSiblingId)];
        LabelSets = store.LabelSets();
        if (clusterings.CorpusOf(clustering) is { } corpus)
        {
            CorpusName = corpus.Name;
            Exemplars = await items.FindAllAsync(corpus, Selected.ExemplarIds.Distinct().Take(24), stop);
            Boundary = await items.FindAllAsync(corpus, Selected.BoundaryIds.Distinct().Take(12), stop);
        }
        return Page();
    }
}
