// The list of runs: filtered by state, stage and text, page by page; asks for itself again while it is open.
using System.Globalization;
using FeatureForge.Data;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace FeatureForge.Server.Pages.Runs;

public sealed class IndexModel(RunLedger ledger, JobWakeUp jobs, TimeProvider time) : PageModel
{
    private const int RunsPerPage = 50;

    [BindProperty(SupportsGet = true)] public string? Text { get; set; }
    [BindProperty(SupportsGet = true)] public RunState? State { get; set; }
    [BindProperty(SupportsGet = true)] public RunKind? Kind { get; set; }
    [BindProperty(SupportsGet = true, Name = "p")] public int Number { get; set; }

    public RunPage Runs { get; private set; } = new([], 0);
    public PageOfList Pager { get; private set; } = null!;
    public bool IsFiltered => !string.IsNullOrWhiteSpace(Text) || State != null || Kind != null;
    /// <summary>What the last action on all that match did.</summary>
    [TempData] public string? Done { get; set; }
    /// <summary>The filter, for forms that act on all that match.</summary>
    public IDictionary<string, string> Asked => new Dictionary<string, string> { ["text"] = Text ?? "", ["state"] = State?.ToString().ToLowerInvariant() ?? "", ["kind"] = Kind?.ToString().ToLowerInvariant() ?? "" };
    public string ListAddress => Address(Number) + "&handler=List";

    /// <summary>Seconds from start to end, or till now; null before the start.</summary>
    public double? Took(RunRow run) => run.StartedAt is { } start ? ((run.FinishedAt ?? time.GetUtcNow()) - start).TotalSeconds : null;

    public IActionResult OnGet() => Read() ? Page() : BadRequest();

    /// <summary>The table alone.</summary>
    public IActionResult OnGetList() => Read() ? Partial("_RunTable", this) : BadRequest();

    public IActionResult OnPostCancelAll() => ForAll(filter => string.Create(CultureInfo.InvariantCulture, $"{ledger.RequestCancel(filter):N0} runs are stopped or asked to stop."));

    public IActionResult OnPostResumeAll() => ForAll(filter =>
    {
        var resumed = ledger.Resume(filter);
        jobs.Wake();
        return string.Create(CultureInfo.InvariantCulture, $"{resumed:N0} runs are queued again.");
    });

    // Without a filter it would be everything there ever was.
    private IActionResult ForAll(Func<RunFilter, string> act)
    {
        if (!ModelState.IsValid || !IsFiltered) return BadRequest();
        Done = act(Filter);
        return Redirect(Address(0));
    }

    private RunFilter Filter => new() { Text = string.IsNullOrWhiteSpace(Text) ? null : Text.Trim(), State = State, Kind = Kind };

    private bool Read()
    {
        if (!ModelState.IsValid || Number < 0 || Number > 1_000_000) return false;
        Runs = ledger.List(Filter with { Skip = Number * RunsPerPage, Take = RunsPerPage });
        Pager = new((long)Number * RunsPerPage, Runs.Runs.Count, Runs.Total, "runs",
            Number > 0 ? Address(Number - 1) : null, (Number + 1L) * RunsPerPage < Runs.Total ? Address(Number + 1) : null);
        return true;
    }

    private string Address(int number) =>
        $"/runs?text={Uri.EscapeDataString(Text ?? "")}&state={State?.ToString().ToLowerInvariant()}&kind={Kind?.ToString().ToLowerInvariant()}&p={number}";
}
