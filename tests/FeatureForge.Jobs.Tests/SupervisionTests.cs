// Real workers that finish, fail, die, hang and freeze, under a real Hangfire host.
using FeatureForge.Data;
using FeatureForge.TestKit;

namespace FeatureForge.Jobs.Tests;

public sealed class SupervisionTests : IAsyncLifetime
{
    private static readonly SupervisionOptions Supervision = new() { Worker = TestPrograms.Worker, Grace = TimeSpan.FromSeconds(1) };

    private readonly TemporaryStore _place = new();
    private readonly JobHost _host;
    private readonly RunDesk _desk;

    public SupervisionTests()
    {
        _host = JobHost.Start(_place.Store, new() { Supervision = Supervision, Poll = TimeSpan.FromMilliseconds(100) }, TimeProvider.System);
        _desk = new(_place.Store, _host.Ledger, TimeProvider.System);
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await _host.DisposeAsync();
        _place.Dispose();
    }

    [Fact]
    public async Task A_run_ends_with_its_result_its_metrics_and_its_log()
    {
        var run = await EndAsync(new() { Units = 3 });

        Assert.Equal(RunState.Succeeded, run.State);
        Assert.Equal("""{"name":"selftest","units":3,"units_in_last_attempt":3}""", run.Result);
        Assert.Equal(new("selftest", 3, 3, "units", run.Progress!.PerSecond, 0), run.Progress);
        Assert.Equal([0, 1, 2], _host.Ledger.Journal.ReadMetrics(run.RunId, "unit").Select(row => row.Value));
        Assert.Contains("Attempt 1", Assert.Single(_host.Ledger.Journal.ReadLog(run.RunId)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(SelftestFault.Kill, "SIGKILL")]
    [InlineData(SelftestFault.Abort, "SIGABRT")]
    [InlineData(SelftestFault.OutOfMemory, "out of memory")]
    public async Task A_worker_that_dies_is_a_failed_attempt_and_the_next_one_resumes(SelftestFault fault, string named)
    {
        var run = await EndAsync(new() { Units = 4, Fault = fault, FaultUnit = 2, FaultyAttempts = 2 });

        Assert.Equal((RunState.Succeeded, 3), (run.State, run.Attempt));
        Assert.Contains("\"units_in_last_attempt\":2", run.Result, StringComparison.Ordinal);
        Assert.Equal(2, Log(run).Count(line => line.Contains(named, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_worker_that_always_dies_is_given_up_after_three_attempts()
    {
        var run = await EndAsync(new() { Fault = SelftestFault.Abort, FaultyAttempts = 10 });

        Assert.Equal((RunState.Failed, 3), (run.State, run.Attempt));
        Assert.Contains("SIGABRT", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_worker_that_somebody_kills_is_not_given_up()
    {
        var run = await EndAsync(new() { Fault = SelftestFault.Kill, FaultyAttempts = 5 });

        // Where the system does not say whether it was memory, three times are the limit.
        Assert.Equal(PosixProcess.OutOfMemoryKills() is null ? (RunState.Failed, 3) : (RunState.Succeeded, 6), (run.State, run.Attempt));
    }

    [Theory]
    [InlineData(SelftestFault.Throw, "InvalidDataException: The selftest was asked to fail.")]
    [InlineData(SelftestFault.BadRequest, "The selftest was asked to find its request wrong.")]
    public async Task A_failure_that_would_repeat_is_not_retried(SelftestFault fault, string error)
    {
        var run = await EndAsync(new() { Fault = fault, FaultyAttempts = 10 });

        Assert.Equal((RunState.Failed, 1, error), (run.State, run.Attempt, run.Error));
    }

    [Fact]
    public async Task A_run_whose_budget_is_used_up_stops_and_goes_on_with_more()
    {
        // Two million an hour: a worker's first second is more than enough.
        DurableFile.WriteAllText(_place.Store.PathOf("prices.json"), """{"currency":"beads","cpu_core_hour":2000000}""");
        var runId = _desk.Submit(RunKind.Selftest, new SelftestSpec { Units = 60, MillisecondsPerUnit = 50 }, budget: 0.001).Run.RunId;
        var stopped = await TestPrograms.UntilEndedAsync(_host.Ledger, runId);

        Assert.Equal(RunState.Stopped, stopped.State);
        Assert.Contains("The budget is used up: ", stopped.Error, StringComparison.Ordinal);
        Assert.Contains(" beads for ", stopped.Error, StringComparison.Ordinal);
        Assert.True(stopped.Usage!.Cost > 0.001 && Math.Abs(stopped.Usage.Cost - stopped.Usage.CpuSeconds * 2e6 / 3600) < 1e-6 * stopped.Usage.Cost, $"{stopped.Usage}");
        Assert.Contains("go on with more", Assert.Throws<BadRequestException>(() => _host.Ledger.Resume(runId)).Message, StringComparison.Ordinal);

        _host.Ledger.Resume(runId, budget: 1e9);
        var done = await TestPrograms.UntilEndedAsync(_host.Ledger, runId);

        Assert.Equal((RunState.Succeeded, 2), (done.State, done.Attempt));
        Assert.Contains("\"units\":60", done.Result, StringComparison.Ordinal);
        Assert.True(done.Usage!.CpuSeconds > stopped.Usage.CpuSeconds, $"{done.Usage}");
        Assert.Equal(done.Usage.Cost, _host.Ledger.CostsSince(DateTimeOffset.UnixEpoch)[RunKind.Selftest]);
    }

    [Fact]
    public async Task Cancelling_between_units_stops_cleanly_and_a_resume_goes_on_from_there()
    {
        var spec = new SelftestSpec { Units = 100, MillisecondsPerUnit = 50 };
        var runId = _desk.Submit(RunKind.Selftest, spec).Run.RunId;
        await TestPrograms.UntilAsync(() => _host.Ledger.Get(runId), run => run.Progress?.Done > 0);

        _host.Ledger.RequestCancel(runId);
        var stopped = await TestPrograms.UntilEndedAsync(_host.Ledger, runId);
        var ticket = _desk.Submit(RunKind.Selftest, spec);
        var ended = await TestPrograms.UntilEndedAsync(_host.Ledger, runId);

        Assert.Equal(RunState.Stopped, stopped.State);
        Assert.DoesNotContain(Log(stopped), line => line.Contains("killing", StringComparison.Ordinal));
        Assert.Equal((runId, RunOrigin.Resumed), (ticket.Run.RunId, ticket.Origin));
        Assert.Equal(RunState.Succeeded, ended.State);
        Assert.DoesNotContain("\"units_in_last_attempt\":100", ended.Result, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cancelling_inside_a_native_call_kills_the_worker_after_the_grace_period()
    {
        var runId = _desk.Submit(RunKind.Selftest, new SelftestSpec { Fault = SelftestFault.NativeSleep, FaultyAttempts = 10 }).Run.RunId;
        await TestPrograms.UntilAsync(() => File.Exists(Path.Combine(_place.Store.StagingFolder(runId), "faults.txt")), there => there);
        var worker = _host.Ledger.Get(runId).Worker!;

        _host.Ledger.RequestCancel(runId);
        var run = await TestPrograms.UntilEndedAsync(_host.Ledger, runId);

        Assert.Equal(RunState.Stopped, run.State);
        Assert.Contains(Log(run), line => line.Contains("killing it", StringComparison.Ordinal));
        Assert.False(TestPrograms.IsAlive(worker));
    }

    [Fact]
    public async Task A_host_that_shuts_down_gives_its_runs_back_for_the_next_one()
    {
        var runId = _desk.Submit(RunKind.Selftest, new SelftestSpec { Units = 40, MillisecondsPerUnit = 50 }).Run.RunId;
        await TestPrograms.UntilAsync(() => _host.Ledger.Get(runId), run => run.Progress?.Done > 0);

        await _host.DisposeAsync();
        var given = _host.Ledger.Get(runId);
        await using (JobHost.Start(_place.Store, new() { Supervision = Supervision }, TimeProvider.System))
            await TestPrograms.UntilEndedAsync(_host.Ledger, runId);

        Assert.Equal((RunState.Queued, 0), (given.State, given.FailedAttempts));
        Assert.Equal((RunState.Succeeded, 2), (_host.Ledger.Get(runId).State, _host.Ledger.Get(runId).Attempt));
    }

    [Fact]
    public async Task A_pipeline_runs_its_stages_in_order()
    {
        var pipeline = _desk.Submit(new PipelineSpec { Name = "two", Stages = [Named("first"), Named("second")] }).Pipeline;

        await TestPrograms.UntilAsync(() => _host.Ledger.Pipelines.Get(pipeline.PipelineId), row => row.State == RunState.Succeeded);

        var runs = _host.Ledger.Pipelines.Get(pipeline.PipelineId).Runs;
        Assert.True(runs[0].FinishedAt <= runs[1].StartedAt);
    }

    [Fact]
    public async Task A_schedule_whose_time_passed_while_nothing_ran_fires_once()
    {
        var schedule = _desk.Schedule(new() { Name = "late", OnceAt = TimeProvider.System.GetUtcNow().AddHours(-5), Pipeline = new() { Stages = [Named("only")] } });

        await TestPrograms.UntilAsync(() => _host.Ledger.List(new() { ScheduleId = schedule.ScheduleId, State = RunState.Succeeded }).Total, total => total == 1);

        Assert.Null(_host.Ledger.Schedules.Get(schedule.ScheduleId).NextAt);
        Assert.Equal(1, _host.Ledger.List(new() { ScheduleId = schedule.ScheduleId }).Total);
    }

    [Fact]
    public void A_wrong_request_lists_every_problem_and_leaves_no_run()
    {
        var pipeline = new PipelineSpec { Stages = [Named("a") with { Spec = Json("""{"units":-1}""") }, Named("b") with { Spec = Json("""{"unit":1}""") }] };

        var error = Assert.Throws<BadRequestException>(() => _desk.Submit(pipeline));

        Assert.Equal(2, error.Problems.Count);
        Assert.Equal(0, _host.Ledger.List(new()).Total);
    }

    private async Task<RunRow> EndAsync(SelftestSpec spec)
    {
        var ticket = _desk.Submit(RunKind.Selftest, spec);
        return await TestPrograms.UntilEndedAsync(_host.Ledger, ticket.Run.RunId);
    }

    private List<string> Log(RunRow run) => [.. _host.Ledger.Journal.ReadLog(run.RunId).Select(line => line.Message)];

    private static PipelineStage Named(string name) => new() { Name = name, Kind = RunKind.Selftest, Spec = Json($$"""{"name":"{{name}}"}""") };

    private static System.Text.Json.JsonElement Json(string text)
    {
        using var document = System.Text.Json.JsonDocument.Parse(text);
        return document.RootElement.Clone();
    }
}
