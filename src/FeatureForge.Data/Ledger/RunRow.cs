// Rows of the run ledger: what was asked, where it stands, who works on it.
namespace FeatureForge.Data;

/// <summary>A request for one run. <see cref="Spec"/> is the stage's spec as compact JSON, serialised from its record.</summary>
public sealed record RunRequest
{
    public required RunKind Kind { get; init; }
    public required string Spec { get; init; }
    /// <summary>Failed attempts (worker killed by a signal, out of memory) after which the run is failed.</summary>
    public int MaxAttempts { get; init; } = 3;
    public string? PipelineId { get; init; }
    /// <summary>The stage's name in its pipeline.</summary>
    public string? Stage { get; init; }
    public string? ScheduleId { get; init; }
    /// <summary>Money, in the price table's currency, at which the run is stopped; null: none.</summary>
    public double? Budget { get; init; }
    /// <summary>Runs that must succeed before this one may start.</summary>
    public IReadOnlyList<string> Needs { get; init; } = [];

    /// <summary>Equal requests have equal hashes: how "the same command again" finds its run.</summary>
    public string SpecHash => ContentId.Of($"{RunWords.Word(Kind)} {Spec}");
}

/// <summary>One run as the ledger knows it.</summary>
public sealed record RunRow
{
    public required string RunId { get; init; }
    public required RunKind Kind { get; init; }
    /// <summary>The stage's spec, compact JSON.</summary>
    public required string Spec { get; init; }
    public required string SpecHash { get; init; }
    public required RunState State { get; init; }
    /// <summary>How often it was taken up, for whatever reason.</summary>
    public required int Attempt { get; init; }
    /// <summary>Attempts that a signal or lack of memory ended since a person last asked for it.</summary>
    public required int FailedAttempts { get; init; }
    public required int MaxAttempts { get; init; }
    /// <summary>The supervisor that holds it; null when nobody does.</summary>
    public ProcessIdentity? LeaseOwner { get; init; }
    public DateTimeOffset? LeaseUntil { get; init; }
    /// <summary>Grows with every attempt; only the attempt that carries the current one may write or publish.</summary>
    public required long FencingToken { get; init; }
    /// <summary>The worker process of the current or last attempt.</summary>
    public ProcessIdentity? Worker { get; init; }
    public RunProgress? Progress { get; init; }
    public required bool CancelRequested { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    /// <summary>Start of the first attempt.</summary>
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? FinishedAt { get; init; }
    public string? Error { get; init; }
    /// <summary>What kind of error ended the last attempt; null when none did.</summary>
    public RunFailure? Failure { get; init; }
    /// <summary>The stage's result as JSON, once succeeded.</summary>
    public string? Result { get; init; }
    public string? PipelineId { get; init; }
    public string? Stage { get; init; }
    public string? ScheduleId { get; init; }
    /// <summary>Null until a worker has reported.</summary>
    public RunUsage? Usage { get; init; }
    /// <summary>Money at which the run is stopped, to be resumed with more; null: none.</summary>
    public double? Budget { get; init; }

    /// <summary>Whether what it has used comes to its budget.</summary>
    public bool IsOutOfBudget => Budget is { } most && Usage is { } usage && usage.Cost >= most;

    /// <summary>Succeeded, failed or stopped: nothing happens to it unless somebody asks.</summary>
    public bool IsEnded => State is RunState.Succeeded or RunState.Failed or RunState.Stopped;
}

/// <summary>The right to work on a run: what <see cref="RunLedger.TryAcquire"/> hands out. Void once another holds a higher token.</summary>
public sealed record RunLease(string RunId, long Token, int Attempt);

/// <summary>Which runs to list; null means any. Newest first.</summary>
public sealed record RunFilter
{
    public RunKind? Kind { get; init; }
    public RunState? State { get; init; }
    public string? PipelineId { get; init; }
    public string? ScheduleId { get; init; }
    /// <summary>Part of the run id or of the spec (a corpus name, say).</summary>
    public string? Text { get; init; }
    public int Skip { get; init; }
    /// <summary>Rows per page.</summary>
    public int Take { get; init; } = 50;
}

/// <summary>One page of runs, and how many match in all (of a text that more than 50,000 runs hold, and nothing else asked: how many hold its letters in threes).</summary>
public sealed record RunPage(IReadOnlyList<RunRow> Runs, long Total);

/// <summary>A line of a run's log. <paramref name="Sequence"/> grows; ask for what follows the last one seen.</summary>
public sealed record RunLogLine(long Sequence, DateTimeOffset At, string Level, string Message);

/// <summary>How many runs of a kind are in a state.</summary>
public sealed record RunCount(RunKind Kind, RunState State, long Runs);
