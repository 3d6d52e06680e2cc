// The real program as a child process: its exit code, its two streams, and signals to it.
using System.Diagnostics;
using System.Text.Json;
using FeatureForge.Data;

namespace FeatureForge.Cli.Tests;

internal sealed record Outcome(int ExitCode, string Output, string Errors)
{
    internal JsonElement Json
    {
        get
        {
            using var document = JsonDocument.Parse(Output);
            return document.RootElement.Clone();
        }
    }
}

internal sealed class FeatureForgeProgram : IDisposable
{
    private readonly Process _process;
    private readonly Task<string> _output;
    private readonly Task<string> _errors;

    private FeatureForgeProgram(string storePath, string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Path.GetTempPath() };
        foreach (var argument in (string[])[Path.Combine(AppContext.BaseDirectory, "featureforge.dll"), .. arguments]) start.ArgumentList.Add(argument);
        start.Environment["FEATUREFORGE_STORE"] = storePath;
        _process = Process.Start(start)!;
        _output = _process.StandardOutput.ReadToEndAsync();
        _errors = _process.StandardError.ReadToEndAsync();
    }

    internal static FeatureForgeProgram Start(string storePath, params string[] arguments) => new(storePath, arguments);

    internal static async Task<Outcome> RunAsync(string storePath, params string[] arguments)
    {
        using var program = Start(storePath, arguments);
        return await program.EndAsync();
    }

    internal async Task<Outcome> EndAsync()
    {
        await _process.WaitForExitAsync();
        return new(_process.ExitCode, await _output, await _errors);
    }

    internal void Signal(string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{_process.Id}"]);
        kill.WaitForExit();
    }

    /// <summary>Polls until the condition holds; the deadline only turns a hang into a failure.</summary>
    internal static async Task<T> UntilAsync<T>(Func<T> look, Func<T, bool> condition)
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
    internal static async Task<RunRow> UntilWorkingAsync(string storePath)
    {
        await UntilAsync(() => File.Exists(Path.Combine(storePath, "catalog.db")), there => there);
        using var ledger = RunLedger.Open(Store.Open(storePath), TimeProvider.System);
        return (await UntilAsync(() => ledger.List(new()).Runs.FirstOrDefault(), run => run is { Progress.Done: > 0, State: RunState.Running }))!;
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }
}
