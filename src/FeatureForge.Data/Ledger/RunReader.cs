// From rows to RunRow, and the paged list.
using System.Data.Common;
using System.Text.Json;

namespace FeatureForge.Data;

internal static class RunReader
{
    internal static RunRow Row(DbDataReader reader) => new()
    {
        RunId = reader.Text("run_id")!,
        Kind = RunWords.Parse<RunKind>(reader.Text("kind")!),
        Spec = reader.Text("spec")!,
        SpecHash = reader.Text("spec_hash")!,
        State = RunWords.Parse<RunState>(reader.Text("state")!),
        Attempt = (int)reader.Number("attempt"),
        FailedAttempts = (int)reader.Number("failed_attempts"),
        MaxAttempts = (int)reader.Number("max_attempts"),
        LeaseOwner = Json<ProcessIdentity>(reader.Text("lease_owner")),
        LeaseUntil = reader.Moment("lease_until"),
        FencingToken = reader.Number("fencing_token"),
        Worker = Json<ProcessIdentity>(reader.Text("worker")),
        Progress = Json<RunProgress>(reader.Text("progress")),
        CancelRequested = reader.Number("cancel_requested") != 0,
        CreatedAt = reader.Moment("created_at")!.Value,
        StartedAt = reader.Moment("started_at"),
        FinishedAt = reader.Moment("finished_at"),
        Error = reader.Text("error"),
        Failure = reader.Text("failure") is { } failure ? RunWords.Parse<RunFailure>(failure) : null,
        Result = reader.Text("result"),
        PipelineId = reader.Text("pipeline_id"),
        Stage = reader.Text("stage"),
        ScheduleId = reader.Text("schedule_id"),
        Usage = Json<RunUsage>(reader.Text("usage")),
        Budget = reader.Real("budget"),
    };

    internal static RunPage Page(LedgerDatabase database, DbConnection connection, RunFilter filter)
    {
        if (IsHopeless(filter)) return new([], 0);
        var (conditions, values, known) = Asked(database, connection, filter);
        var from = $"FROM runs{(conditions.Count > 0 ? " WHERE " : "")}{string.Join(" AND ", conditions)}";
        var total = conditions.Count == 1 && known is { } counted ? counted : connection.Scalar<long>($"SELECT count(*) {from}", values);
        var rows = connection.Query($"SELECT * {from} ORDER BY created_at DESC, rowid DESC LIMIT @take OFFSET @skip", Row, [.. values, ("@take", filter.Take), ("@skip", filter.Skip)]);
        return new(rows, total);
    }

    /// <summary>All that match and meet the condition, oldest first.</summary>
    internal static List<string> Ids(LedgerDatabase database, DbConnection connection, RunFilter filter, string condition)
    {
        if (IsHopeless(filter)) return [];
        var (conditions, values, _) = Asked(database, connection, filter);
        return connection.Query($"SELECT run_id FROM runs WHERE {string.Join(" AND ", conditions.Append(condition))} ORDER BY created_at, rowid", reader => reader.Text("run_id")!, values);
    }

    // No run holds a NUL, and PostgreSQL takes none.
    private static bool IsHopeless(RunFilter filter) => filter.Text?.Contains('\0') == true;

    // Only what is asked for: databases cannot use an index for "any or this one".
    private static (List<string> Conditions, (string, object?)[] Values, long? Total) Asked(LedgerDatabase database, DbConnection connection, RunFilter filter)
    {
        var text = string.IsNullOrEmpty(filter.Text) ? null : database.Containing(connection, filter.Text);
        (string Condition, string Name, object? Value)[] asked =
        [
            ("kind = @kind", "@kind", filter.Kind is { } kind ? RunWords.Word(kind) : null),
            ("state = @state", "@state", filter.State is { } state ? RunWords.Word(state) : null),
            ("pipeline_id = @pipeline", "@pipeline", filter.PipelineId),
            ("schedule_id = @schedule", "@schedule", filter.ScheduleId),
            (text?.Condition ?? "", "@text", text is null ? null : filter.Text),
        ];
        var given = asked.Where(one => one.Value is not null).ToList();
        return ([.. given.Select(one => one.Condition)], [.. given.Select(one => (one.Name, one.Value)), .. text?.Values ?? []], text?.Total);
    }

    private static T? Json<T>(string? text) where T : class => text is null ? null : JsonSerializer.Deserialize<T>(text, SpecJson.Line);
}
