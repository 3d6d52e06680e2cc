// A worker process from its supervisor's side: started with the right environment, read line by line, stopped, killed.
using System.Diagnostics;
using System.Globalization;
using FeatureForge.Data;

namespace FeatureForge.Jobs;

/// <summary>How to start this program again as a worker.</summary>
public sealed record WorkerCommand(string FileName, IReadOnlyList<string> Arguments)
{
    /// <summary>The running executable, also when it was started as <c>dotnet featureforge.dll</c>.</summary>
    public static WorkerCommand ThisProgram { get; } = Find();

    /// <summary>How to start a child that works on a store: its three streams are pipes, and its environment makes tensor work fast.</summary>
    /// <param name="environment">What it is told besides; a variable that is set already stays as it is.</param>
    public ProcessStartInfo On(Store store, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(FileName, [.. Arguments, .. arguments, "--store", store.Address]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        // Not as an argument: it may hold a password.
        if (store.Ledger is { } ledger) start.Environment[Store.LedgerVariable] = ledger;
        foreach (var (name, value) in (environment ?? new Dictionary<string, string>()).Concat(WorkerEnvironment.Tuning)) start.Environment.TryAdd(name, value);
        return start;
    }

    private static WorkerCommand Find()
    {
        var executable = Environment.ProcessPath ?? throw new InvalidOperationException("The path of this program is unknown.");
        return Path.GetFileNameWithoutExtension(executable) == "dotnet"
            ? new(executable, [Environment.GetCommandLineArgs()[0]])
            : new(executable, []);
    }
}

internal sealed class WorkerProcess : IDisposable
{
    private const int ErrorTailLines = 40;

    private readonly Process _process;
    private readonly Queue<string> _errorTail = [];
    private readonly Task _reading;

    private WorkerProcess(Process process, Action<string> onLine)
    {
        _process = process;
        Identity = ProcessIdentity.Find(process.Id) ?? new(Environment.MachineName, process.Id, "ended");
        _reading = Task.WhenAll(ReadAsync(process.StandardOutput, onLine), ReadAsync(process.StandardError, KeepTail));
    }

    internal ProcessIdentity Identity { get; }

    /// <summary>The last lines of standard error, once the process has ended.</summary>
    internal IReadOnlyList<string> ErrorTail => [.. _errorTail];

    internal static WorkerProcess Start(WorkerCommand command, Store store, RunLease lease, IReadOnlyDictionary<string, string> environment, Action<string> onLine)
    {
        var start = command.On(store, ["worker", lease.RunId, "--token", lease.Token.ToString(CultureInfo.InvariantCulture)], environment);
        if (environment.Count == 0) start.Environment.TryAdd("DOTNET_GCLOHThreshold", "0x4000000");
        return new(Process.Start(start) ?? throw new InvalidOperationException($"{command.FileName} did not start."), onLine);
    }

    /// <summary>Asks for a clean stop.</summary>
    internal void AskToStop() => PosixProcess.Signal(Identity.ProcessId, PosixProcess.SigTerm);

    /// <summary>Ends it and its children at once.</summary>
    internal void Kill()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        PosixProcess.Signal(-Identity.ProcessId, PosixProcess.SigKill);
    }

    /// <summary>Waits for the end of the process and of its output.</summary>
    /// <returns>The exit code; 128 + signal when a signal ended it.</returns>
    internal async Task<int> WaitAsync()
    {
        await _process.WaitForExitAsync();
        // Children that outlive the worker would keep its pipes open.
        PosixProcess.Signal(-Identity.ProcessId, PosixProcess.SigKill);
        await _reading;
        return _process.ExitCode;
    }

    public void Dispose()
    {
        Kill();
        _process.Dispose();
    }

    private void KeepTail(string line)
    {
        _errorTail.Enqueue(line);
        if (_errorTail.Count > ErrorTailLines) _errorTail.Dequeue();
    }

    private static async Task ReadAsync(StreamReader reader, Action<string> onLine)
    {
        while (await reader.ReadLineAsync() is { } line) onLine(line);
    }
}
