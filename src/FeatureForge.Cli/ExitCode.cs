// What the program's exit code says.
namespace FeatureForge.Cli;

/// <summary>Exit codes of every verb.</summary>
internal static class ExitCode
{
    internal const int Done = 0;
    /// <summary>The request is wrong; nothing was started.</summary>
    internal const int BadRequest = 2;
    internal const int RunFailed = 3;
    /// <summary>Stopped on request; the run can be resumed.</summary>
    internal const int Stopped = 4;
}
