// What a run told its supervisor, kept for assertions.
using System.Collections.Concurrent;
using FeatureForge.Data;

namespace FeatureForge.TestKit;

/// <summary>Keeps everything reported; thread-safe.</summary>
public sealed class RecordingReporter : IRunReporter
{
    private readonly ConcurrentQueue<RunProgress> _progress = new();
    private readonly ConcurrentQueue<(string Level, string Message)> _log = new();
    private readonly ConcurrentQueue<MetricRow> _metrics = new();
    private readonly ConcurrentQueue<long> _rewinds = new();

    public IReadOnlyCollection<RunProgress> ProgressReports => _progress;
    public IReadOnlyCollection<(string Level, string Message)> LogLines => _log;
    public IReadOnlyCollection<MetricRow> Metrics => _metrics;
    /// <summary>The steps given to <see cref="RewindMetrics"/>.</summary>
    public IReadOnlyCollection<long> Rewinds => _rewinds;

    /// <summary>Called at every progress report, before it is kept: a test may throw here to stop a run at that point.</summary>
    public Action<RunProgress>? OnProgress { get; init; }

    /// <summary>Called at every metric, before it is kept: a test may throw here to stop a run at that point.</summary>
    public Action<MetricRow>? OnMetric { get; init; }

    public void Progress(RunProgress progress)
    {
        OnProgress?.Invoke(progress);
        _progress.Enqueue(progress);
    }

    public void Log(string level, string message) => _log.Enqueue((level, message));

    public void Metric(long step, string name, double value)
    {
        var metric = new MetricRow(step, name, value);
        OnMetric?.Invoke(metric);
        _metrics.Enqueue(metric);
    }

    public void RewindMetrics(long step) => _rewinds.Enqueue(step);
}
