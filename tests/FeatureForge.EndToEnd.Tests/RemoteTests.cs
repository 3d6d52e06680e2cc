// Verbs with --server: the command line asks a server that asks who it is, follows what it does there, and stops it there.
using System.Net;
using System.Net.Sockets;
using FeatureForge.Data;
using FeatureForge.TestKit;

namespace FeatureForge.EndToEnd.Tests;

public sealed class RemoteTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string StorePath => Path.Combine(_folder.Path, "store");

    public void Dispose() => _folder.Dispose();

    private static async Task<Outcome> AskAsync(string token, params string[] arguments)
    {
        using var program = FeatureForgeProgram.StartWithToken(token, arguments);
        return await program.EndAsync();
    }

    [Fact]
    public async Task What_is_asked_of_a_server_happens_there()
    {
        Assert.Equal(0, (await FeatureForgeProgram.RunAsync(StorePath, "users", "add", "ada", "--role", "admin")).ExitCode);
        var token = (await FeatureForgeProgram.RunAsync(StorePath, "tokens", "create", "--user", "ada", "--role", "editor")).Output.Trim();
        var reader = (await FeatureForgeProgram.RunAsync(StorePath, "tokens", "create", "--user", "ada", "--role", "viewer")).Output.Trim();
        var url = $"http://127.0.0.1:{FreePort.Find()}";
        using var server = FeatureForgeProgram.Start(StorePath, "serve", "--urls", url);
        using var http = new HttpClient();
        await FeatureForgeProgram.UntilAsync(() => IsUp(http, url), up => up);

        var nobody = await AskAsync("", "runs", "list", "--server", url);
        var mayNot = await AskAsync(reader, "selftest", "{}", "--server", url);
        var done = await AskAsync(token, "selftest", """{"units":2,"milliseconds_per_unit":10}""", "--server", url, "--json");
        var pipeline = Path.Combine(_folder.Path, "pipeline.json");
        await File.WriteAllTextAsync(pipeline, """{"name":"two","stages":[{"kind":"selftest","name":"a","spec":{"units":1,"milliseconds_per_unit":1}},{"kind":"selftest","name":"b","spec":{"units":1,"milliseconds_per_unit":2}}]}""");
        var both = await AskAsync(token, "run", pipeline, "--server", url, "--json");
        var kept = await AskAsync(token, "schedules", "add", pipeline, "--cron", "0 3 * * *", "--server", url, "--json");
        var schedule = kept.Json.GetProperty("schedule_id").GetString()!;
        var listed = await AskAsync(token, "schedules", "list", "--server", url);
        var now = await AskAsync(token, "schedules", "run", schedule, "--server", url, "--json");
        var missed = await AskAsync(token, "schedules", "missed", schedule, "--server", url, "--json");
        var removed = await AskAsync(token, "schedules", "rm", schedule, "--server", url);
        var unknown = await AskAsync(token, "runs", "show", "20200101-000000-train-00000000", "--server", url);
        var here = await AskAsync(token, "store", "verify", "--server", url);
        using var longOne = FeatureForgeProgram.StartWithToken(token, "selftest", """{"units":3000,"milliseconds_per_unit":100}""", "--server", url);
        using var ledger = RunLedger.Open(Store.Open(StorePath), TimeProvider.System);
        var run = await FeatureForgeProgram.UntilAsync(() => ledger.List(new() { State = RunState.Running }).Runs.FirstOrDefault(), one => one is { Progress.Done: > 0 });
        longOne.Signal("INT");
        var stopped = await longOne.EndAsync();

        Assert.Equal((2, 2, 2, 2), (nobody.ExitCode, mayNot.ExitCode, unknown.ExitCode, here.ExitCode));
        Assert.Contains("FEATUREFORGE_TOKEN", nobody.Errors);
        Assert.Contains("editor", mayNot.Errors);
        Assert.Contains("works on a store", here.Errors);
        Assert.Equal((0, "succeeded"), (done.ExitCode, done.Json.GetProperty("state").GetString()));
        Assert.Equal((0, 2), (both.ExitCode, both.Json.GetProperty("stages").GetArrayLength()));
        Assert.Contains(schedule, listed.Output);
        Assert.Equal((0, 2, 0, 0), (now.ExitCode, now.Json.GetProperty("stages").GetArrayLength(), missed.Json.GetProperty("count").GetInt32(), removed.ExitCode));
        Assert.Equal(4, stopped.ExitCode);
        Assert.Equal(RunState.Stopped, ledger.Get(run!.RunId).State);
    }

    private static bool IsUp(HttpClient http, string url)
    {
        try
        {
            using var answer = http.Send(new HttpRequestMessage(HttpMethod.Get, url + "/healthz"));
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException) { return false; }
    }
}
