// Starts real processes from this test assembly, and waits for the ledger to say what a test expects.
using System.Diagnostics;
using FeatureForge.Data;

namespace FeatureForge.Jobs.Tests;

internal static class TestPrograms
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    /// <summary>Starts this assembly's own worker.</summary>
    internal static WorkerCommand Worker { get; } = new("dotnet", [typeof(TestPrograms).Assembly.Location]);

    /// <summary>A job host over the store in a process of its own.</summary>
    internal static Process StartHost(Store store, int leaseSeconds = 30) =>
        Process.Start(Knowing(store, new(Worker.FileName, [.. Worker.Arguments, "host", "--store", store.Root, "--lease", $"{leaseSeconds}"])))!;

    /// <summary>A worker without a supervisor: nobody ends it when its lease is lost, as when the supervisor's machine is cut off.</summary>
    internal static Process StartWorker(Store store, RunLease lease) =>
        Process.Start(Knowing(store, new(Worker.FileName, [.. Worker.Arguments, "worker", lease.RunId, "--store", store.Root, "--token", $"{lease.Token}"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        }))!;

    private static ProcessStartInfo Knowing(Store store, ProcessStartInfo start)
    {
        if (store.Ledger is { } ledger) start.Environment[Store.LedgerVariable] = ledger;
        return start;
    }

    /// <summary>Polls until the condition holds; the deadline only turns a hang into a failure.</summary>
    internal static async Task<T> UntilAsync<T>(Func<T> look, Func<T, bool> condition)
    {
        var start = Stopwatch.GetTimestamp();
        while (true)
        {
            var seen = look();
            if (condition(seen)) return seen;
            if (Stopwatch.GetElapsedTime(start) > Patience) throw new TimeoutException($"Gave up waiting after {Patience.TotalSeconds} s; last seen: {seen}");
            await Task.Delay(50);
        }
    }

    internal static Task<RunRow> UntilEndedAsync(RunLedger ledger, string runId) => UntilAsync(() => ledger.Get(runId), run => run.IsEnded);

    internal static bool IsAlive(ProcessIdentity process) => ProcessIdentity.Find(process.ProcessId) == process;

    internal static void Signal(int processId, string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{processId}"]);
        kill.WaitForExit();
    }
}
