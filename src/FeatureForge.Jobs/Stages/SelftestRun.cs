// A stage that does nothing useful in a chosen way: works in units, sleeps, dies. Supervision is proved with it, here and on a
// machine in question, without a corpus.
using System.Runtime.InteropServices;
using FeatureForge.Data;

namespace FeatureForge.Jobs;

/// <summary>How a selftest run goes wrong.</summary>
public enum SelftestFault
{
    None,
    /// <summary>kill -9 of the worker by itself.</summary>
    Kill,
    /// <summary>abort(), as libtorch does on some errors.</summary>
    Abort,
    /// <summary>An exception, the same every time.</summary>
    Throw,
    BadRequest,
    OutOfMemory,
    /// <summary>A native call that nothing but a kill interrupts.</summary>
    NativeSleep,
}

/// <summary>Work in units, each noted in the staging folder, with a fault at one of them.</summary>
public sealed record SelftestSpec
{
    /// <summary>Tells requests apart.</summary>
    public string Name { get; init; } = "selftest";
    public int Units { get; init; } = 1;
    public int MillisecondsPerUnit { get; init; }
    public SelftestFault Fault { get; init; }
    /// <summary>Before which unit the fault happens, from 0.</summary>
    public int FaultUnit { get; init; }
    /// <summary>How many attempts it happens in.</summary>
    public int FaultyAttempts { get; init; } = 1;

    public IReadOnlyList<string> Problems() => Units < 0 ? [$"units is {Units}; expected 0 or more."] : [];
}

/// <summary>What a selftest run did. <paramref name="UnitsInLastAttempt"/> is less than <paramref name="Units"/> when it resumed.</summary>
public sealed record SelftestResult(string Name, int Units, int UnitsInLastAttempt);

internal static partial class SelftestRun
{
    internal static async Task<SelftestResult> ExecuteAsync(SelftestSpec spec, RunContext context, CancellationToken stop)
    {
        Directory.CreateDirectory(context.StagingFolder);
        var units = Path.Combine(context.StagingFolder, "units.txt");
        var faults = Path.Combine(context.StagingFolder, "faults.txt");
        var done = Count(units);
        var meter = new ProgressMeter(context, "selftest", "units", spec.Units, done);
        var before = done;

        for (; done < spec.Units; done++)
        {
            stop.ThrowIfCancellationRequested();
            if (done == spec.FaultUnit && spec.Fault != SelftestFault.None && Count(faults) < spec.FaultyAttempts)
            {
                await File.AppendAllTextAsync(faults, "fault\n", CancellationToken.None);
                Misbehave(spec.Fault);
            }
            if (spec.MillisecondsPerUnit > 0) await Task.Delay(TimeSpan.FromMilliseconds(spec.MillisecondsPerUnit), context.Time, stop);
            await File.AppendAllTextAsync(units, $"{done}\n", CancellationToken.None);
            context.Reporter.Metric(done, "unit", done);
            meter.Add(1);
        }
        Publish(context, spec);
        return new(spec.Name, spec.Units, spec.Units - before);
    }

    // runs/RUN/selftest.txt; one file per run, so that a test can count what was published.
    private static void Publish(RunContext context, SelftestSpec spec)
    {
        context.CheckFence();
        DurableFile.WriteAllText(context.Store.PathOf("runs", context.RunId, "selftest.txt"), $"{spec.Name}\n");
        if (Directory.Exists(context.StagingFolder)) Directory.Delete(context.StagingFolder, recursive: true);
    }

    private static int Count(string path) => File.Exists(path) ? File.ReadLines(path).Count() : 0;

    private static void Misbehave(SelftestFault fault)
    {
        switch (fault)
        {
            case SelftestFault.Kill: PosixProcess.Signal(Environment.ProcessId, PosixProcess.SigKill); break;
            case SelftestFault.Abort: Abort(); break;
            case SelftestFault.Throw: throw new InvalidDataException("The selftest was asked to fail.");
            case SelftestFault.BadRequest: throw new BadRequestException("The selftest was asked to find its request wrong.");
            case SelftestFault.OutOfMemory: throw new OutOfMemoryException("The selftest was asked to run out of memory.");
            case SelftestFault.NativeSleep: SleepNatively(); break;
        }
    }

    private static void SleepNatively()
    {
        // A signal handled by the runtime wakes sleep() with the seconds left.
        for (uint left = 600; left > 0;) left = Sleep(left);
    }

    [LibraryImport("libc", EntryPoint = "abort")]
    private static partial void Abort();

    [LibraryImport("libc", EntryPoint = "sleep")]
    private static partial uint Sleep(uint seconds);
}
