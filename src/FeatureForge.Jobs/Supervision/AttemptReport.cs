// Collects what a worker says between two heartbeats, so that the ledger gets it in few transactions.
using System.Text.Json;
using FeatureForge.Data;

namespace FeatureForge.Jobs;

internal sealed class AttemptReport
{
    private readonly Lock _gate = new();
    private List<(string Level, string Message)> _log = [];
    private List<MetricRow> _metrics = [];
    private long? _rewindTo;
    private RunProgress? _progress;
    private readonly PriceTable _prices;
    private readonly RunUsage? _before;

    /// <param name="prices">What it costs.</param>
    /// <param name="before">What earlier attempts have used.</param>
    internal AttemptReport(PriceTable prices, RunUsage? before)
    {
        (_prices, _before) = (prices, before);
        Usage = before;
    }

    /// <summary>What the run has used so far, this worker included.</summary>
    internal RunUsage? Usage { get; private set; }

    /// <summary>The stage's result, when the worker sent one.</summary>
    internal JsonElement? Result { get; private set; }

    /// <summary>Why the worker gave up, when it could say so.</summary>
    internal (FailureKind Kind, string Message)? Failure { get; private set; }

    internal void Log(string level, string message)
    {
        lock (_gate) _log.Add((level, message));
    }

    /// <summary>Takes one line of the worker's output.</summary>
    internal void Take(string text)
    {
        var line = WorkerLine.Parse(text);
        lock (_gate)
        {
            switch (line?.Type)
            {
                case null: _log.Add(("information", text)); break;
                case WorkerLineType.Progress: _progress = line.Progress; break;
                case WorkerLineType.Log: _log.Add((line.Level ?? "information", line.Message ?? "")); break;
                case WorkerLineType.Metric: _metrics.Add(new(line.Step, line.Name ?? "", line.Value)); break;
                case WorkerLineType.Rewind:
                    _metrics.RemoveAll(metric => metric.Step > line.Step);
                    _rewindTo = Math.Min(_rewindTo ?? long.MaxValue, line.Step);
                    break;
                case WorkerLineType.Usage when line.Usage is { } used: Usage = _prices.Add(_before, used.CpuSeconds, used.DeviceSeconds, used.Device); break;
                case WorkerLineType.Result: Result = line.Result; break;
                case WorkerLineType.Failure: Failure = (line.Failure ?? FailureKind.Error, line.Message ?? ""); break;
            }
        }
    }

    /// <summary>Renews the lease and writes what came since the last call. True when cancelling was asked for.</summary>
    /// <exception cref="FencedException">Another attempt holds the run; nothing was written.</exception>
    internal bool Flush(RunLedger ledger, RunLease lease, TimeSpan duration)
    {
        List<(string, string)> log;
        List<MetricRow> metrics;
        long? rewindTo;
        RunProgress? progress;
        RunUsage? usage;
        lock (_gate)
        {
            (log, metrics, rewindTo, progress, usage) = (_log, _metrics, _rewindTo, _progress, Usage);
            (_log, _metrics, _rewindTo) = ([], [], null);
        }
        var cancel = ledger.Heartbeat(lease, duration, progress, usage);
        if (rewindTo is { } step) ledger.Journal.RewindMetrics(lease.RunId, step);
        if (metrics.Count > 0) ledger.Journal.AddMetrics(lease.RunId, metrics);
        if (log.Count > 0) ledger.Journal.AddLog(lease.RunId, log);
        return cancel;
    }
}
