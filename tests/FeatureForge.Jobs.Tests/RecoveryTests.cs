// Hosts and workers that are killed with -9 or frozen: nothing is lost, nothing ends twice, nobody is left behind.
using FeatureForge.Data;
using FeatureForge.TestKit;

namespace FeatureForge.Jobs.Tests;

public sealed class RecoveryTests : IDisposable
{
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(1);

    private TemporaryStore _place = null!;
    private RunLedger _ledger = null!;

    private void Open(string ledger)
    {
        _place = TemporaryStore.On(ledger);
        _ledger = RunLedger.Open(_place.Store, TimeProvider.System);
    }

    public void Dispose()
    {
        _ledger.Dispose();
        _place.Dispose();
    }

    [Theory, EveryLedger]
    public async Task Queued_runs_survive_a_kill_of_their_host_and_each_ends_once(string ledger)
    {
        const int queued = 80;
        Open(ledger);
        for (var number = 0; number < queued; number++) _ledger.Create(Request($$"""{"name":"{{number}}"}"""));
        using (var first = TestPrograms.StartHost(_place.Store))
        {
            await TestPrograms.UntilAsync(() => Count(RunState.Succeeded), count => count >= 20);
            TestPrograms.Signal(first.Id, "KILL");
            await first.WaitForExitAsync();
        }
        var leftOver = _ledger.List(new() { State = RunState.Running }).Runs;
        await TestPrograms.UntilAsync(() => leftOver.Count(run => run.Worker is { } worker && TestPrograms.IsAlive(worker)), alive => alive == 0);

        using var second = TestPrograms.StartHost(_place.Store);
        await TestPrograms.UntilAsync(() => Count(RunState.Succeeded), count => count == queued);
        TestPrograms.Signal(second.Id, "KILL");
        await second.WaitForExitAsync();

        var runs = _ledger.List(new() { Take = 1000 }).Runs;
        Assert.Equal(queued, runs.Count);
        Assert.Equal(queued + leftOver.Count, runs.Sum(run => run.Attempt));
        Assert.All(runs, run => Assert.True(File.Exists(_place.Store.PathOf("runs", run.RunId, "selftest.txt"))));
    }

    [Theory, EveryLedger]
    public async Task A_worker_ends_when_its_supervisor_is_killed_even_inside_a_native_call(string ledger)
    {
        Open(ledger);
        var run = _ledger.Create(Request("""{"fault":"native_sleep"}"""));
        using var host = TestPrograms.StartHost(_place.Store);
        var working = await TestPrograms.UntilAsync(() => _ledger.Get(run.RunId), row => row.Worker is not null && File.Exists(Path.Combine(_place.Store.StagingFolder(run.RunId), "faults.txt")));

        TestPrograms.Signal(host.Id, "KILL");
        await host.WaitForExitAsync();

        await TestPrograms.UntilAsync(() => TestPrograms.IsAlive(working.Worker!), alive => !alive);
        Assert.Equal(run.RunId, Assert.Single(_ledger.Claimable()).RunId);
    }

    [Theory, EveryLedger]
    public async Task A_frozen_host_loses_its_run_and_its_worker_to_the_next_and_cannot_end_it_again(string ledger)
    {
        Open(ledger);
        // Long enough that it cannot be over when its first progress, reported once a second, is seen.
        var run = _ledger.Create(Request("""{"units":30,"milliseconds_per_unit":150}"""));
        using var frozen = TestPrograms.StartHost(_place.Store, leaseSeconds: 1);
        var working = await TestPrograms.UntilAsync(() => _ledger.Get(run.RunId), row => row.Progress?.Done > 0);
        TestPrograms.Signal(frozen.Id, "STOP");
        // Within a write it would keep SQLite's lock until it goes on: let it end that first.
        while (ledger == "sqlite" && !CanWrite())
        {
            TestPrograms.Signal(frozen.Id, "CONT");
            await Task.Delay(20);
            TestPrograms.Signal(frozen.Id, "STOP");
        }
        TestPrograms.Signal(working.Worker!.ProcessId, "STOP");
        await TestPrograms.UntilAsync(() => _ledger.Claimable().Count, count => count == 1);

        RunRow ended;
        await using (JobHost.Start(_place.Store, new() { Supervision = new() { Worker = TestPrograms.Worker } }, TimeProvider.System))
            ended = await TestPrograms.UntilEndedAsync(_ledger, run.RunId);
        TestPrograms.Signal(frozen.Id, "CONT");
        var next = _ledger.Create(Request("""{"name":"after"}"""));
        await TestPrograms.UntilEndedAsync(_ledger, next.RunId);
        TestPrograms.Signal(frozen.Id, "KILL");
        await frozen.WaitForExitAsync();

        Assert.False(TestPrograms.IsAlive(working.Worker));
        Assert.Equal((RunState.Succeeded, 2), (ended.State, ended.Attempt));
        Assert.Equal(ended, _ledger.Get(run.RunId));
    }

    private bool CanWrite()
    {
        using var connection = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={_place.Store.CatalogPath};Default Timeout=1;Pooling=false");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "BEGIN IMMEDIATE; ROLLBACK";
        try
        {
            command.ExecuteNonQuery();
            return true;
        }
        catch (Microsoft.Data.Sqlite.SqliteException error) when (error.SqliteErrorCode is 5 or 6) { return false; }
    }

    [Theory, EveryLedger]
    public async Task A_frozen_worker_whose_run_was_taken_over_publishes_nothing(string ledger)
    {
        Open(ledger);
        var run = _ledger.Create(Request("""{"units":10,"milliseconds_per_unit":100}"""));
        var lost = _ledger.TryAcquire(run.RunId, ProcessIdentity.Current, TimeSpan.FromSeconds(-1))!;
        using var worker = TestPrograms.StartWorker(_place.Store, lost);
        await TestPrograms.UntilAsync(() => File.Exists(Path.Combine(_place.Store.StagingFolder(run.RunId), "units.txt")), there => there);

        TestPrograms.Signal(worker.Id, "STOP");
        Assert.NotNull(_ledger.TryAcquire(run.RunId, ProcessIdentity.Current, Lease));
        TestPrograms.Signal(worker.Id, "CONT");
        await worker.WaitForExitAsync();

        Assert.Equal(WorkerExitCode.Fenced, worker.ExitCode);
        Assert.False(File.Exists(_place.Store.PathOf("runs", run.RunId, "selftest.txt")));
    }

    [Theory, EveryLedger]
    public async Task A_worker_with_a_stale_token_does_not_start(string ledger)
    {
        Open(ledger);
        var run = _ledger.Create(Request("{}"));
        var lost = _ledger.TryAcquire(run.RunId, ProcessIdentity.Current, TimeSpan.FromSeconds(-1))!;
        Assert.NotNull(_ledger.TryAcquire(run.RunId, ProcessIdentity.Current, Lease));

        using var worker = TestPrograms.StartWorker(_place.Store, lost);
        await worker.WaitForExitAsync();

        Assert.Equal(WorkerExitCode.Fenced, worker.ExitCode);
        Assert.False(Directory.Exists(_place.Store.StagingFolder(run.RunId)));
    }

    [NeedsToolFact("pg")]
    public async Task Two_servers_on_one_database_share_the_runs_and_each_is_done_once()
    {
        Open("postgres");
        for (var number = 0; number < 40; number++) _ledger.Create(Request($$"""{"name":"{{number}}","units":2,"milliseconds_per_unit":50}"""));

        using var first = TestPrograms.StartHost(_place.Store);
        using var second = TestPrograms.StartHost(_place.Store);
        await TestPrograms.UntilAsync(() => Count(RunState.Succeeded), count => count == 40);
        TestPrograms.Signal(first.Id, "KILL");
        TestPrograms.Signal(second.Id, "KILL");

        var runs = _ledger.List(new() { Take = 100 }).Runs;
        Assert.All(runs, run => Assert.Equal(1, run.Attempt));
        Assert.All(runs, run => Assert.True(File.Exists(_place.Store.PathOf("runs", run.RunId, "selftest.txt"))));
    }

    [NeedsToolFact("pg")]
    public async Task A_run_outlives_a_crash_of_the_database()
    {
        using var server = new PostgresServer();
        _place = new(server.NewSchema());
        _ledger = RunLedger.Open(_place.Store, TimeProvider.System);
        var run = _ledger.Create(Request("""{"units":20,"milliseconds_per_unit":100}"""));
        using var host = TestPrograms.StartHost(_place.Store);
        await TestPrograms.UntilAsync(() => _ledger.Get(run.RunId), row => row.Progress?.Done > 0);

        server.Crash();
        var ended = await TestPrograms.UntilEndedAsync(_ledger, run.RunId);
        TestPrograms.Signal(host.Id, "KILL");
        await host.WaitForExitAsync();

        Assert.Equal((RunState.Succeeded, 1), (ended.State, ended.Attempt));
    }

    private long Count(RunState state) => _ledger.List(new() { State = state, Take = 1 }).Total;

    private static RunRequest Request(string spec) => new() { Kind = RunKind.Selftest, Spec = spec };
}
