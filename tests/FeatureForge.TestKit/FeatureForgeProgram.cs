// The real program as a child process: its exit code, its two streams, and signals to it.
using System.Diagnostics;
using System.Text.Json;
using FeatureForge.Data;

namespace FeatureForge.TestKit;

/// <summary>How the program ended and what it said.</summary>
public sealed record Outcome(int ExitCode, string Output, string Errors)
{
    public JsonElement Json
    {
        get
        {
            using var document = JsonDocument.Parse(Output);
            return document.RootElement.Clone();
        }
    }
}

/// <summary>The program under test, beside the tests' own assembly.</summary>
public sealed class FeatureForgeProgram : IDisposable
{
    private readonly Process _process;
    private readonly Task<string> _output;
    private readonly Task<string> _errors;

    private FeatureForgeProgram(string storePath, string[] arguments, string? token = null, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Path.GetTempPath() };
        foreach (var argument in (string[])[Path.Combine(AppContext.BaseDirectory, "featureforge.dll"), .. arguments]) start.ArgumentList.Add(argument);
        start.Environment["FEATUREFORGE_STORE"] = storePath;
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;
        if (token is not null) start.Environment["FEATUREFORGE_TOKEN"] = token;
        _process = Process.Start(start)!;
        _output = _process.StandardOutput.ReadToEndAsync();
        _errors = _process.StandardError.ReadToEndAsync();
    }

    public static FeatureForgeProgram Start(string storePath, params string[] arguments) => new(storePath, arguments);

    /// <summary>With further variables, as on a machine of its own.</summary>
    public static FeatureForgeProgram StartOn(IReadOnlyDictionary<string, string> environment, string storePath, params string[] arguments) => new(storePath, arguments, environment: environment);

    /// <summary>With an API token for --server.</summary>
    public static FeatureForgeProgram StartWithToken(string token, params string[] arguments) => new(Path.GetTempPath(), arguments, token);

    public static async Task<Outcome> RunAsync(string storePath, params string[] arguments)
    {
        using var program = Start(storePath, arguments);
        return await program.EndAsync();
    }

    public async Task<Outcome> EndAsync()
    {
        await _process.WaitForExitAsync();
        return new(_process.ExitCode, await _output, await _errors);
    }

    public void Signal(string signal) => Signal(_process.Id, signal);

    public static void Signal(int processId, string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{processId}"]);
        kill.WaitForExit();
    }

    /// <summary>Polls until the condition holds; the deadline only turns a hang into a failure.</summary>
    public static async Task<T> UntilAsync<T>(Func<T> look, Func<T, bool> condition)
    {
        var start = Stopwatch.GetTimestamp();
        while (true)
        {
            var seen = look();
            if (condition(seen)) return seen;
            if (Stopwatch.GetElapsedTime(start) > TimeSpan.FromMinutes(2)) throw new TimeoutException($"Gave up waiting; last seen: {seen}");
            await Task.Delay(50);
        }
    }

    /// <summary>The only run of the store once its worker reports progress.</summary>
    public static async Task<RunRow> UntilWorkingAsync(string storePath)
    {
        await UntilAsync(() => File.Exists(Path.Combine(storePath, "catalog.db")), there => there);
        using var ledger = RunLedger.Open(Store.Open(storePath), TimeProvider.System);
        return (await UntilAsync(() => ledger.List(new()).Runs.FirstOrDefault(), run => run is { Progress.Done: > 0, State: RunState.Running }))!;
    }

    /// <summary>The worker of the store's newest run once it reports progress; null when the program ended before that.</summary>
    public async Task<ProcessIdentity?> UntilWorkingOrEndedAsync(string storePath)
    {
        await UntilAsync(() => File.Exists(Path.Combine(storePath, "catalog.db")) || _process.HasExited, there => there);
        using var ledger = RunLedger.Open(Store.Open(storePath), TimeProvider.System);
        RunRow? Working() => ledger.List(new() { State = RunState.Running }).Runs.FirstOrDefault(run => run is { Progress.Done: > 0, Worker: not null });
        var run = await UntilAsync(() => (Run: Working(), _process.HasExited), seen => seen.Run is not null || seen.HasExited);
        return run.Run?.Worker;
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }
}
