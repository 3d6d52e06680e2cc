// What a stage is given besides its spec: the store, who it is, the fence it must pass to publish, and whom to tell.
namespace FeatureForge.Data;

/// <summary>How far a run is. <paramref name="Total"/> is 0 when unknown; <paramref name="Unit"/> is a plural noun (items, steps, vectors).</summary>
public sealed record RunProgress(string Phase, long Done, long Total, string Unit, double PerSecond, double? EtaSeconds);

/// <summary>Where a run's progress, log lines and metrics go: the supervisor over standard output, or a list in tests.</summary>
public interface IRunReporter
{
    void Progress(RunProgress progress);
    void Log(string level, string message);
    /// <summary>A number over time: step, name (for instance "loss", "rankme_ratio.high"), value.</summary>
    void Metric(long step, string name, double value);
    /// <summary>Forgets metrics after <paramref name="step"/>: the run resumed there.</summary>
    void RewindMetrics(long step);
}

/// <summary>
/// The context of one attempt at one run. <paramref name="CheckFence"/> throws <see cref="FencedException"/> when another
/// worker holds the run now; publishing calls it.
/// </summary>
public sealed record RunContext(Store Store, string RunId, Action CheckFence, IRunReporter Reporter, TimeProvider Time)
{
    /// <summary>The run's own folder under the store's staging area; survives kills, gone after publishing.</summary>
    public string StagingFolder => Store.StagingFolder(RunId);

    public void Information(string message) => Reporter.Log("information", message);

    public void Warning(string message) => Reporter.Log("warning", message);
}

/// <summary>Another worker has taken the run over: this one must not publish.</summary>
public sealed class FencedException(string message) : Exception(message);
