// What a worker process says to its supervisor: one JSON object per line on standard output.
using System.Text.Json;
using FeatureForge.Data;

namespace FeatureForge.Jobs;

internal enum WorkerLineType
{
    Progress,
    Log,
    Metric,
    Rewind,
    Usage,
    Result,
    Failure,
}

/// <summary>How a worker's attempt failed, which decides whether another one makes sense.</summary>
internal enum FailureKind
{
    /// <summary>The request is wrong; the problems say why.</summary>
    BadRequest,
    /// <summary>Another attempt holds the run.</summary>
    Fenced,
    OutOfMemory,
    Error,
}

/// <summary>One line; which members are there follows from <see cref="Type"/>.</summary>
internal sealed record WorkerLine
{
    public required WorkerLineType Type { get; init; }
    public RunProgress? Progress { get; init; }
    public string? Level { get; init; }
    public string? Message { get; init; }
    public long Step { get; init; }
    public string? Name { get; init; }
    public double Value { get; init; }
    /// <summary>Of a usage line: what this process has used so far.</summary>
    public WorkerUsage? Usage { get; init; }
    public JsonElement? Result { get; init; }
    public FailureKind? Failure { get; init; }

    internal string ToJson() => JsonSerializer.Serialize(this, SpecJson.Line);

    /// <summary>Null when the line is something else: a library that prints to standard output.</summary>
    internal static WorkerLine? Parse(string line)
    {
        if (!line.StartsWith('{')) return null;
        try { return JsonSerializer.Deserialize<WorkerLine>(line, SpecJson.Line); }
        catch (JsonException) { return null; }
    }
}

/// <summary>Exit codes of a worker process; also those of the command line where they have the same meaning.</summary>
internal static class WorkerExitCode
{
    internal const int Done = 0;
    internal const int BadRequest = 2;
    internal const int Failed = 3;
    internal const int Stopped = 4;
    internal const int Fenced = 5;
}
