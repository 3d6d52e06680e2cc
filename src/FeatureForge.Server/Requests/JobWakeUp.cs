// Tells the job host of this process, when it has one, that something was just asked for.
using FeatureForge.Jobs;

namespace FeatureForge.Server;

/// <summary>The way from a request to the job host; does nothing in a process that only shows pages.</summary>
public sealed class JobWakeUp(JobHost? host)
{
    /// <summary>True when this process performs runs.</summary>
    public bool IsHere => host is not null;

    public void Wake() => host?.Wake();
}
