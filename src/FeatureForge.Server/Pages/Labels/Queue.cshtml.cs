// The page on which people label: one item after the other, in the order of the queue.
using FeatureForge.Data;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace FeatureForge.Server.Pages.Labels;

public sealed class QueueModel(Store store, SignInPolicy policy) : PageModel
{
    public string Name { get; private set; } = "";
    public string Set { get; private set; } = "";
    public string Corpus { get; private set; } = "";
    /// <summary>Only its items are asked about; null = any.</summary>
    public string? Selection { get; private set; }
    /// <summary>Who labels unless the page remembers another.</summary>
    public string Author => HttpContext.Actor()!;
    /// <summary>Where people sign in they label as themselves.</summary>
    public bool AsksWho => policy.IsRequired;

    public IActionResult OnGet(string? name, string? set, string? selection)
    {
        if (Names.Problem("label set", name) is not null || set is null || Names.Problem("embedding set", set) is not null || store.FindSet(set) is not { } manifest) return NotFound();
        if (selection is { Length: > 0 } && (Names.Problem("selection", selection) is not null || store.FindSelection(selection)?.Corpus != manifest.Corpus)) return NotFound();
        (Name, Set, Corpus, Selection) = (name!, set, manifest.Corpus, selection is { Length: > 0 } ? selection : null);
        return Page();
    }
}
