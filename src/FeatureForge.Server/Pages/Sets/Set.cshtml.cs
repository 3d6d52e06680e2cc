// One embedding set: its tables, and how to read them with other tools.
using FeatureForge.Data;
using FeatureForge.Jobs;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace FeatureForge.Server.Pages.Sets;

public sealed class SetModel(Store store) : PageModel
{
    public SetManifest Set { get; private set; } = null!;
    public string? WhyStale { get; private set; }
    public IReadOnlyList<string> Clusterings { get; private set; } = [];
    /// <summary>The table that the snippets read: the deepest level of whole items.</summary>
    public SetTable? Example { get; private set; }
    public string Folder { get; private set; } = "";

    public IActionResult OnGet(string name)
    {
        if (store.FindSet(name) is not { } set) return NotFound();
        Set = set;
        WhyStale = Staleness.WhyStale(set, store.FindCorpus(set.Corpus), store.FindEncoder(set.Encoder));
        Clusterings = [.. store.Clusterings().Where(clustering => clustering.Set == name).Select(clustering => clustering.Name)];
        Example = set.Tables.OrderByDescending(table => table.Level == Level.High).ThenBy(table => table.Grain).FirstOrDefault();
        Folder = store.PlaceOf(Example == null ? store.SetFolder(name)
            : Path.Combine(store.SetFolder(name), "data", $"level={Example.Level}", $"grain={Example.Grain.ToString().ToLowerInvariant()}"));
        return Page();
    }
}
