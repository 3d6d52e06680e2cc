// Search: what in a set is like an item, a text or a file.
using FeatureForge.Data;
using FeatureForge.Jobs;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace FeatureForge.Server.Pages.Search;

[Needs(Write = AccessRole.Viewer, IsAudited = false), RequestSizeLimit(64 << 20), RequestFormLimits(MultipartBodyLengthLimit = 64 << 20)]
public sealed class IndexModel(Store store, SearchDesk desk, ItemReader items) : PageModel
{
    public IReadOnlyList<SetManifest> Sets { get; private set; } = [];
    public SetManifest? Set { get; private set; }
    public string? Item { get; private set; }
    public string? Text { get; private set; }
    public string? Where { get; private set; }
    public string ChosenLevel { get; private set; } = Level.High;
    public bool Exact { get; private set; }
    public string? FileName { get; private set; }
    public FoundItems? Found { get; private set; }
    public IReadOnlyList<ItemRow> Items { get; private set; } = [];
    public ItemRow? Like { get; private set; }
    public IReadOnlyDictionary<string, string> Notes { get; private set; } = new Dictionary<string, string>();
    public IReadOnlyList<string> Problems { get; private set; } = [];

    public async Task<IActionResult> OnGetAsync(string? set, string? item, string? text, string? where, string? level, bool exact, CancellationToken stop)
    {
        Take(set, item, text, where, level, exact);
        if (Set is not null && (Item is not null || Text is not null)) await FindAsync(null, stop);
        return Page();
    }

    public async Task<IActionResult> OnPostAsync(string? set, string? text, string? where, string? level, bool exact, IFormFile? file, CancellationToken stop)
    {
        if (file is null or { Length: 0 })
            return string.IsNullOrWhiteSpace(text) ? await OnGetAsync(set, null, null, where, level, exact, stop) : RedirectToPage(new { set, text, where, level, exact });
        Take(set, null, null, where, level, exact);
        FileName = Path.GetFileName(file.FileName);
        using var bytes = new MemoryStream();
        await file.CopyToAsync(bytes, stop);
        if (Set is not null) await FindAsync(bytes.ToArray(), stop);
        return Page();
    }

    private void Take(string? set, string? item, string? text, string? where, string? level, bool exact)
    {
        Sets = [.. store.Sets().Where(one => one.Tables.Any(table => table.Grain == Grain.Item))];
        Set = Sets.FirstOrDefault(one => one.Name == set) ?? (Sets.Count > 0 ? Sets[0] : null);
        (Item, Text, Where, Exact) = (Given(item), Given(text), Given(where), exact);
        if (Set is not null && Set.Tables.Any(table => table.Grain == Grain.Item && table.Level == level)) ChosenLevel = level!;
    }

    private async Task FindAsync(byte[]? file, CancellationToken stop)
    {
        try
        {
            Found = await desk.FindAsync(new() { Set = Set!.Name, Item = Item, Text = Item is null ? Text : null, File = file, Level = ChosenLevel, Where = Where, Exact = Exact }, stop);
            if (store.FindCorpus(Found.Corpus) is not { } corpus) return;
            Items = await items.FindAllAsync(corpus, Found.Neighbours.Select(hit => hit.ItemId), stop);
            Notes = Found.Neighbours.DistinctBy(hit => hit.ItemId).ToDictionary(hit => hit.ItemId, hit => hit.Distance.ToString("0.000", System.Globalization.CultureInfo.InvariantCulture));
            if (Item is not null) Like = await items.FindAsync(corpus, Item, withContent: false, stop);
        }
        catch (BadRequestException error)
        {
            Problems = error.Problems;
            Response.StatusCode = StatusCodes.Status422UnprocessableEntity;
        }
        catch (InferenceUnavailableException error)
        {
            Problems = [error.Message];
            Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        }
    }

    private static string? Given(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();
}
