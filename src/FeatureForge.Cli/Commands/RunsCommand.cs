// `runs`: what the ledger knows, and what one may do about it.
using System.CommandLine;
using System.Globalization;
using FeatureForge.Data;

namespace FeatureForge.Cli;

internal static class RunsCommand
{
    private static readonly Argument<string> _run = new("RUN") { Description = "The run's id." };

    internal static Command Create() => new Command("runs", "Look after runs: list, show, cancel, resume, logs.").With(List(), Show(), Cancel(), Resume(), Logs());

    private static Command List()
    {
        var kind = new Option<string?>("--kind") { Description = "ingest, train, extract, cluster, map, evaluate." };
        var state = new Option<string?>("--state") { Description = "queued, running, succeeded, failed, stopped." };
        var text = new Option<string?>("--text") { Description = "Part of the run id or of its spec, for instance a corpus name." };
        var take = new Option<int>("--take") { Description = "Runs per page.", DefaultValueFactory = _ => 20 };
        var skip = new Option<int>("--skip") { Description = "Runs to skip." };
        return new Command("list", "List runs, newest first.").With(kind, state, text, take, skip).Does((parsed, options, _) =>
        {
            using var ledger = RunLedger.Open(options.OpenStore(), TimeProvider.System);
            var page = ledger.List(new()
            {
                Kind = parsed.GetValue(kind) is { } wantedKind ? Verb.Words<RunKind>("--kind", [wantedKind])[0] : null,
                State = parsed.GetValue(state) is { } wantedState ? Verb.Words<RunState>("--state", [wantedState])[0] : null,
                Text = parsed.GetValue(text),
                Take = parsed.GetValue(take),
                Skip = parsed.GetValue(skip),
            });
            if (options.Json) Verb.PrintJson(new { page.Total, Runs = page.Runs.Select(RunSummary.Json) });
            else Console.Out.WriteLine(Table(page));
            return Task.FromResult(ExitCode.Done);
        });
    }

    private static Command Show() => new Command("show", "Show one run.").With(_run).Does((parsed, options, _) =>
    {
        using var ledger = RunLedger.Open(options.OpenStore(), TimeProvider.System);
        Verb.PrintJson(ledger.Get(parsed.GetRequiredValue(_run)));
        return Task.FromResult(ExitCode.Done);
    });

    private static Command Cancel() => new Command("cancel", "Stop a run; it can be resumed.").With(_run).Does((parsed, options, _) =>
    {
        using var ledger = RunLedger.Open(options.OpenStore(), TimeProvider.System);
        var before = ledger.Get(parsed.GetRequiredValue(_run));
        ledger.RequestCancel(before.RunId);
        var run = ledger.Get(before.RunId);
        if (options.Json) Verb.PrintJson(RunSummary.Json(run));
        else Console.Out.WriteLine(before.IsEnded ? $"Run {run.RunId} had {Word(run.State)} before." : run.IsEnded ? $"Run {run.RunId} is stopped." : $"Run {run.RunId} is asked to stop; {run.LeaseOwner} sees to it.");
        return Task.FromResult(ExitCode.Done);
    });

    private static Command Resume() => new Command("resume", "Go on with a failed or stopped run, here.").With(_run).Does(async (parsed, options, stop) =>
    {
        var store = options.OpenStore();
        var run = await new RunFollower(store, options, ProgressDisplay.OfConsole(options.Quiet)).ResumeAsync(parsed.GetRequiredValue(_run), stop);
        return RunSummary.Print(run, store, options);
    });

    private static Command Logs() => new Command("logs", "Print a run's log.").With(_run).Does((parsed, options, _) =>
    {
        using var ledger = RunLedger.Open(options.OpenStore(), TimeProvider.System);
        var run = ledger.Get(parsed.GetRequiredValue(_run));
        var lines = ledger.Journal.ReadLog(run.RunId);
        if (options.Json) Verb.PrintJson(new { run.RunId, Lines = lines });
        else
            foreach (var line in lines) Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{line.At.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z {line.Level,-11} {line.Message}"));
        return Task.FromResult(ExitCode.Done);
    });

    private static string Table(RunPage page)
    {
        var table = TextTable.Format(["RUN", "STATE", "ATTEMPT", "PROGRESS", "WHAT"], page.Runs.Select(run => (IReadOnlyList<string>)
        [
            run.RunId, Word(run.State), run.Attempt.ToString(CultureInfo.InvariantCulture),
            run.State == RunState.Running && run.Progress is { } progress ? ProgressDisplay.Text(progress) : "",
            run.Error ?? run.Spec[..Math.Min(run.Spec.Length, 80)],
        ]));
        return page.Total > page.Runs.Count ? $"{table}\n{page.Runs.Count} of {page.Total} runs; --skip and --take show others." : table;
    }

    private static string Word(RunState state) => state.ToString().ToLowerInvariant();
}
