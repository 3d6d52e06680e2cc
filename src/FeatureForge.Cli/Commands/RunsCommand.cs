// `runs`: what the ledger knows, and what one may do about it.
using System.CommandLine;
using System.Globalization;
using FeatureForge.Data;

namespace FeatureForge.Cli;

internal static class RunsCommand
{
    private static readonly Argument<string> _run = new("RUN") { Description = "The run's id." };
    private static readonly Argument<string?> _runOrNone = new("RUN") { Description = "The run's id; none with --all.", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Option<bool> _all = new("--all") { Description = "All runs that match --state, --kind and --text, instead of one." };
    private static readonly Option<string?> _kind = new("--kind") { Description = "ingest, train, extract, cluster, map, evaluate." };
    private static readonly Option<string?> _state = new("--state") { Description = "queued, running, succeeded, failed, stopped." };
    private static readonly Option<string?> _text = new("--text") { Description = "Part of the run id or of its spec, for instance a corpus name." };

    internal static Command Create() => new Command("runs", "Look after runs: list, show, cancel, resume, logs.").With(List(), Show(), Cancel(), Resume(), Logs());

    private static Command List()
    {
        var take = new Option<int>("--take") { Description = "Runs per page.", DefaultValueFactory = _ => 20 };
        var skip = new Option<int>("--skip") { Description = "Runs to skip." };
        return new Command("list", "List runs, newest first.").With(_kind, _state, _text, take, skip).Does(async (parsed, options, stop) =>
        {
            if (options.Server is not null)
            {
                using var server = Remote(options);
                var there = await server.GetAsync<RunPage>($"runs?take={parsed.GetValue(take)}&skip={parsed.GetValue(skip)}&state={parsed.GetValue(_state)}&kind={parsed.GetValue(_kind)}&text={Uri.EscapeDataString(parsed.GetValue(_text) ?? "")}", stop);
                return PrintPage(there, options);
            }
            using var ledger = RunLedger.Open(options.OpenStore(), TimeProvider.System);
            var page = ledger.List(Filter(parsed) with { Take = parsed.GetValue(take), Skip = parsed.GetValue(skip) });
            return PrintPage(page, options);
        });
    }

    private static RemoteServer Remote(GlobalOptions options) => new(options.Server!, ProgressDisplay.OfConsole(options.Quiet));

    private static int PrintPage(RunPage page, GlobalOptions options)
    {
        if (options.Json) Verb.PrintJson(new { page.Total, Runs = page.Runs.Select(RunSummary.Json) });
        else Console.Out.WriteLine(Table(page));
        return ExitCode.Done;
    }

    private static object Asked(ParseResult parsed)
    {
        var filter = Filter(parsed);
        return new { filter.State, filter.Kind, filter.Text };
    }

    private sealed record Count(long Runs);

    private static RunFilter Filter(ParseResult parsed) => new()
    {
        Kind = parsed.GetValue(_kind) is { } kind ? Verb.Words<RunKind>("--kind", [kind])[0] : null,
        State = parsed.GetValue(_state) is { } state ? Verb.Words<RunState>("--state", [state])[0] : null,
        Text = parsed.GetValue(_text),
    };

    /// <summary>The one run that is meant, or null for all that match.</summary>
    private static string? OneOrAll(ParseResult parsed)
    {
        var run = parsed.GetValue(_runOrNone);
        if (run is null == parsed.GetValue(_all)) return run;
        throw new BadRequestException(run is null ? "Name a run, or say --all (with --state, --kind or --text)." : "Name a run or say --all, not both.");
    }

    private static int PrintCount(GlobalOptions options, long runs, string what)
    {
        if (options.Json) Verb.PrintJson(new { Runs = runs });
        else Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{runs:N0} runs {what}."));
        return ExitCode.Done;
    }

    private static Command Show() => new Command("show", "Show one run.").With(_run).Does(async (parsed, options, stop) =>
    {
        if (options.Server is not null)
        {
            using var server = Remote(options);
            Verb.PrintJson(await server.GetAsync<RunRow>($"runs/{parsed.GetRequiredValue(_run)}", stop));
            return ExitCode.Done;
        }
        using var ledger = RunLedger.Open(options.OpenStore(), TimeProvider.System);
        Verb.PrintJson(ledger.Get(parsed.GetRequiredValue(_run)));
        return ExitCode.Done;
    });

    private static Command Cancel() => new Command("cancel", "Stop a run, or all that match; they can be resumed.").With(_runOrNone, _all, _kind, _state, _text).Does(async (parsed, options, stop) =>
    {
        var one = OneOrAll(parsed);
        if (options.Server is not null)
        {
            using var server = Remote(options);
            if (one is null) return PrintCount(options, (await server.PostAsync<Count>("runs/cancel", Asked(parsed), stop)).Runs, "are stopped or asked to stop");
            var asked = await server.PostAsync<RunRow>($"runs/{one}/cancel", null, stop);
            if (options.Json) Verb.PrintJson(RunSummary.Json(asked));
            else Console.Out.WriteLine(asked.IsEnded ? $"Run {one} is {Word(asked.State)}." : $"Run {one} is asked to stop.");
            return ExitCode.Done;
        }
        using var ledger = RunLedger.Open(options.OpenStore(), TimeProvider.System);
        if (one is null) return PrintCount(options, ledger.RequestCancel(Filter(parsed)), "are stopped or asked to stop");
        var before = ledger.Get(one);
        ledger.RequestCancel(before.RunId);
        var run = ledger.Get(before.RunId);
        if (options.Json) Verb.PrintJson(RunSummary.Json(run));
        else Console.Out.WriteLine(before.IsEnded ? $"Run {run.RunId} had {Word(run.State)} before." : run.IsEnded ? $"Run {run.RunId} is stopped." : $"Run {run.RunId} is asked to stop; {run.LeaseOwner} sees to it.");
        return ExitCode.Done;
    });

    private static Command Resume() => new Command("resume", "Go on with a failed or stopped run, here; or queue all that match again, for a server.").With(_runOrNone, _all, _kind, _state, _text).Does(async (parsed, options, stop) =>
    {
        var one = OneOrAll(parsed);
        if (options.Server is not null)
        {
            using var server = Remote(options);
            if (one is null) return PrintCount(options, (await server.PostAsync<Count>("runs/resume", Asked(parsed), stop)).Runs, "are queued again");
            return RunSummary.PrintRemote(await server.FollowAsync(await server.PostAsync<RunRow>($"runs/{one}/resume", new { options.Budget }, stop), stop), options);
        }
        var store = options.OpenStore();
        if (one is null)
        {
            using var ledger = RunLedger.Open(store, TimeProvider.System);
            return PrintCount(options, ledger.Resume(Filter(parsed)), "are queued again; `serve` performs them");
        }
        var run = await new RunFollower(store, options, ProgressDisplay.OfConsole(options.Quiet)).ResumeAsync(one, stop);
        return RunSummary.Print(run, store, options);
    });

    private static Command Logs() => new Command("logs", "Print a run's log.").With(_run).Does(async (parsed, options, stop) =>
    {
        var (runId, lines) = (parsed.GetRequiredValue(_run), (IReadOnlyList<RunLogLine>)[]);
        if (options.Server is not null)
        {
            using var server = Remote(options);
            lines = await server.GetAsync<IReadOnlyList<RunLogLine>>($"runs/{runId}/log", stop);
        }
        else
        {
            using var ledger = RunLedger.Open(options.OpenStore(), TimeProvider.System);
            lines = ledger.Journal.ReadLog(ledger.Get(runId).RunId);
        }
        if (options.Json) Verb.PrintJson(new { RunId = runId, Lines = lines });
        else
            foreach (var line in lines) Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{line.At.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z {line.Level,-11} {line.Message}"));
        return ExitCode.Done;
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
