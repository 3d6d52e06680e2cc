// Hangfire in this process: workers per queue, fed from the ledger. Its storage is in memory, or in the ledger's PostgreSQL database, where
// all servers of a store share one. The ledger is the authority: whatever Hangfire forgets or does twice is set right there.
using System.Collections.Concurrent;
using FeatureForge.Data;
using Hangfire;
using Hangfire.InMemory;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace FeatureForge.Jobs;

/// <summary>What a job host takes up, and how many runs at a time.</summary>
public sealed record JobHostOptions
{
    /// <summary>Queues to work on: some of <see cref="Stage.Queues"/>.</summary>
    public IReadOnlyList<string> Queues { get; init; } = Stage.Queues;
    /// <summary>Runs at a time per queue.</summary>
    public int WorkersPerQueue { get; init; } = 1;
    /// <summary>Take up only this run or the runs of this pipeline; null takes up everything the ledger has, and fires schedules.</summary>
    public string? Only { get; init; }
    /// <summary>How often the ledger is asked for runs to take up.</summary>
    public TimeSpan Poll { get; init; } = TimeSpan.FromSeconds(2);
    public SupervisionOptions Supervision { get; init; } = new();
}

/// <summary>A running Hangfire server with its ledger. Start it, ask for runs at a <see cref="RunDesk"/>, dispose it.</summary>
public sealed class JobHost : IAsyncDisposable
{
    // Runs in Hangfire's queues per worker, and how long one that no worker has taken stays there before it is offered again.
    private const int QueueLength = 4;
    private static readonly TimeSpan Offer = TimeSpan.FromMinutes(2);

    private readonly JobHostOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly RunSupervisor _supervisor;
    private readonly IBackgroundJobClient _client;
    private readonly List<BackgroundJobServer> _servers = [];
    private readonly ConcurrentDictionary<string, bool> _enqueued = [];
    private readonly bool _isShared;
    private readonly CancellationTokenSource _stopping = new();
    private readonly SemaphoreSlim _wake = new(0);
    private readonly Task _looking;

    private JobHost(Store store, JobHostOptions options, TimeProvider time, ILogger log)
    {
        (_options, _time, _log) = (options, time, log);
        Ledger = RunLedger.Open(store, time);
        _supervisor = new(store, Ledger, options.Supervision, time, log);
        // A host of one run must not take others' from a common queue.
        _isShared = options.Only is null && store.Ledger is not null;
        Storage = HangfireStorage.For(_isShared ? store.Ledger : null);
        _client = new BackgroundJobClient(Storage);
        var shutdown = options.Supervision.Grace + TimeSpan.FromSeconds(10);
        foreach (var queue in options.Queues)
            _servers.Add(new(new BackgroundJobServerOptions
            {
                ServerName = $"{queue}:{Environment.MachineName}:{Environment.ProcessId}",
                Queues = [queue],
                WorkerCount = options.WorkersPerQueue,
                Activator = new RunJobActivator(this),
                CancellationCheckInterval = TimeSpan.FromSeconds(1),
                StopTimeout = shutdown,
                ShutdownTimeout = shutdown,
            }, Storage));
        _looking = LookAsync();
    }

    /// <summary>Starts taking up runs.</summary>
    public static JobHost Start(Store store, JobHostOptions options, TimeProvider time, ILogger? log = null) =>
        new(store, options, time, log ?? NullLogger.Instance);

    public RunLedger Ledger { get; }

    /// <summary>Hangfire's storage, for its dashboard.</summary>
    public JobStorage Storage { get; }

    /// <summary>Looks at the ledger now rather than at the next poll: something was just asked for.</summary>
    public void Wake() => _wake.Release();

    /// <summary>Stops taking up runs and stops those in progress; they are queued again for the next host.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_stopping.IsCancellationRequested) return;
        await _stopping.CancelAsync();
        foreach (var server in _servers) server.SendStop();
        await _looking;
        foreach (var server in _servers)
        {
            await server.WaitForShutdownAsync(CancellationToken.None);
            server.Dispose();
        }
        Ledger.Dispose();
        _wake.Dispose();
        _stopping.Dispose();
    }

    internal async Task<RunRow> PerformAsync(string runId, CancellationToken stop)
    {
        RunRow run;
        try
        {
            // Fires on shutdown, and when somebody deletes the job in Hangfire's dashboard: that means cancel.
            using var deleted = stop.Register(() => { if (!_stopping.IsCancellationRequested) Ledger.RequestCancel(runId); });
            run = await _supervisor.AttemptAsync(runId, _stopping.Token);
        }
        finally { _enqueued.TryRemove(runId, out _); }
        // Others may wait for it. What failed outside the run (the ledger's disk is full) does not come here: it waits for the next look, or it would fail again at once, for ever.
        if (!_stopping.IsCancellationRequested) Wake();
        return run;
    }

    private async Task LookAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                if (_options.Only is null) ScheduleClock.FireDue(Ledger, _time, _log);
                EnqueueClaimable();
            }
            // The ledger may be busy or its disk full for a while; the host outlives that.
            catch (Exception error) when (error is System.Data.Common.DbException or BackgroundJobClientException) { Log.LookFailed(_log, error); }
            try { await _wake.WaitAsync(_options.Poll, _stopping.Token); }
            catch (OperationCanceledException) { return; }
        }
    }

    private void EnqueueClaimable()
    {
        // A short queue: what waits stays in the ledger, where it can be cancelled, searched and taken by other servers.
        var room = QueueLength * _options.WorkersPerQueue * _options.Queues.Count;
        var kinds = Enum.GetValues<RunKind>().Where(kind => _options.Queues.Contains(Stage.Of(kind).Queue)).ToList();
        foreach (var run in _options.Only is null ? Ledger.Claimable(kinds, room) : Ledger.Claimable(kinds, int.MaxValue))
        {
            if (_options.Only is { } only && run.RunId != only && run.PipelineId != only) continue;
            var queue = Stage.Of(run.Kind).Queue;
            if (_isShared ? !Ledger.TryOffer(run.RunId, Offer) : !_enqueued.TryAdd(run.RunId, true)) continue;
            Log.RunEnqueued(_log, run.RunId, queue);
            _client.Enqueue<RunJob>(queue, job => job.PerformAsync(run.RunId, CancellationToken.None));
        }
    }
}
