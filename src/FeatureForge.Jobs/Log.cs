// Everything the job machinery says to its host's log.
using FeatureForge.Data;
using Microsoft.Extensions.Logging;

namespace FeatureForge.Jobs;

internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "Run {RunId}: attempt {Attempt} started in worker process {ProcessId}")]
    internal static partial void AttemptStarted(ILogger log, string runId, int attempt, int processId);

    [LoggerMessage(2, LogLevel.Information, "Run {RunId}: attempt {Attempt} ended, the run is {State}")]
    internal static partial void AttemptEnded(ILogger log, string runId, int attempt, RunState state);

    [LoggerMessage(3, LogLevel.Warning, "Run {RunId}: attempt {Attempt} failed: {Error} The run is {State}")]
    internal static partial void AttemptFailed(ILogger log, string runId, int attempt, string error, RunState state);

    [LoggerMessage(4, LogLevel.Warning, "Run {RunId}: attempt {Attempt} lost its lease: {Reason}")]
    internal static partial void AttemptFenced(ILogger log, string runId, int attempt, string reason);

    [LoggerMessage(5, LogLevel.Information, "Run {RunId}: queued on {Queue}")]
    internal static partial void RunEnqueued(ILogger log, string runId, string queue);

    [LoggerMessage(6, LogLevel.Information, "Schedule {ScheduleId} ({Name}) started pipeline {PipelineId}; next at {NextAt}")]
    internal static partial void ScheduleFired(ILogger log, string scheduleId, string name, string pipelineId, DateTimeOffset? nextAt);

    [LoggerMessage(7, LogLevel.Error, "Looking for runs to start failed; trying again")]
    internal static partial void LookFailed(ILogger log, Exception error);
}
