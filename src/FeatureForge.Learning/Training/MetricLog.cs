// The numbers of a training run: told to the reporter at once, kept for the metrics table and for checkpoints.
using System.Text.Json;
using FeatureForge.Data;

namespace FeatureForge.Learning;

internal sealed class MetricLog(IRunReporter reporter)
{
    private readonly List<MetricRow> _rows = [];

    public IReadOnlyList<MetricRow> Rows => _rows;

    public void Add(long step, string name, double value)
    {
        _rows.Add(new(step, name, value));
        reporter.Metric(step, name, value);
    }

    /// <summary>A number that depends on the machine: shown live, but not kept, so that a resumed run's table equals an uninterrupted one's.</summary>
    public void ShowOnly(long step, string name, double value) => reporter.Metric(step, name, value);

    public string ToJson() => JsonSerializer.Serialize(_rows, SpecJson.Line);

    /// <summary>Back to what was known at a checkpoint.</summary>
    public void Restore(long step, string json)
    {
        _rows.Clear();
        _rows.AddRange(JsonSerializer.Deserialize<List<MetricRow>>(json, SpecJson.Line)!);
        reporter.RewindMetrics(step);
    }
}
