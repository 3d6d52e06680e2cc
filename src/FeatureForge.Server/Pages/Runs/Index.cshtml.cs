// The list of runs: filtered by state, stage and text, page by page; asks for itself again while it is open.
using FeatureForge.Data;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace FeatureForge.Server.Pages.Runs;

public sealed class IndexModel(RunLedger ledger, TimeProvider time) : PageModel
{
    private const int RunsPerPage = 50;

    [BindProperty(SupportsGet = true)] public string? Text { get; set; }
    [BindProperty(SupportsGet = true)] public RunState? State { get; set; }
    [BindProperty(SupportsGet = true)] public RunKind? Kind { get; set; }
    [BindProperty(SupportsGet = true, Name = "p")] public int Number { get; set; }

    public RunPage Runs { get; private set; } = new([], 0);
    public PageOfList Pager { get; private set; } = null!;
    public bool IsFiltered => Text != null || State != null || Kind != null;
    public string ListAddress => Address(Number) + "&handler=List";

    /// <summary>Seconds from start to end, or till now; null before the start.</summary>
    public double? Took(RunRow run) => run.StartedAt is { } start ? ((run.FinishedAt ?? time.GetUtcNow()) - start).TotalSeconds : null;

    public IActionResult OnGet() => Read() ? Page() : BadRequest();

    /// <summary>The table alone.</summary>
    public IActionResult OnGetList() => Read() ? Partial("_RunTable", this) : BadRequest();

    private bool Read()
    {
        if (!ModelState.IsValid || Number < 0 || Number > 1_000_000) return false;
        Runs = ledger.List(new() { Text = string.IsNullOrWhiteSpace(Text) ? null : Text.Trim(), State = State, Kind = Kind, Skip = Number * RunsPerPage, Take = RunsPerPage });
        Pager = new((long)Number * RunsPerPage, Runs.Runs.Count, Runs.Total, "runs",
            Number > 0 ? Address(Number - 1) : null, (Number + 1L) * RunsPerPage < Runs.Total ? Address(Number + 1) : null);
        return true;
    }

    private string Address(int number) =>
        $"/runs?text={Uri.EscapeDataString(Text ?? "")}&state={State?.ToString().ToLowerInvariant()}&kind={Kind?.ToString().ToLowerInvariant()}&p={number}";
}
