// For work that nobody watches: steps that are repeated to find an error, and benchmarks.
using FeatureForge.Data;

namespace FeatureForge.Learning;

/// <summary>Tells nobody.</summary>
internal sealed class SilentReporter : IRunReporter
{
    public void Progress(RunProgress progress) { }
    public void Log(string level, string message) { }
    public void Metric(long step, string name, double value) { }
    public void RewindMetrics(long step) { }
}
