// The worker process: one attempt at one run. Its supervisor holds the lease; this process proves that it belongs to the
// current one, executes the stage, reports in lines, and is gone as soon as its supervisor is.
using System.Runtime.InteropServices;
using FeatureForge.Data;
using Microsoft.Win32.SafeHandles;

namespace FeatureForge.Jobs;

/// <summary>What <c>featureforge worker</c> runs.</summary>
public static class WorkerProgram
{
    /// <summary>Executes the run's stage for the attempt with that fencing token.</summary>
    /// <returns>The process's exit code.</returns>
    public static async Task<int> RunAsync(string storePath, string runId, long token, TimeProvider time)
    {
        PosixProcess.StartOwnSession();
        using var protocol = new FileStream(new SafeFileHandle(PosixProcess.TakeStandardOutput(), ownsHandle: true), FileAccess.Write);
        using var output = new StreamWriter(protocol);
        var reporter = new LineReporter(output);
        DieWithSupervisor();
        using var stop = new CancellationTokenSource();
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => { signal.Cancel = true; stop.Cancel(); });
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => signal.Cancel = true);

        try
        {
            var store = Store.Open(storePath);
            using var ledger = RunLedger.Open(store, time);
            var run = ledger.Get(runId);
            void CheckFence() => ledger.CheckFence(runId, token);
            CheckFence();
            var context = new RunContext(store, runId, CheckFence, reporter, time);
            // Vectors that wait for publishing stay where they are.
            store.FetchFolder(context.StagingFolder, path => Path.GetExtension(path) != ".parquet");
            System.Text.Json.JsonElement result;
            using (WorkerUsage.Report(reporter, time)) result = await Stage.Of(run.Kind).ExecuteAsync(run.Spec, context, stop.Token);
            reporter.Write(new() { Type = WorkerLineType.Result, Result = result });
            return WorkerExitCode.Done;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested) { return WorkerExitCode.Stopped; }
        catch (FencedException error) { return Fail(reporter, FailureKind.Fenced, error.Message, WorkerExitCode.Fenced); }
        catch (BadRequestException error) { return Fail(reporter, FailureKind.BadRequest, error.Message, WorkerExitCode.BadRequest); }
        catch (Exception error) when (DiskFullException.Behind(error, storePath) is { } full) { return Fail(reporter, FailureKind.Error, full.Message, WorkerExitCode.Failed); }
        catch (OutOfMemoryException error) { return Fail(reporter, FailureKind.OutOfMemory, error.Message, WorkerExitCode.Failed); }
        catch (Exception error)
        {
            // The boundary of the process: whatever went wrong is told once, with its stack on standard error.
            await Console.Error.WriteLineAsync(error.ToString());
            return Fail(reporter, FailureKind.Error, $"{error.GetType().Name}: {error.Message}", WorkerExitCode.Failed);
        }
    }

    private static int Fail(LineReporter reporter, FailureKind kind, string message, int exitCode)
    {
        reporter.Write(new() { Type = WorkerLineType.Failure, Failure = kind, Message = message });
        return exitCode;
    }

    // The supervisor holds the other end of standard input and never writes: its end closes when it dies, however it dies.
    private static void DieWithSupervisor()
    {
        var watch = new Thread(() =>
        {
            using var input = Console.OpenStandardInput();
            Span<byte> nothing = stackalloc byte[1];
            while (input.Read(nothing) > 0) { }
            PosixProcess.EndNow();
        })
        { IsBackground = true, Name = "supervisor watch" };
        watch.Start();
    }
}
