// Executes what a verb asked for: hosts the job server in this process, shows progress from the ledger, forwards Ctrl-C.
// If another process of the same store has the run, following it looks the same.
using FeatureForge.Data;
using FeatureForge.Jobs;

namespace FeatureForge.Cli;

/// <summary>Runs and pipelines from a terminal.</summary>
internal sealed class RunFollower(Store store, GlobalOptions options, ProgressDisplay display)
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(150);

    private readonly DateTimeOffset _start = TimeProvider.System.GetUtcNow();

    /// <summary>Asks for one run, performs it here and returns it ended. A run that is already done is returned as it is.</summary>
    /// <exception cref="BadRequestException">The request is wrong.</exception>
    internal async Task<(RunRow Run, RunOrigin Origin)> ExecuteAsync<TSpec>(RunKind kind, TSpec spec, CancellationToken stop) where TSpec : notnull
    {
        using var ledger = RunLedger.Open(store, TimeProvider.System);
        var ticket = new RunDesk(store, ledger, TimeProvider.System).Submit(kind, spec, options.Budget);
        if (ticket.Origin == RunOrigin.AlreadyDone) return (ticket.Run, ticket.Origin);
        Announce(ticket);
        await PerformAsync(ledger, ticket.Run.RunId, ticket.Origin, stop);
        return (ledger.Get(ticket.Run.RunId), ticket.Origin);
    }

    /// <summary>Asks for a pipeline, performs its runs here and returns it ended.</summary>
    /// <exception cref="BadRequestException">The request is wrong.</exception>
    internal Task<PipelineRow> ExecuteAsync(PipelineSpec pipeline, CancellationToken stop) => ExecuteAsync(desk => desk.Submit(pipeline), stop);

    /// <summary>The same for a pipeline that is asked for in another way.</summary>
    internal async Task<PipelineRow> ExecuteAsync(Func<RunDesk, PipelineTicket> ask, CancellationToken stop)
    {
        using var ledger = RunLedger.Open(store, TimeProvider.System);
        var ticket = ask(new(store, ledger, TimeProvider.System));
        if (ticket.Origin != RunOrigin.Created) display.Say($"Going on with pipeline {ticket.Pipeline.PipelineId}.");
        await PerformAsync(ledger, ticket.Pipeline.PipelineId, ticket.Origin, stop);
        return ledger.Pipelines.Get(ticket.Pipeline.PipelineId);
    }

    /// <summary>Takes up a queued run of the ledger here and returns it ended.</summary>
    internal async Task<RunRow> ResumeAsync(string runId, CancellationToken stop)
    {
        using var ledger = RunLedger.Open(store, TimeProvider.System);
        ledger.Resume(runId, options.Budget);
        await PerformAsync(ledger, runId, RunOrigin.Resumed, stop);
        return ledger.Get(runId);
    }

    private void Announce(RunTicket ticket)
    {
        if (ticket.Origin == RunOrigin.Resumed) display.Say($"Going on with run {ticket.Run.RunId}, which did not finish.");
        if (ticket.Origin == RunOrigin.AlreadyRunning) display.Say($"Run {ticket.Run.RunId} is being worked on by {ticket.Run.LeaseOwner}; following it.");
    }

    private async Task PerformAsync(RunLedger ledger, string id, RunOrigin origin, CancellationToken stop)
    {
        var queues = RunsOf(ledger, id).Select(run => Stage.Of(run.Kind).Queue).Distinct().ToList();
        await using var host = JobHost.Start(store, new() { Only = id, Queues = queues, Poll = TimeSpan.FromSeconds(1) }, TimeProvider.System);
        var seen = new Dictionary<string, long>();
        var asked = false;
        while (true)
        {
            var runs = RunsOf(ledger, id);
            foreach (var run in runs) Show(ledger, run, seen);
            if (runs.All(run => run.IsEnded)) break;
            if (stop.IsCancellationRequested && !asked)
            {
                // Somebody else's run goes on without its spectator.
                if (origin == RunOrigin.AlreadyRunning) throw new OperationCanceledException(stop);
                display.Say("Stopping; what is finished is kept. Ctrl-C again ends at once.");
                foreach (var run in runs.Where(run => !run.IsEnded)) ledger.RequestCancel(run.RunId);
                asked = true;
            }
            await Task.Delay(LookInterval, CancellationToken.None);
        }
        display.Clear();
    }

    private static IReadOnlyList<RunRow> RunsOf(RunLedger ledger, string id) =>
        ledger.Find(id) is { } run ? [run] : ledger.Pipelines.Get(id).Runs;

    private void Show(RunLedger ledger, RunRow run, Dictionary<string, long> seen)
    {
        foreach (var line in ledger.Journal.ReadLog(run.RunId, seen.GetValueOrDefault(run.RunId)))
        {
            seen[run.RunId] = line.Sequence;
            // Lines of earlier attempts were shown then.
            if (line.At < _start || (line.Level == "information" && !options.Verbose)) continue;
            // The error that ended the run is the last thing said, below.
            if (run.IsEnded && run.Error is { } error && line.Message.EndsWith(error, StringComparison.Ordinal)) continue;
            display.Say(line.Level == "information" ? line.Message : $"{line.Level}: {line.Message}");
        }
        if (run.State == RunState.Running) display.Show(run.Progress);
    }
}
