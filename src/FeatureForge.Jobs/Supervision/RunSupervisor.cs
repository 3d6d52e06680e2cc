// One attempt at one run, from lease to verdict: start a worker process, follow it, heartbeat, cancel, judge its end.
// If this process dies anywhere, its lease breaks, the worker notices and ends, and whoever looks at the ledger next goes on.
using System.Globalization;
using FeatureForge.Data;
using Microsoft.Extensions.Logging;

namespace FeatureForge.Jobs;

/// <summary>Times and the program that supervision uses.</summary>
public sealed record SupervisionOptions
{
    public WorkerCommand Worker { get; init; } = WorkerCommand.ThisProgram;
    /// <summary>How long a run stays with a silent supervisor on another machine. Dead ones on this machine lose it at once.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(30);
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromSeconds(1);
    /// <summary>How long a worker may take to stop cleanly before it is killed.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(10);
}

internal sealed class RunSupervisor(Store store, RunLedger ledger, SupervisionOptions options, TimeProvider time, ILogger log)
{
    // Each crash of a decoder convicts a file or puts some under suspicion; so many bad files in one run are another trouble.
    private const int MostRestarts = 500;

    // Attempts after which a worker that somebody kills each time is given up all the same.
    private const int MostOutsideKills = 50;

    /// <summary>Makes one attempt unless somebody else holds the run. Ends early, giving the run back, on <paramref name="shutdown"/>.</summary>
    /// <returns>The run as the attempt left it.</returns>
    internal async Task<RunRow> AttemptAsync(string runId, CancellationToken shutdown)
    {
        var lease = ledger.TryAcquire(runId, ProcessIdentity.Current, options.Lease);
        if (lease is null) return ledger.Get(runId);
        EndLeftOverWorker(runId);
        var taken = ledger.Get(runId);
        var before = taken.Progress;
        var began = time.GetTimestamp();
        var (prices, usage) = (PriceTable.OrUsual(store, problem => ledger.Journal.AddLog(runId, ("warning", problem))), taken.Usage);
        var outOfMemory = PosixProcess.OutOfMemoryKills();
        using var span = JobTelemetry.Begin(taken);

        for (var restarts = 0; ; restarts++)
        {
            var report = new AttemptReport(prices, usage);
            using var worker = Start(lease, report);
            if (worker is null) return ledger.Get(runId);
            Log.AttemptStarted(log, runId, lease.Attempt, worker.Identity.ProcessId);
            try
            {
                ledger.SetWorker(lease, worker.Identity);
                report.Log("information", $"Attempt {lease.Attempt}: worker {worker.Identity}.");
                var (exitCode, asked) = await FollowAsync(worker, lease, report, taken.Budget, shutdown);
                usage = report.Usage;
                if (asked == StopAsked.No && restarts < MostRestarts && Stage.CanGoOn(ledger.Get(runId), store, exitCode - 128, IsFromOutside(exitCode, outOfMemory)))
                {
                    report.Log("warning", $"The worker was ended by signal {exitCode - 128} ({PosixProcess.NameOf(exitCode - 128)}) while it decoded; starting it again, with the files under way one at a time.");
                    if (!report.Flush(ledger, lease, options.Lease)) continue;
                }
                Conclude(lease, report, worker, exitCode, asked, before, IsFromOutside(exitCode, outOfMemory));
            }
            catch (FencedException error)
            {
                worker.Kill();
                Log.AttemptFenced(log, runId, lease.Attempt, error.Message);
            }
            break;
        }
        var run = ledger.Get(runId);
        Log.AttemptEnded(log, runId, lease.Attempt, run.State);
        JobTelemetry.End(span, run, time.GetElapsedTime(began));
        return run;
    }

    private enum StopAsked
    {
        No,
        Cancelled,
        Shutdown,
        OutOfBudget,
    }

    // A supervisor that was killed or frozen may have left its worker behind; the two would share a staging folder.
    private void EndLeftOverWorker(string runId)
    {
        if (ledger.Get(runId).Worker is not { } worker || ProcessIdentity.Find(worker.ProcessId) != worker) return;
        PosixProcess.Signal(-worker.ProcessId, PosixProcess.SigKill);
        PosixProcess.Signal(worker.ProcessId, PosixProcess.SigKill);
        ledger.Journal.AddLog(runId, ("warning", $"Ended the worker of an earlier attempt ({worker})."));
    }

    private WorkerProcess? Start(RunLease lease, AttemptReport report)
    {
        try
        {
            return WorkerProcess.Start(options.Worker, store, lease, Stage.WorkerEnvironment(ledger.Get(lease.RunId)), report.Take);
        }
        catch (System.ComponentModel.Win32Exception error)
        {
            ledger.Fail(lease, RunFailure.Error, $"The worker program {options.Worker.FileName} could not be started: {error.Message}");
            return null;
        }
    }

    private async Task<(int ExitCode, StopAsked Asked)> FollowAsync(WorkerProcess worker, RunLease lease, AttemptReport report, double? budget, CancellationToken shutdown)
    {
        var asked = StopAsked.No;
        var askedAt = 0L;
        var killed = false;
        var exit = worker.WaitAsync();
        using var timer = new PeriodicTimer(options.Heartbeat, time);
        var tick = timer.WaitForNextTickAsync(CancellationToken.None).AsTask();
        // Completed by the shutdown token, so that stopping need not wait for the next heartbeat.
        var stopping = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var registration = shutdown.Register(() => stopping.TrySetResult());

        while (!exit.IsCompleted)
        {
            await (asked == StopAsked.No ? Task.WhenAny(exit, tick, stopping.Task) : Task.WhenAny(exit, tick));
            if (exit.IsCompleted) break;
            if (tick.IsCompleted) tick = timer.WaitForNextTickAsync(CancellationToken.None).AsTask();
            var cancel = report.Flush(ledger, lease, options.Lease);
            var isOutOfBudget = budget is { } most && report.Usage?.Cost >= most;
            if (asked == StopAsked.No && (cancel || shutdown.IsCancellationRequested || isOutOfBudget))
            {
                asked = cancel ? StopAsked.Cancelled : shutdown.IsCancellationRequested ? StopAsked.Shutdown : StopAsked.OutOfBudget;
                askedAt = time.GetTimestamp();
                report.Log("information", asked switch
                {
                    StopAsked.Cancelled => "Cancelling was asked for; asking the worker to stop.",
                    StopAsked.Shutdown => "The host shuts down; asking the worker to stop.",
                    _ => "The budget is used up; asking the worker to stop.",
                });
                worker.AskToStop();
            }
            else if (cancel) asked = StopAsked.Cancelled;
            if (asked != StopAsked.No && !killed && time.GetElapsedTime(askedAt) >= options.Grace)
            {
                report.Log("warning", $"The worker did not stop within {options.Grace.TotalSeconds.ToString(CultureInfo.InvariantCulture)} s, as happens inside a long native call; killing it.");
                worker.Kill();
                killed = true;
            }
        }
        return (await exit, asked);
    }

    private void Conclude(RunLease lease, AttemptReport report, WorkerProcess worker, int exitCode, StopAsked asked, RunProgress? before, bool fromOutside)
    {
        var cancel = report.Flush(ledger, lease, options.Lease);
        if (exitCode == WorkerExitCode.Done && report.Result is { } result)
        {
            ledger.Succeed(lease, result.GetRawText());
            return;
        }
        if (exitCode == WorkerExitCode.Fenced) throw new FencedException(report.Failure?.Message ?? "The worker found itself fenced.");
        if (cancel || asked == StopAsked.Cancelled)
        {
            ledger.Stop(lease, "Stopped on request; what is finished is kept, and the run can be resumed.");
            return;
        }
        if (asked == StopAsked.OutOfBudget)
        {
            var used = report.Usage!;
            ledger.Stop(lease, string.Create(CultureInfo.InvariantCulture, $"The budget is used up: {used.Cost:0.####} {used.Currency} for {used.CpuSeconds:0} CPU-seconds{(used.DeviceSeconds > 0 ? $" and {used.DeviceSeconds:0} seconds of {used.Device}" : "")}. What is finished is kept; go on with more: --budget AMOUNT."));
            return;
        }
        if (asked == StopAsked.Shutdown)
        {
            ledger.GiveBack(lease);
            return;
        }
        var (failure, error) = Judge(report, exitCode, fromOutside);
        var lines = worker.ErrorTail.Select(line => ("information", $"stderr: {line}")).ToList();
        ledger.Journal.AddLog(lease.RunId, [.. lines, ("error", $"Attempt {lease.Attempt} failed: {error}")]);
        // Killed again and again, a run that gets further each time is not at fault; nor is one whose worker somebody kills.
        var now = ledger.Get(lease.RunId).Progress;
        var gotFurther = failure == RunFailure.Signal && before is not null && now is not null && (now.Phase != before.Phase || now.Done > before.Done);
        var state = ledger.Fail(lease, failure, error, gotFurther || (fromOutside && lease.Attempt < MostOutsideKills));
        Log.AttemptFailed(log, lease.RunId, lease.Attempt, error, state);
    }

    // SIGKILL comes from the system when memory runs out, which it counts, or from a person or a program.
    private static bool IsFromOutside(int exitCode, long? outOfMemory) =>
        PosixProcess.NameOf(exitCode - 128) is "SIGKILL" or "SIGTERM" && outOfMemory is not null && PosixProcess.OutOfMemoryKills() == outOfMemory;

    private static (RunFailure Failure, string Error) Judge(AttemptReport report, int exitCode, bool fromOutside)
    {
        if (report.Failure is { } said)
        {
            return said.Kind switch
            {
                FailureKind.OutOfMemory => (RunFailure.OutOfMemory, $"The worker ran out of memory: {said.Message}"),
                FailureKind.BadRequest => (RunFailure.BadRequest, said.Message),
                _ => (RunFailure.Error, said.Message),
            };
        }
        if (PosixProcess.NameOf(exitCode - 128) is { } signal)
            return (RunFailure.Signal, $"The worker was ended by signal {exitCode - 128} ({signal}){(signal != "SIGKILL" ? "" : fromOutside ? ", which somebody sent: the system has killed nothing for want of memory meanwhile" : ", as the system does when memory runs out")}.");
        return exitCode == WorkerExitCode.Stopped
            ? (RunFailure.Signal, "The worker was asked to stop by somebody else than its supervisor.")
            : (RunFailure.Error, $"The worker ended with exit code {exitCode} and without a result; its last lines are in the log.");
    }
}
