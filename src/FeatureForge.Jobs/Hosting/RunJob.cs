// The Hangfire job of every run. Its argument is the run's id; everything else is in the ledger.
using FeatureForge.Data;
using Hangfire;

namespace FeatureForge.Jobs;

/// <summary>Performs one attempt at a run. Hangfire never retries it: the ledger decides.</summary>
public sealed class RunJob(JobHost host)
{
    [AutomaticRetry(Attempts = 0)]
    [JobDisplayName("{0}")]
    public async Task PerformAsync(string runId, CancellationToken stop)
    {
        var run = await host.PerformAsync(runId, stop);
        if (run is { Error: { } error, State: RunState.Failed or RunState.Queued }) throw new RunAttemptFailedException(error);
    }
}

/// <summary>An attempt failed; the job shows as failed in Hangfire's dashboard.</summary>
public sealed class RunAttemptFailedException(string? message) : Exception(message);

internal sealed class RunJobActivator(JobHost host) : JobActivator
{
    public override object ActivateJob(Type jobType) => new RunJob(host);
}
