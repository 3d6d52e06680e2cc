// Selections: which there are, keeping the items of a condition as one, removing one.
using FeatureForge.Data;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace FeatureForge.Server.Pages.Corpora;

[Needs(Write = AccessRole.Labeller)]
public sealed class SelectionsModel(Store store, ItemReader items, SelectionDesk desk) : PageModel
{
    public IReadOnlyList<SelectionManifest> All { get; private set; } = [];
    /// <summary>Only selections of this corpus; null = of all.</summary>
    public string? Corpus { get; private set; }
    /// <summary>The condition whose items are to be kept; null = none.</summary>
    public string? Where { get; private set; }
    public long Matching { get; private set; }
    public string Name { get; private set; } = "";
    public string? Problem { get; private set; }

    public Task<IActionResult> OnGetAsync(string? corpus, string? where, CancellationToken stop) => ShowAsync(corpus, where, stop);

    public async Task<IActionResult> OnPostCreateAsync(string? corpus, string? where, string? name, CancellationToken stop)
    {
        Name = name ?? "";
        if (corpus is null || Names.Problem("corpus", corpus) is not null || store.FindCorpus(corpus) is not { } manifest) return NotFound();
        try
        {
            var ids = await items.FilterAsync(manifest, where, stop) ?? throw new BadRequestException("The condition is empty.");
            var made = await desk.ChangeAsync(new() { Name = Name, Corpus = corpus, ItemIds = [.. ids.Ids], Author = HttpContext.Actor() ?? "", Note = $"where {where}" }, stop);
            return Redirect(Display.SelectionAddress(made.Corpus, made.Name));
        }
        catch (BadRequestException error)
        {
            Problem = error.Message;
            return await ShowAsync(corpus, where, stop);
        }
    }

    public async Task<IActionResult> OnPostRemoveAsync(string? name, CancellationToken stop)
    {
        if (Names.Problem("selection", name) is not null || store.FindSelection(name!) is not { } selection) return NotFound();
        await desk.RemoveAsync(selection.Name, stop);
        return RedirectToPage("/Corpora/Selections", new { corpus = selection.Corpus });
    }

    private async Task<IActionResult> ShowAsync(string? corpus, string? where, CancellationToken stop)
    {
        All = store.Selections();
        if (corpus is null) return Page();
        if (Names.Problem("corpus", corpus) is not null || store.FindCorpus(corpus) is not { } manifest) return NotFound();
        (Corpus, Where, All) = (corpus, where is { Length: > 0 and <= 1000 } ? where : null, [.. All.Where(one => one.Corpus == corpus)]);
        try { Matching = (await items.FilterAsync(manifest, Where, stop))?.Count ?? 0; }
        catch (BadRequestException error) { (Problem, Where) = (error.Message, null); }
        return Page();
    }
}
