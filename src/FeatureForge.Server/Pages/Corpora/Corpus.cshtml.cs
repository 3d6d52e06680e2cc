// One corpus: its items page by page, all or those for which a condition holds, a report on its quality, its quarantine, and what it was made from.
using FeatureForge.Data;
using FeatureForge.Ingest;
using FeatureForge.Jobs;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace FeatureForge.Server.Pages.Corpora;

public sealed class CorpusModel(Store store, ItemReader items, CorpusReports reports, RunDesk desk, JobWakeUp jobs) : PageModel
{
    private const int ItemsPerPage = 60;
    private const int RejectionsPerPage = 200;

    public CorpusManifest Corpus { get; private set; } = null!;
    /// <summary>Empty (all items), a modality, quality, quarantine or about.</summary>
    public string View { get; private set; } = "";
    /// <summary>The condition that the items shown fulfil, as <see cref="FeatureForge.Clustering.ItemFilter"/> reads it; empty = all.</summary>
    public string Where { get; private set; } = "";
    /// <summary>A condition about items of the kind that is shown.</summary>
    public string Example => Display.ConditionExample(Enum.TryParse<Modality>(View, ignoreCase: true, out var shown) ? shown : Corpus.Items.MaxBy(kind => kind.Value).Key);
    /// <summary>What is wrong with the condition.</summary>
    public string? Problem { get; private set; }
    public CorpusReport? Report { get; private set; }
    public IReadOnlyList<SelectionManifest> Selections { get; private set; } = [];
    public IReadOnlyList<ItemRow> Items { get; private set; } = [];
    public IReadOnlyList<Rejection> Rejections { get; private set; } = [];
    public IReadOnlyList<(string Code, int Count)> RejectionCounts { get; private set; } = [];
    public PageOfList Pager { get; private set; } = new(0, 0, 0, "items", null, null);

    public async Task<IActionResult> OnGetAsync(string name, string? view, string? where, CancellationToken stop)
    {
        if (store.FindCorpus(name) is not { } corpus) return NotFound();
        Corpus = corpus;
        View = view ?? "";
        Where = where is { Length: <= 1000 } ? where.Trim() : "";
        Selections = [.. store.Selections().Where(one => one.Corpus == name)];
        var number = int.TryParse(Request.Query["p"], out var asked) && asked > 0 ? asked : 0;
        if (View == "quarantine") await ReadQuarantineAsync(number, stop);
        else if (View == "quality") Report = await reports.ReadAsync(corpus, stop);
        else if (View != "about" && !await ReadItemsAsync(number, stop)) return NotFound();
        return Page();
    }

    /// <summary>Tries quarantined files again, those of one code or all.</summary>
    public IActionResult OnPostRetry(string name, string? code)
    {
        if (store.FindCorpus(name) is not { } corpus) return NotFound();
        var only = string.IsNullOrEmpty(code) ? null : RetrySelection.CodeOf(code);
        if (only is null && !string.IsNullOrEmpty(code)) return NotFound();
        var ticket = desk.Submit(RunKind.Ingest, new RetrySelection { Codes = only is { } one ? [one] : [] }.Of(corpus));
        jobs.Wake();
        return Redirect($"/runs/{ticket.Run.RunId}");
    }

    private async Task<bool> ReadItemsAsync(int number, CancellationToken stop)
    {
        Modality? modality = null;
        if (View.Length > 0)
        {
            if (!Enum.TryParse<Modality>(View, ignoreCase: true, out var wanted) || !Enum.IsDefined(wanted)) return false;
            modality = wanted;
        }
        ItemIdSet? allowed;
        try { allowed = await items.FilterAsync(Corpus, Where, stop); }
        catch (BadRequestException error)
        {
            (Problem, allowed) = (error.Message, ItemIdSet.None);
        }
        var total = await items.CountAsync(Corpus, modality, allowed, stop);
        var first = (long)number * ItemsPerPage;
        Items = await items.PageAsync(Corpus, modality, allowed, first, ItemsPerPage, stop);
        Pager = PagerOf(number, ItemsPerPage, Items.Count, total, "items");
        return true;
    }

    private async Task ReadQuarantineAsync(int number, CancellationToken stop)
    {
        var all = new List<Rejection>();
        foreach (var part in Corpus.QuarantineParts)
            await foreach (var rejection in QuarantineTable.ReadAsync(store.FileOf(store.CorpusFolder(Corpus.Name), part), stop)) all.Add(rejection);
        RejectionCounts = [.. all.GroupBy(rejection => QuarantineTable.CodeName(rejection.Code)).Select(code => (code.Key, code.Count())).OrderByDescending(code => code.Item2)];
        Rejections = [.. all.Skip(number * RejectionsPerPage).Take(RejectionsPerPage)];
        Pager = PagerOf(number, RejectionsPerPage, Rejections.Count, all.Count, "files");
    }

    private PageOfList PagerOf(int number, int size, int shown, long total, string what)
    {
        string Address(int page) => $"/corpora/{Corpus.Name}?view={View}{(Where.Length > 0 ? "&where=" + Uri.EscapeDataString(Where) : "")}&p={page}";
        return new((long)number * size, shown, total, what, number > 0 ? Address(number - 1) : null, (number + 1L) * size < total ? Address(number + 1) : null);
    }
}
