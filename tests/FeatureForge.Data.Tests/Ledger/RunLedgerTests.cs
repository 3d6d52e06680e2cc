// The ledger's promises: one winner per lease, no writing with an old token, order in pipelines, one firing per due time.
using System.Text.Json;
using FeatureForge.TestKit;

namespace FeatureForge.Data.Tests;

public sealed class RunLedgerTests : IDisposable
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);
    private static readonly ProcessIdentity Elsewhere = new("another-host", 17, "boot/namespace/1");

    private readonly FixedTimeProvider _time = new();
    private TemporaryStore _place = null!;
    private Store _store = null!;
    private RunLedger _ledger = null!;

    private void Open(string ledger)
    {
        _place = TemporaryStore.On(ledger);
        (_store, _ledger) = (_place.Store, RunLedger.Open(_place.Store, _time));
    }

    public void Dispose()
    {
        _ledger.Dispose();
        _place.Dispose();
    }

    [Theory, EveryLedger]
    public async Task Of_many_that_race_for_a_lease_exactly_one_wins(string ledger)
    {
        Open(ledger);
        var run = _ledger.Create(Request());
        using var start = new Barrier(8);

        var leases = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Factory.StartNew(() =>
        {
            using var own = RunLedger.Open(_store, _time);
            start.SignalAndWait();
            return own.TryAcquire(run.RunId, ProcessIdentity.Current, Lease);
        }, TaskCreationOptions.LongRunning)));

        Assert.Single(leases, lease => lease is not null);
        Assert.Equal(1, _ledger.Get(run.RunId).FencingToken);
    }

    [Theory, EveryLedger]
    public void A_live_owner_keeps_its_lease_until_it_expires(string ledger)
    {
        Open(ledger);
        var run = _ledger.Create(Request());
        _ledger.TryAcquire(run.RunId, Elsewhere, Lease);

        var tooEarly = _ledger.TryAcquire(run.RunId, ProcessIdentity.Current, Lease);
        _time.Advance(Lease + TimeSpan.FromSeconds(1));
        var afterExpiry = _ledger.TryAcquire(run.RunId, ProcessIdentity.Current, Lease);

        Assert.Null(tooEarly);
        Assert.Equal((2, 2), (afterExpiry!.Token, afterExpiry.Attempt));
    }

    [Theory, EveryLedger]
    public void The_lease_of_a_process_that_died_here_is_broken_at_once(string ledger)
    {
        Open(ledger);
        var run = _ledger.Create(Request());
        var reusedId = ProcessIdentity.Current with { Start = ProcessIdentity.Current.Start + "0" };
        _ledger.TryAcquire(run.RunId, reusedId, Lease);

        Assert.Equal(run.RunId, Assert.Single(_ledger.Claimable()).RunId);
        Assert.NotNull(_ledger.TryAcquire(run.RunId, ProcessIdentity.Current, Lease));
    }

    [Theory, EveryLedger]
    public void An_old_token_can_neither_write_nor_publish(string ledger)
    {
        Open(ledger);
        var run = _ledger.Create(Request());
        var old = _ledger.TryAcquire(run.RunId, Elsewhere, Lease)!;
        _time.Advance(Lease * 2);
        var current = _ledger.TryAcquire(run.RunId, ProcessIdentity.Current, Lease)!;

        Assert.Throws<FencedException>(() => _ledger.Heartbeat(old, Lease, null));
        Assert.Throws<FencedException>(() => _ledger.Succeed(old, "{}"));
        Assert.Throws<FencedException>(() => _ledger.Fail(old, RunFailure.Signal, "late"));
        Assert.Throws<FencedException>(() => _ledger.CheckFence(run.RunId, old.Token));
        _ledger.CheckFence(run.RunId, current.Token);
        _ledger.Succeed(current, """{"items":3}""");
        Assert.Equal(RunState.Succeeded, _ledger.Get(run.RunId).State);
    }

    [Theory, EveryLedger]
    public void An_ended_run_is_not_handed_out_again(string ledger)
    {
        Open(ledger);
        var run = _ledger.Create(Request());
        _ledger.Succeed(_ledger.TryAcquire(run.RunId, ProcessIdentity.Current, Lease)!, "{}");

        Assert.Null(_ledger.TryAcquire(run.RunId, ProcessIdentity.Current, Lease));
        Assert.Empty(_ledger.Claimable());
        Assert.Null(_ledger.FindUnfinished(run.SpecHash));
        Assert.Equal(run.RunId, _ledger.FindSucceeded(run.SpecHash)!.RunId);
    }

    [Fact]
    public void A_failed_run_is_offered_again_a_little_later_each_time()
    {
        Open("sqlite");
        var run = _ledger.Create(Request());
        int Waits()
        {
            _ledger.Fail(_ledger.TryAcquire(run.RunId, ProcessIdentity.Current, Lease)!, RunFailure.Signal, "killed");
            for (var seconds = 0; ; seconds++)
            {
                if (_ledger.Claimable().Count == 1) return seconds;
                _time.Advance(TimeSpan.FromSeconds(1));
            }
        }

        Assert.Equal([2, 3], [Waits(), Waits()]);
    }

    [Theory, EveryLedger]
    public void A_run_that_gets_further_each_time_it_is_killed_is_not_given_up(string ledger)
    {
        Open(ledger);
        var run = _ledger.Create(Request());
        RunState Killed(bool gotFurther) => _ledger.Fail(_ledger.TryAcquire(run.RunId, ProcessIdentity.Current, Lease)!, RunFailure.Signal, "killed by SIGKILL", gotFurther);

        var further = Enumerable.Range(0, 10).Select(_ => Killed(true)).Distinct().ToList();
        var stuck = new[] { Killed(false), Killed(false) };

        Assert.Equal([RunState.Queued], further);
        Assert.Equal([RunState.Queued, RunState.Failed], stuck);
    }

    [Theory, EveryLedger]
    public void Retryable_failures_queue_the_run_again_until_its_attempts_are_used_up(string ledger)
    {
        Open(ledger);
        var run = _ledger.Create(Request());

        var states = Enumerable.Range(0, 3).Select(_ => _ledger.Fail(_ledger.TryAcquire(run.RunId, ProcessIdentity.Current, Lease)!, RunFailure.Signal, "killed by SIGKILL")).ToList();

        Assert.Equal([RunState.Queued, RunState.Queued, RunState.Failed], states);
        Assert.Equal("killed by SIGKILL", _ledger.Get(run.RunId).Error);
    }

    [Theory, EveryLedger]
    public void A_failure_that_would_repeat_itself_ends_the_run_at_once(string ledger)
    {
        Open(ledger);
        var run = _ledger.Create(Request());

        var state = _ledger.Fail(_ledger.TryAcquire(run.RunId, ProcessIdentity.Current, Lease)!, RunFailure.Error, "no such column");

        Assert.Equal(RunState.Failed, state);
    }

    [Theory, EveryLedger]
    public void A_supervisor_sees_a_cancel_request_at_its_heartbeat_and_a_waiting_run_stops_at_once(string ledger)
    {
        Open(ledger);
        var running = _ledger.Create(Request());
        var lease = _ledger.TryAcquire(running.RunId, ProcessIdentity.Current, Lease)!;
        var waiting = _ledger.Create(Request());

        var before = _ledger.Heartbeat(lease, Lease, null);
        _ledger.RequestCancel(running.RunId);
        _ledger.RequestCancel(waiting.RunId);

        Assert.False(before);
        Assert.True(_ledger.Heartbeat(lease, Lease, null));
        Assert.Equal(RunState.Stopped, _ledger.Get(waiting.RunId).State);
    }

    [Theory, EveryLedger]
    public void A_pipeline_goes_on_only_after_what_it_needs_and_resumes_where_it_failed(string ledger)
    {
        Open(ledger);
        var pipeline = _ledger.Pipelines.Create(new() { Name = "three", Stages = [Stage("a"), Stage("b"), Stage("c")] });
        var (a, b, c) = (pipeline.Runs[0].RunId, pipeline.Runs[1].RunId, pipeline.Runs[2].RunId);

        Assert.Equal(a, Assert.Single(_ledger.Claimable()).RunId);
        Assert.Null(_ledger.TryAcquire(b, ProcessIdentity.Current, Lease));
        _ledger.Succeed(_ledger.TryAcquire(a, ProcessIdentity.Current, Lease)!, "{}");
        _ledger.Fail(_ledger.TryAcquire(b, ProcessIdentity.Current, Lease)!, RunFailure.Error, "broken");
        Assert.Equal(RunState.Stopped, _ledger.Get(c).State);
        Assert.Equal(RunState.Failed, _ledger.Pipelines.Get(pipeline.PipelineId).State);

        _ledger.Resume(b);

        Assert.Equal(b, Assert.Single(_ledger.Claimable()).RunId);
        Assert.Equal(RunState.Queued, _ledger.Get(c).State);
    }

    [Theory, EveryLedger]
    public void A_due_schedule_fires_once_however_many_servers_ask(string ledger)
    {
        Open(ledger);
        var first = _time.GetUtcNow() + TimeSpan.FromMinutes(5);
        _ledger.Schedules.Create(new() { Name = "nightly", Cron = "0 3 * * *", Pipeline = new() { Stages = [Stage("a")] } }, first);
        Assert.Empty(_ledger.Schedules.Due());
        _time.Advance(TimeSpan.FromDays(3));
        var due = Assert.Single(_ledger.Schedules.Due());
        var next = _time.GetUtcNow() + TimeSpan.FromHours(1);

        var fired = new[] { _ledger.Schedules.TryFire(due, next), _ledger.Schedules.TryFire(due, next) };

        Assert.NotNull(fired[0]);
        Assert.Null(fired[1]);
        Assert.Equal(1, _ledger.List(new() { ScheduleId = due.ScheduleId }).Total);
        Assert.Empty(_ledger.Schedules.Due());
    }

    [Theory, EveryLedger]
    public void Metrics_after_the_step_of_a_resume_are_forgotten(string ledger)
    {
        Open(ledger);
        var run = _ledger.Create(Request());
        _ledger.Journal.AddMetrics(run.RunId, [new(10, "loss", 3), new(20, "loss", 2), new(30, "loss", double.NaN)]);

        _ledger.Journal.RewindMetrics(run.RunId, 20);
        _ledger.Journal.AddMetrics(run.RunId, [new(30, "loss", 1.5)]);

        Assert.Equal([3, 2, 1.5], _ledger.Journal.ReadMetrics(run.RunId, "loss").Select(row => row.Value));
    }

    [Theory, EveryLedger]
    public void The_end_of_a_run_leaves_its_record_and_log_in_the_store(string ledger)
    {
        Open(ledger);
        var run = _ledger.Create(Request());
        var lease = _ledger.TryAcquire(run.RunId, ProcessIdentity.Current, Lease)!;
        _ledger.Journal.AddLog(run.RunId, ("information", "first line"), ("warning", "second line"));

        _ledger.Succeed(lease, """{"items":3}""");

        using var record = JsonDocument.Parse(File.ReadAllText(_store.PathOf("runs", run.RunId, "run.json")));
        Assert.Equal("succeeded", record.RootElement.GetProperty("state").GetString());
        Assert.Equal(3, record.RootElement.GetProperty("result").GetProperty("items").GetInt32());
        Assert.Equal(2, File.ReadAllLines(_store.PathOf("runs", run.RunId, "log.txt")).Length);
    }

    [Theory, EveryLedger]
    public void Lists_are_filtered_and_paged_newest_first(string ledger)
    {
        Open(ledger);
        var runs = Enumerable.Range(0, 5).Select(number => _ledger.Create(Request($$"""{"corpus":"c{{number}}"}"""))).ToList();
        _ledger.RequestCancel(runs[1].RunId);

        var queued = _ledger.List(new() { State = RunState.Queued, Skip = 1, Take = 2 });
        var byText = _ledger.List(new() { Text = "\"c3\"" });

        Assert.Equal(4, queued.Total);
        Assert.Equal([runs[3].RunId, runs[2].RunId], queued.Runs.Select(run => run.RunId));
        Assert.Equal(runs[3].RunId, Assert.Single(byText.Runs).RunId);
    }

    private static RunRequest Request(string spec = "{}") => new() { Kind = RunKind.Selftest, Spec = spec };

    private static PipelineStage Stage(string name)
    {
        using var spec = JsonDocument.Parse("{}");
        return new() { Name = name, Kind = RunKind.Selftest, Spec = spec.RootElement.Clone() };
    }
}
