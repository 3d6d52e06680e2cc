// Numbers over time in the shape a chart wants: one list of steps, one aligned list of values per name.
using FeatureForge.Data;

namespace FeatureForge.Server;

/// <summary>Gathers metric rows by name; thins long curves out to <see cref="MaxSteps"/> steps.</summary>
/// <param name="names">Comma-separated names to keep; null or empty keeps all.</param>
public sealed class Curves(string? names)
{
    /// <summary>More than a wide screen has pixels.</summary>
    public const int MaxSteps = 2000;

    private readonly HashSet<string>? _wanted = string.IsNullOrEmpty(names) ? null : [.. names.Split(',')];
    private readonly SortedDictionary<string, SortedDictionary<long, double>> _series = new(StringComparer.Ordinal);

    public void Add(MetricRow row)
    {
        if (_wanted?.Contains(row.Name) == false || !double.IsFinite(row.Value)) return;
        if (!_series.TryGetValue(row.Name, out var values)) _series[row.Name] = values = [];
        values[row.Step] = row.Value;
    }

    public CurvesResult Result()
    {
        // Thinned out per name, so that a rare probe keeps its points beside a dense loss.
        var thinned = _series.ToDictionary(one => one.Key, one => Thin(one.Value));
        var steps = thinned.Values.SelectMany(one => one.Keys).Distinct().Order().ToList();
        return new(steps, thinned.ToDictionary(one => one.Key,
            one => (IReadOnlyList<double?>)[.. steps.Select(step => one.Value.TryGetValue(step, out var value) ? value : (double?)null)]));
    }

    private static Dictionary<long, double> Thin(SortedDictionary<long, double> values)
    {
        var every = Math.Max(1, (values.Count + MaxSteps - 1) / MaxSteps);
        return values.Where((_, index) => index % every == 0 || index == values.Count - 1).ToDictionary(value => value.Key, value => value.Value);
    }
}

/// <summary>Values line up with steps; null where a name was not reported at a step.</summary>
public sealed record CurvesResult(IReadOnlyList<long> Steps, IReadOnlyDictionary<string, IReadOnlyList<double?>> Series);
