// The run ledger: the authority on which runs exist, where they stand and who may work on them. Safe for several
// processes at once; everything after TryAcquire is guarded by the attempt's fencing token.
using System.Data.Common;
using System.Globalization;
using System.Text.Json;

namespace FeatureForge.Data;

/// <summary>The runs of a store. Cheap to open; thread-safe; several processes may have it open.</summary>
public sealed class RunLedger : IDisposable
{
    private const int RunsPerTurn = 500;

    private readonly LedgerDatabase _database;
    private readonly Store _store;
    private readonly TimeProvider _time;

    private RunLedger(Store store, TimeProvider time)
    {
        _store = store;
        _database = LedgerDatabase.Open(store);
        _time = _database.Clock(time);
        Journal = new(_database, _time);
        Pipelines = new(_database, _time);
        Schedules = new(_database, _time);
        Access = new(_database, store, _time);
    }

    /// <summary>Opens the store's ledger, creating it when absent.</summary>
    public static RunLedger Open(Store store, TimeProvider time) => new(store, time);

    /// <summary>Log lines and metrics of runs.</summary>
    public RunJournal Journal { get; }
    public PipelineLedger Pipelines { get; }
    public ScheduleLedger Schedules { get; }
    /// <summary>Users, their secrets, and the audit log.</summary>
    public AccessLedger Access { get; }

    /// <summary>Leases and answers of a label set's queue, in this ledger.</summary>
    /// <exception cref="BadRequestException">No name for a label set.</exception>
    public QueueLeases Queue(string labelSet) => new(_database, labelSet, _time, ownsDatabase: false);

    /// <summary>Adds a queued run.</summary>
    public RunRow Create(RunRequest request)
    {
        var runId = _database.Write(connection => Insert(connection, request, _time.GetUtcNow()), repeatable: false);
        return Get(runId);
    }

    public RunRow? Find(string runId) =>
        _database.Read(connection => connection.Query("SELECT * FROM runs WHERE run_id = @run", RunReader.Row, ("@run", runId)).FirstOrDefault());

    /// <exception cref="BadRequestException">There is no such run.</exception>
    public RunRow Get(string runId) =>
        Find(runId) ?? throw new BadRequestException($"There is no run '{runId}' in this store; `runs list` shows those there are.");

    /// <summary>The newest run of that request, outside pipelines, that has not succeeded: to be resumed rather than repeated.</summary>
    public RunRow? FindUnfinished(string specHash) => FindByHash(specHash, "state <> 'succeeded' AND pipeline_id IS NULL");

    /// <summary>The newest run of that request that succeeded.</summary>
    // SQLite, which keeps no statistics here, would rather walk through all succeeded runs in order of time than sort those of one hash; of an expression it knows no index.
    public RunRow? FindSucceeded(string specHash) => FindByHash(specHash, "state || '' = 'succeeded'");

    public RunPage List(RunFilter filter) => _database.Read(connection => RunReader.Page(_database, connection, filter));

    /// <summary>How many runs there are of each kind in each state.</summary>
    public IReadOnlyList<RunCount> Count() => _database.Read(connection => connection.Query("SELECT kind, state, count(*) AS runs FROM runs GROUP BY kind, state",
        reader => new RunCount(RunWords.Parse<RunKind>(reader.Text("kind")!), RunWords.Parse<RunState>(reader.Text("state")!), reader.Number("runs"))));

    /// <summary>
    /// Runs that somebody should take up: queued with everything they need succeeded, or running under a lease that has
    /// expired or whose owner is dead; not those that were offered just now, or failed a moment ago. Oldest first, at most <paramref name="take"/> queued ones.
    /// </summary>
    public IReadOnlyList<RunRow> Claimable(IReadOnlyCollection<RunKind>? kinds = null, int take = 1000)
    {
        var among = kinds is null ? "" : $"AND kind IN ({string.Join(", ", kinds.Select(kind => $"'{RunWords.Word(kind)}'"))})";
        return _database.Read(connection => (List<RunRow>)
        [
            .. connection.Query($"SELECT * FROM runs WHERE state = 'running' {among} ORDER BY created_at, run_id", RunReader.Row).Where(LeaseIsBroken),
            .. connection.Query($"SELECT * FROM runs WHERE state = 'queued' {among} AND (offered_until IS NULL OR offered_until < @now) AND NOT EXISTS ({UnmetNeeds}) ORDER BY created_at, run_id LIMIT @take", RunReader.Row, ("@take", take), ("@now", Milliseconds(_time.GetUtcNow()))),
        ]);
    }

    /// <summary>Whether the caller is the one to offer the run to the workers now: for that long nobody else is.</summary>
    public bool TryOffer(string runId, TimeSpan duration)
    {
        var now = _time.GetUtcNow();
        return _database.Write(connection => connection.Execute("UPDATE runs SET offered_until = @until WHERE run_id = @run AND (offered_until IS NULL OR offered_until < @now)",
            ("@run", runId), ("@now", Milliseconds(now)), ("@until", Milliseconds(now + duration)))) == 1;
    }

    /// <summary>Nobody holds the run, or whoever held it is dead or silent for longer than its lease.</summary>
    public bool LeaseIsBroken(RunRow run) =>
        run.LeaseOwner is null || run.LeaseUntil < _time.GetUtcNow() || run.LeaseOwner.IsKnownDead;

    /// <summary>
    /// Takes the run: exactly one caller wins. Counts an attempt and hands out the next fencing token, which voids every
    /// earlier lease. Null when it is ended, held by a live owner, or waits for another run.
    /// </summary>
    public RunLease? TryAcquire(string runId, ProcessIdentity owner, TimeSpan duration)
    {
        var lease = Acquire(runId, owner, duration);
        // From here on the store itself knows of the run: see LedgerRebuild.
        if (lease is not null) RunFolder.Write(_store, Get(runId), log: null);
        return lease;
    }

    /// <summary>
    /// Does <paramref name="work"/> while no run can begin, end or be asked for. It is told which runs have begun and may go on: under way,
    /// queued again, or failed or stopped less than <paramref name="patience"/> ago. For short work; leases are not renewed meanwhile.
    /// </summary>
    internal T WhileNoRunBegins<T>(TimeSpan patience, Func<IReadOnlyList<RunRow>, DateTimeOffset, T> work) => _database.Write(connection =>
    {
        var now = _time.GetUtcNow();
        return work(connection.Query("SELECT * FROM runs WHERE attempt > 0 AND (state IN ('queued', 'running') OR (state IN ('failed', 'stopped') AND finished_at > @since)) ORDER BY created_at, run_id",
            RunReader.Row, ("@since", Milliseconds(now - patience))), now);
    }, repeatable: false);

    private RunLease? Acquire(string runId, ProcessIdentity owner, TimeSpan duration) => _database.Write(connection =>
    {
        var run = connection.Query($"SELECT * FROM runs WHERE run_id = @run AND NOT (state = 'queued' AND EXISTS ({UnmetNeeds}))", RunReader.Row, ("@run", runId)).FirstOrDefault();
        if (run is null || run.IsEnded || (run.State == RunState.Running && !LeaseIsBroken(run))) return null;
        var now = _time.GetUtcNow();
        connection.Execute("""
            UPDATE runs SET state = 'running', attempt = attempt + 1, fencing_token = fencing_token + 1, lease_owner = @owner,
                lease_until = @until, offered_until = NULL, started_at = coalesce(started_at, @now), finished_at = NULL, error = NULL, failure = NULL WHERE run_id = @run
            """, ("@run", runId), ("@owner", JsonSerializer.Serialize(owner, SpecJson.Line)), ("@until", Milliseconds(now + duration)), ("@now", Milliseconds(now)));
        return new RunLease(runId, run.FencingToken + 1, run.Attempt + 1);
    });

    /// <summary>Renews the lease and stores progress. True when somebody asked for the run to be cancelled.</summary>
    /// <exception cref="FencedException">Another worker holds the run now.</exception>
    public bool Heartbeat(RunLease lease, TimeSpan duration, RunProgress? progress, RunUsage? usage = null) => _database.Write(connection =>
    {
        Guarded(connection, lease, "lease_until = @until, progress = coalesce(@progress, progress), usage = coalesce(@usage, usage), cost = coalesce(@cost, cost)",
            ("@until", Milliseconds(_time.GetUtcNow() + duration)),
            ("@progress", progress is null ? null : JsonSerializer.Serialize(progress, SpecJson.Line)),
            ("@usage", usage is null ? null : JsonSerializer.Serialize(usage, SpecJson.Line)), ("@cost", usage?.Cost));
        return connection.Scalar<long>("SELECT cancel_requested FROM runs WHERE run_id = @run", ("@run", lease.RunId)) != 0;
    });

    /// <summary>Notes which process does the work, so that whoever takes the run over can make sure it is gone.</summary>
    /// <exception cref="FencedException">Another worker holds the run now.</exception>
    public void SetWorker(RunLease lease, ProcessIdentity worker) =>
        _database.Write(connection => Guarded(connection, lease, "worker = @worker", ("@worker", JsonSerializer.Serialize(worker, SpecJson.Line))));

    /// <summary>Throws unless that token is the run's current one and the run is running.</summary>
    /// <exception cref="FencedException">Another worker holds the run now.</exception>
    public void CheckFence(string runId, long token)
    {
        var current = Find(runId);
        if (current is null || current.State != RunState.Running || current.FencingToken != token) throw Fenced(runId, token, current);
    }

    /// <exception cref="FencedException">Another worker holds the run now.</exception>
    public void Succeed(RunLease lease, string result) => End(lease, RunState.Succeeded, error: null, result);

    /// <exception cref="FencedException">Another worker holds the run now.</exception>
    public void Stop(RunLease lease, string reason) => End(lease, RunState.Stopped, reason, result: null);

    /// <summary>
    /// Ends the attempt as failed. After a signal or lack of memory the run is queued again while it has attempts left, to be offered a little later each time; a
    /// failure that would repeat itself ends it.
    /// </summary>
    /// <param name="isNotAtFault">The attempt got further than the one before it, or was ended from outside: failures are counted from this one again.</param>
    /// <returns>Where the run stands now: queued or failed.</returns>
    /// <exception cref="FencedException">Another worker holds the run now.</exception>
    public RunState Fail(RunLease lease, RunFailure failure, string error, bool isNotAtFault = false)
    {
        var run = Get(lease.RunId);
        if (failure is RunFailure.BadRequest or RunFailure.Error || (!isNotAtFault && run.FailedAttempts + 1 >= run.MaxAttempts))
        {
            End(lease, RunState.Failed, error, result: null, failure);
            return RunState.Failed;
        }
        _database.Write(connection => Guarded(connection, lease, $"state = 'queued', failed_attempts = {(isNotAtFault ? "1" : "failed_attempts + 1")}, error = @error, failure = @failure, offered_until = @later, {RunTurns.NoLease}",
            ("@error", error), ("@failure", RunWords.Word(failure)), ("@later", Milliseconds(_time.GetUtcNow() + (isNotAtFault ? TimeSpan.Zero : Backoff(run.FailedAttempts))))));
        return RunState.Queued;
    }

    // One second, then twice as long each time: what failed for want of memory may find it free a little later.
    private static TimeSpan Backoff(int failedBefore) => TimeSpan.FromSeconds(Math.Min(60, Math.Pow(2, Math.Min(failedBefore, 6))));

    /// <summary>Puts the run back to be taken up by anybody: its host shuts down.</summary>
    /// <exception cref="FencedException">Another worker holds the run now.</exception>
    public void GiveBack(RunLease lease) => _database.Write(connection => Guarded(connection, lease, $"state = 'queued', {RunTurns.NoLease}"));

    /// <summary>Asks for the run to stop. One that nobody works on is stopped at once; otherwise its supervisor sees it within a second.</summary>
    public void RequestCancel(string runId)
    {
        _ = Get(runId);
        _database.Write(connection => Cancel(connection, [runId]));
    }

    /// <summary>The same for all runs that match and have not ended; the filter's page does not matter. A few hundred at a time, so that others get their turn.</summary>
    /// <returns>How many were stopped or asked to stop.</returns>
    public long RequestCancel(RunFilter filter) => ForAll(filter, "state IN ('queued', 'running')", Cancel);

    /// <summary>Queues all failed and stopped runs again that match; the filter's page does not matter.</summary>
    /// <returns>How many were queued.</returns>
    public long Resume(RunFilter filter) => ForAll(filter, "state IN ('failed', 'stopped')", RunTurns.Requeue);

    private long ForAll(RunFilter filter, string condition, Func<DbConnection, IReadOnlyList<string>, int> act)
    {
        var runs = _database.Read(connection => RunReader.Ids(_database, connection, filter, condition));
        return runs.Chunk(RunsPerTurn).Sum(some => (long)_database.Write(connection => act(connection, some)));
    }

    private int Cancel(DbConnection connection, IReadOnlyList<string> runIds) => RunTurns.Cancel(connection, runIds, Milliseconds(_time.GetUtcNow()), LeaseIsBroken);

    /// <summary>Queues a failed or stopped run again, with the runs that were waiting for it. Its staging folder is still there.</summary>
    /// <param name="budget">Money at which it is stopped from now on; null: as before.</param>
    /// <exception cref="BadRequestException">It has succeeded, there is no such run, or its budget is used up.</exception>
    public RunRow Resume(string runId, double? budget = null)
    {
        if (PriceTable.BudgetProblem(budget) is { } problem) throw new BadRequestException(problem);
        var run = Get(runId);
        if (budget is not null) run = run with { Budget = budget };
        if (run.State == RunState.Succeeded)
            throw new BadRequestException($"Run {runId} has succeeded; there is nothing to resume.");
        if (run.IsOutOfBudget)
            throw new BadRequestException(string.Create(CultureInfo.InvariantCulture, $"Run {runId} has cost {run.Usage!.Cost:0.####} {run.Usage.Currency}, its budget is {run.Budget}; go on with more: --budget AMOUNT."));
        _database.Write(connection =>
        {
            if (budget is not null) connection.Execute("UPDATE runs SET budget = @budget WHERE run_id = @run", ("@run", runId), ("@budget", budget));
            return RunTurns.Requeue(connection, [runId]);
        });
        return Get(runId);
    }

    /// <summary>Money spent since a time, by kind of run; kinds that cost nothing are left out.</summary>
    public IReadOnlyDictionary<RunKind, double> CostsSince(DateTimeOffset since) => _database.Read(connection =>
        connection.Query("SELECT kind, sum(cost) AS cost FROM runs WHERE created_at >= @since AND cost > 0 GROUP BY kind", reader => (Kind: RunWords.Parse<RunKind>(reader.Text("kind")!), Cost: reader.Real("cost")!.Value), ("@since", Milliseconds(since)))
            .ToDictionary(one => one.Kind, one => one.Cost));

    public void Dispose() => _database.Dispose();

    internal static string Insert(DbConnection connection, RunRequest request, DateTimeOffset now)
    {
        var runId = NewId(now, RunWords.Word(request.Kind));
        connection.Execute("""
            INSERT INTO runs (run_id, kind, spec, spec_hash, state, max_attempts, created_at, pipeline_id, stage, schedule_id, budget)
            VALUES (@run, @kind, @spec, @hash, 'queued', @max, @now, @pipeline, @stage, @schedule, @budget)
            """, ("@run", runId), ("@kind", RunWords.Word(request.Kind)), ("@spec", request.Spec), ("@hash", request.SpecHash), ("@max", request.MaxAttempts),
            ("@now", Milliseconds(now)), ("@pipeline", request.PipelineId), ("@stage", request.Stage), ("@schedule", request.ScheduleId), ("@budget", request.Budget));
        foreach (var need in request.Needs)
            connection.Execute("INSERT INTO run_needs (run_id, needs) VALUES (@run, @needs)", ("@run", runId), ("@needs", need));
        return runId;
    }

    /// <summary>Sorts by time, says what it is, unique: 20261122-202459-train-3f2a91c0.</summary>
    internal static string NewId(DateTimeOffset now, string what) =>
        string.Create(CultureInfo.InvariantCulture, $"{now.UtcDateTime:yyyyMMdd-HHmmss}-{what}-{Guid.NewGuid().ToString("N")[..8]}");

    /// <summary>Whether a folder's name is one that <see cref="NewId"/> gives.</summary>
    internal static bool IsRunId(string name) => DateTime.TryParseExact(name.Length > 15 ? name[..15] : "", "yyyyMMdd-HHmmss", CultureInfo.InvariantCulture, DateTimeStyles.None, out _);

    internal static long Milliseconds(DateTimeOffset moment) => moment.ToUnixTimeMilliseconds();

    private const string UnmetNeeds = """
        SELECT 1 FROM run_needs JOIN runs needed ON needed.run_id = run_needs.needs
        WHERE run_needs.run_id = runs.run_id AND needed.state <> 'succeeded'
        """;

    private void End(RunLease lease, RunState state, string? error, string? result, RunFailure? failure = null)
    {
        _database.Write(connection =>
        {
            Guarded(connection, lease, $"state = @state, error = @error, failure = @failure, result = @result, finished_at = @now, {RunTurns.NoLease}{(state == RunState.Failed ? ", failed_attempts = failed_attempts + 1" : "")}",
                ("@state", RunWords.Word(state)), ("@error", error), ("@failure", failure is { } kind ? RunWords.Word(kind) : null), ("@result", result), ("@now", Milliseconds(_time.GetUtcNow())));
            if (state == RunState.Succeeded) return 0;
            var run = connection.Query("SELECT * FROM runs WHERE run_id = @run", RunReader.Row, ("@run", lease.RunId))[0];
            return RunTurns.StopDependants(connection, run, state, Milliseconds(_time.GetUtcNow()));
        });
        RunFolder.Write(_store, Get(lease.RunId), Journal);
    }

    private int Guarded(DbConnection connection, RunLease lease, string assignments, params ReadOnlySpan<(string, object?)> values)
    {
        (string, object?)[] all = [.. values, ("@run", lease.RunId), ("@token", lease.Token)];
        var changed = connection.Execute($"UPDATE runs SET {assignments} WHERE run_id = @run AND fencing_token = @token AND state = 'running'", all);
        if (changed == 1) return 1;
        throw Fenced(lease.RunId, lease.Token, connection.Query("SELECT * FROM runs WHERE run_id = @run", RunReader.Row, ("@run", lease.RunId)).FirstOrDefault());
    }

    private static FencedException Fenced(string runId, long token, RunRow? current) => new(current is null
        ? $"Run {runId} is no longer in the ledger; attempt with fencing token {token} may not publish."
        : $"Run {runId}: this attempt holds fencing token {token}, expected {current.FencingToken} and a running run, found it {RunWords.Word(current.State)}. Another worker has it; nothing more was published here.");

    private RunRow? FindByHash(string specHash, string condition) => _database.Read(connection => connection.Query(
        $"SELECT * FROM runs WHERE spec_hash = @hash AND {condition} ORDER BY created_at DESC, run_id DESC LIMIT 1", RunReader.Row, ("@hash", specHash)).FirstOrDefault());
}
