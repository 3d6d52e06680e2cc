// The command line's contract: verbs, exit codes, one JSON object on standard output, bad requests told in full.
using System.Text.Json;
using FeatureForge.Data;
using FeatureForge.TestKit;

namespace FeatureForge.Cli.Tests;

public sealed class CommandLineTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Store => Path.Combine(_folder.Path, "store");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Help_lists_every_verb_for_people_and_none_for_machines()
    {
        var help = await FeatureForgeProgram.RunAsync(Store, "--help");

        Assert.Equal(0, help.ExitCode);
        foreach (var verb in (string[])["ingest", "train", "extract", "cluster", "map", "evaluate", "run", "serve", "runs", "corpus", "quarantine", "peek", "store", "doctor", "import-encoder", "export"])
            Assert.Contains($"\n  {verb} ", help.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("worker", help.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_that_succeeds_ends_with_0_and_one_JSON_object()
    {
        var outcome = await FeatureForgeProgram.RunAsync(Store, "selftest", """{"units":2}""", "--json");

        Assert.Equal(0, outcome.ExitCode);
        Assert.Equal("succeeded", outcome.Json.GetProperty("state").GetString());
        Assert.Equal(2, outcome.Json.GetProperty("result").GetProperty("units").GetInt32());
    }

    [Fact]
    public async Task A_schedule_is_kept_paused_run_at_once_and_removed()
    {
        var pipeline = Path.Combine(_folder.Path, "p.json");
        await File.WriteAllTextAsync(pipeline, """{"name":"nightly","stages":[{"kind":"selftest","spec":{"units":1}}]}""");

        var added = await FeatureForgeProgram.RunAsync(Store, "schedules", "add", pipeline, "--cron", "0 3 * * *", "--time-zone", "Europe/Rome", "--json");
        var id = added.Json.GetProperty("schedule_id").GetString()!;
        var paused = await FeatureForgeProgram.RunAsync(Store, "schedules", "pause", id, "--json");
        var missed = await FeatureForgeProgram.RunAsync(Store, "schedules", "missed", id);
        var ran = await FeatureForgeProgram.RunAsync(Store, "schedules", "run", id, "--json");
        var listed = await FeatureForgeProgram.RunAsync(Store, "schedules", "list");
        var removed = await FeatureForgeProgram.RunAsync(Store, "schedules", "rm", id);
        var gone = await FeatureForgeProgram.RunAsync(Store, "schedules", "run", id);
        var wrong = await FeatureForgeProgram.RunAsync(Store, "schedules", "add", pipeline, "--cron", "every day");

        Assert.Equal((0, "nightly", false), (added.ExitCode, paused.Json.GetProperty("name").GetString(), paused.Json.GetProperty("enabled").GetBoolean()));
        Assert.Contains("at every time since", missed.Output);
        Assert.Equal((0, "succeeded"), (ran.ExitCode, ran.Json.GetProperty("stages")[0].GetProperty("state").GetString()));
        Assert.Contains("paused", listed.Output);
        Assert.Equal((0, 2, 2), (removed.ExitCode, gone.ExitCode, wrong.ExitCode));
        using var ledger = RunLedger.Open(FeatureForge.Data.Store.Open(Store), TimeProvider.System);
        Assert.Equal(id, ledger.List(new()).Runs.Single().ScheduleId);
    }

    [Fact]
    public async Task A_run_that_fails_ends_with_3_and_says_how_to_go_on()
    {
        var outcome = await FeatureForgeProgram.RunAsync(Store, "selftest", """{"fault":"throw"}""", "--json");

        Assert.Equal(3, outcome.ExitCode);
        Assert.Equal(("failed", "error"), (outcome.Json.GetProperty("state").GetString(), outcome.Json.GetProperty("failure").GetString()));
        Assert.Contains($"runs resume {outcome.Json.GetProperty("run_id").GetString()}", outcome.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_request_that_only_the_stage_finds_wrong_ends_with_2()
    {
        var outcome = await FeatureForgeProgram.RunAsync(Store, "selftest", """{"fault":"bad_request"}""");

        Assert.Equal((2, "The selftest was asked to find its request wrong."), (outcome.ExitCode, outcome.Errors.Split('\n')[^2]));
    }

    [Theory]
    [InlineData("trian")]
    [InlineData("train", "--corpus")]
    [InlineData("ingest", "/no/such/folder", "--corpus", "a/b")]
    [InlineData("runs", "list")]
    [InlineData("selftest", "{}", "--server", "http://localhost:1")]
    [InlineData("selftest", """{"unknown":1}""")]
    public async Task A_wrong_request_ends_with_2_and_makes_no_store(params string[] arguments)
    {
        var outcome = await FeatureForgeProgram.RunAsync(Store, arguments);

        Assert.Equal(2, outcome.ExitCode);
        Assert.NotEmpty(outcome.Errors);
        Assert.False(File.Exists(Path.Combine(Store, "catalog.db")));
    }

    [Fact]
    public async Task Every_problem_of_a_request_is_told_at_once_and_no_run_is_left()
    {
        Data.Store.Open(Store);

        var outcome = await FeatureForgeProgram.RunAsync(Store, "train", "--corpus", "calls", "--encoder", "a/b", "--steps", "0", "--minutes", "1", "--json");

        Assert.Equal(2, outcome.ExitCode);
        Assert.Equal(4, outcome.Json.GetProperty("problems").GetArrayLength());
        using var ledger = RunLedger.Open(Data.Store.Open(Store), TimeProvider.System);
        Assert.Equal(0, ledger.List(new()).Total);
    }

    [Fact]
    public async Task A_pipeline_reports_its_stages_and_does_not_start_those_after_a_failure()
    {
        var file = _folder.Write("pipeline.json", """
            {"name":"p","stages":[{"name":"good","kind":"selftest","spec":{}},{"name":"bad","kind":"selftest","spec":{"fault":"throw"}},{"name":"never","kind":"selftest","spec":{}}]}
            """);

        var outcome = await FeatureForgeProgram.RunAsync(Store, "run", file, "--json");

        Assert.Equal(3, outcome.ExitCode);
        Assert.Equal(["succeeded", "failed", "stopped"], outcome.Json.GetProperty("stages").EnumerateArray().Select(stage => stage.GetProperty("state").GetString()));
    }

    [Fact]
    public async Task Interrupting_stops_cleanly_with_4_and_resuming_by_id_ends_the_run()
    {
        using var program = FeatureForgeProgram.Start(Store, "selftest", """{"units":200,"milliseconds_per_unit":50}""", "--json");
        var run = await FeatureForgeProgram.UntilWorkingAsync(Store);

        program.Signal("INT");
        var stopped = await program.EndAsync();
        var resumed = await FeatureForgeProgram.RunAsync(Store, "runs", "resume", run.RunId, "--json");

        Assert.Equal((4, "stopped"), (stopped.ExitCode, stopped.Json.GetProperty("state").GetString()));
        Assert.Contains("runs resume", stopped.Errors, StringComparison.Ordinal);
        Assert.Equal((0, run.RunId), (resumed.ExitCode, resumed.Json.GetProperty("run_id").GetString()));
        Assert.InRange(resumed.Json.GetProperty("result").GetProperty("units_in_last_attempt").GetInt32(), 0, 199);
    }

    [Fact]
    public async Task Killed_with_9_it_leaves_no_worker_and_the_same_command_goes_on()
    {
        string[] command = ["selftest", """{"units":40,"milliseconds_per_unit":50}""", "--json"];
        using var program = FeatureForgeProgram.Start(Store, command);
        var run = await FeatureForgeProgram.UntilWorkingAsync(Store);

        program.Signal("KILL");
        await program.EndAsync();
        await FeatureForgeProgram.UntilAsync(() => ProcessIdentity.Find(run.Worker!.ProcessId), found => found != run.Worker);
        var again = await FeatureForgeProgram.RunAsync(Store, command);

        Assert.Equal((0, run.RunId, 2), (again.ExitCode, again.Json.GetProperty("run_id").GetString(), again.Json.GetProperty("attempt").GetInt32()));
        Assert.InRange(again.Json.GetProperty("result").GetProperty("units_in_last_attempt").GetInt32(), 1, 39);
    }

    [Fact]
    public async Task Doctor_finds_LibTorch_and_says_so_as_JSON()
    {
        var outcome = await FeatureForgeProgram.RunAsync(Store, "doctor", "--json");

        var torch = outcome.Json.GetProperty("findings").EnumerateArray().Single(finding => finding.GetProperty("what").GetString() == "LibTorch");
        Assert.True(torch.GetProperty("good").GetBoolean(), torch.GetProperty("message").GetString());
        Assert.Equal(JsonValueKind.True, outcome.Json.GetProperty("healthy").ValueKind);
    }

    [Fact]
    public async Task Files_ingested_twice_are_items_once_and_can_be_peeked_at()
    {
        _folder.Write("texts/a.txt", "The first of two short documents, about ferns.");
        _folder.Write("texts/b.txt", "The second of two short documents, about moss.");
        var source = Path.Combine(_folder.Path, "texts");

        var first = await FeatureForgeProgram.RunAsync(Store, "ingest", source, "--corpus", "plants", "--json");
        var second = await FeatureForgeProgram.RunAsync(Store, "ingest", source, "--corpus", "plants", "--json");
        var peek = await FeatureForgeProgram.RunAsync(Store, "peek", "corpora/plants/items", "--json");

        Assert.Equal(2, first.Json.GetProperty("result").GetProperty("added").GetInt32());
        Assert.Equal((0, 2), (second.Json.GetProperty("result").GetProperty("added").GetInt32(), second.Json.GetProperty("result").GetProperty("already_there").GetInt32()));
        Assert.Equal(["a.txt", "b.txt"], peek.Json.GetProperty("rows").EnumerateArray().Select(row => row.GetProperty("path").GetString()).Order());
    }
}
