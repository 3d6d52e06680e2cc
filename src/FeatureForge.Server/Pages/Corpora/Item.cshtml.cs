// One item, large, with everything known about it.
using FeatureForge.Data;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace FeatureForge.Server.Pages.Corpora;

public sealed class ItemModel(Store store, ItemReader items) : PageModel
{
    public string Corpus { get; private set; } = "";
    public ItemRow Item { get; private set; } = null!;
    /// <summary>Embedding sets in which what is like the item can be found.</summary>
    public IReadOnlyList<string> Sets { get; private set; } = [];

    public async Task<IActionResult> OnGetAsync(string name, string id, CancellationToken stop)
    {
        if (store.FindCorpus(name) is not { } corpus || await items.FindAsync(corpus, id, withContent: false, stop) is not { } item) return NotFound();
        (Corpus, Item) = (name, item);
        Sets = [.. store.Sets().Where(set => set.Corpus == name && set.Modality == item.Modality).Select(set => set.Name).Take(4)];
        return Page();
    }
}
