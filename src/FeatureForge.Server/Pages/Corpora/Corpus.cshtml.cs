// One corpus: its items page by page, its quarantine, and what it was made from.
using FeatureForge.Data;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace FeatureForge.Server.Pages.Corpora;

public sealed class CorpusModel(Store store, ItemReader items) : PageModel
{
    private const int ItemsPerPage = 60;
    private const int RejectionsPerPage = 200;

    public CorpusManifest Corpus { get; private set; } = null!;
    /// <summary>Empty (all items), a modality, quarantine or about.</summary>
    public string View { get; private set; } = "";
    public IReadOnlyList<ItemRow> Items { get; private set; } = [];
    public IReadOnlyList<Rejection> Rejections { get; private set; } = [];
    public IReadOnlyList<(string Code, int Count)> RejectionCounts { get; private set; } = [];
    public PageOfList Pager { get; private set; } = new(0, 0, 0, "items", null, null);

    public async Task<IActionResult> OnGetAsync(string name, string? view, CancellationToken stop)
    {
        if (store.FindCorpus(name) is not { } corpus) return NotFound();
        Corpus = corpus;
        View = view ?? "";
        var number = int.TryParse(Request.Query["p"], out var asked) && asked > 0 ? asked : 0;
        if (View == "quarantine") await ReadQuarantineAsync(number, stop);
        else if (View != "about" && !await ReadItemsAsync(number, stop)) return NotFound();
        return Page();
    }

    private async Task<bool> ReadItemsAsync(int number, CancellationToken stop)
    {
        Modality? modality = null;
        if (View.Length > 0)
        {
            if (!Enum.TryParse<Modality>(View, ignoreCase: true, out var wanted) || !Enum.IsDefined(wanted)) return false;
            modality = wanted;
        }
        var total = modality is { } one ? Corpus.Items.GetValueOrDefault(one) : Corpus.TotalItems;
        var first = (long)number * ItemsPerPage;
        Items = await items.PageAsync(Corpus, modality, first, ItemsPerPage, stop);
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
        string Address(int page) => $"/corpora/{Corpus.Name}?view={View}&p={page}";
        return new((long)number * size, shown, total, what, number > 0 ? Address(number - 1) : null, (number + 1L) * size < total ? Address(number + 1) : null);
    }
}
