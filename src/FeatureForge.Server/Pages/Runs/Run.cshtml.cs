// One run: where it stands, what it says, what it was asked and what came of it. js/live.js keeps it current.
using System.Text.Json;
using FeatureForge.Data;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace FeatureForge.Server.Pages.Runs;

public sealed class RunModel(RunLedger ledger, JobWakeUp jobs) : PageModel
{
    private const int LogLines = 1000;

    public RunRow Run { get; private set; } = null!;
    public IReadOnlyList<RunLogLine> Log { get; private set; } = [];
    public bool LogIsCut { get; private set; }
    public long LastSequence => Log.Count == 0 ? 0 : Log[^1].Sequence;

    /// <summary>The page of what the run made, once it has succeeded.</summary>
    public (string Name, string Address)? Produced { get; private set; }

    public IActionResult OnGet(string id)
    {
        if (ledger.Find(id) is not { } run) return NotFound();
        Run = run;
        var log = ledger.Journal.ReadLog(id);
        LogIsCut = log.Count > LogLines;
        Log = [.. log.TakeLast(LogLines)];
        Produced = run.State == RunState.Succeeded ? FindProduct(run) : null;
        return Page();
    }

    public IActionResult OnPostCancel(string id)
    {
        if (ledger.Find(id) == null) return NotFound();
        ledger.RequestCancel(id);
        return RedirectToPage(new { id });
    }

    /// <param name="budget">For a run whose budget is used up: a larger one.</param>
    public IActionResult OnPostResume(string id, double? budget)
    {
        if (ledger.Find(id) is not { } run) return NotFound();
        if (run.State is RunState.Failed or RunState.Stopped) ledger.Resume(id, budget);
        jobs.Wake();
        return RedirectToPage(new { id });
    }

    private static (string, string)? FindProduct(RunRow run)
    {
        var (folder, field) = run.Kind switch
        {
            RunKind.Ingest or RunKind.Prepare or RunKind.Remove => ("corpora", "corpus"),
            RunKind.Train or RunKind.Import => ("encoders", "encoder"),
            RunKind.Extract => ("sets", "set"),
            RunKind.Cluster or RunKind.Map => ("clusterings", "clustering"),
            _ => ("", ""),
        };
        foreach (var json in new[] { run.Spec, run.Result ?? "{}" })
        {
            using var document = JsonDocument.Parse(json);
            if (document.RootElement.TryGetProperty(field, out var name) && name.ValueKind == JsonValueKind.String && Names.Problem(field, name.GetString()) == null)
                return (name.GetString()!, $"/{folder}/{name.GetString()}");
        }
        return null;
    }
}
