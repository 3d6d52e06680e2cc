// Numbers and spans of attempts, for whoever listens (OpenTelemetry in the server).
using System.Diagnostics;
using System.Diagnostics.Metrics;
using FeatureForge.Data;

namespace FeatureForge.Jobs;

/// <summary>What the job host measures.</summary>
public static class JobTelemetry
{
    /// <summary>Name of the meter and of the activity source.</summary>
    public const string Name = "FeatureForge.Jobs";

    private static readonly ActivitySource _spans = new(Name);
    private static readonly Meter _meter = new(Name);
    private static readonly Counter<long> _attempts = _meter.CreateCounter<long>("featureforge.attempts", description: "Attempts at runs that ended, by kind and what the run is then.");
    private static readonly Histogram<double> _seconds = _meter.CreateHistogram<double>("featureforge.attempt.duration", unit: "s", description: "How long attempts took.");

    internal static Activity? Begin(RunRow run)
    {
        var span = _spans.StartActivity($"{Word(run.Kind)} run");
        span?.SetTag("featureforge.run_id", run.RunId);
        span?.SetTag("featureforge.kind", Word(run.Kind));
        return span;
    }

    internal static void End(Activity? span, RunRow run, TimeSpan took)
    {
        var tags = new TagList { { "kind", Word(run.Kind) }, { "state", Word(run.State) } };
        _attempts.Add(1, tags);
        _seconds.Record(took.TotalSeconds, tags);
        span?.SetTag("featureforge.attempt", run.Attempt);
        span?.SetTag("featureforge.state", Word(run.State));
        if (run.State == RunState.Failed) span?.SetStatus(ActivityStatusCode.Error, run.Error);
    }

    private static string Word<T>(T value) where T : struct, Enum => value.ToString().ToLowerInvariant();
}
