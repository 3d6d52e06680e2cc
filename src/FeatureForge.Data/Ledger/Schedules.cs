// Schedules: a pipeline (of one stage or more) to be started at a time, or again and again. The ledger says when it is due;
// who asks first fires it, however many servers ask. A time missed while nothing ran fires once, late.
using System.Text.Json;

namespace FeatureForge.Data;

/// <summary>A standing request. Exactly one of <see cref="Cron"/> and <see cref="OnceAt"/> is given.</summary>
public sealed record ScheduleRequest
{
    public required string Name { get; init; }
    public required PipelineSpec Pipeline { get; init; }
    /// <summary>Five fields (minute hour day month weekday).</summary>
    public string? Cron { get; init; }
    /// <summary>IANA name in which <see cref="Cron"/> is meant, for instance Europe/Rome.</summary>
    public string TimeZone { get; init; } = "UTC";
    public DateTimeOffset? OnceAt { get; init; }
}

/// <summary>A schedule as the ledger knows it. <see cref="NextAt"/> is null when it will not fire again.</summary>
public sealed record ScheduleRow(string ScheduleId, string Name, PipelineSpec Pipeline, string? Cron, string TimeZone, bool Enabled,
    DateTimeOffset CreatedAt, DateTimeOffset? NextAt, DateTimeOffset? LastFiredAt);

/// <summary>The schedules of a store.</summary>
public sealed class ScheduleLedger
{
    private readonly LedgerDatabase _database;
    private readonly TimeProvider _time;

    internal ScheduleLedger(LedgerDatabase database, TimeProvider time) => (_database, _time) = (database, time);

    /// <summary>Adds a schedule that fires first at <paramref name="firstAt"/> (the caller reads the cron expression).</summary>
    public ScheduleRow Create(ScheduleRequest request, DateTimeOffset firstAt)
    {
        BadRequestException.ThrowIfAny(request.Pipeline.Problems());
        var now = _time.GetUtcNow();
        var scheduleId = RunLedger.NewId(now, "schedule");
        _database.Write(connection => connection.Execute("""
            INSERT INTO schedules (schedule_id, name, pipeline, cron, time_zone, enabled, created_at, next_at)
            VALUES (@id, @name, @pipeline, @cron, @zone, 1, @now, @next)
            """, ("@id", scheduleId), ("@name", request.Name), ("@pipeline", JsonSerializer.Serialize(request.Pipeline, SpecJson.Line)),
            ("@cron", request.Cron), ("@zone", request.TimeZone), ("@now", RunLedger.Milliseconds(now)), ("@next", RunLedger.Milliseconds(firstAt))));
        return Get(scheduleId);
    }

    public ScheduleRow? Find(string scheduleId) => Where("schedule_id = @value", scheduleId).FirstOrDefault();

    /// <exception cref="BadRequestException">There is no such schedule.</exception>
    public ScheduleRow Get(string scheduleId) => Find(scheduleId) ?? throw new BadRequestException($"There is no schedule '{scheduleId}' in this store.");

    /// <summary>All schedules, oldest first.</summary>
    public IReadOnlyList<ScheduleRow> List() => Where("@value = 0", 0L);

    /// <summary>Enabled schedules whose time has come.</summary>
    public IReadOnlyList<ScheduleRow> Due() => Where("enabled = 1 AND next_at <= @value", RunLedger.Milliseconds(_time.GetUtcNow()));

    /// <summary>
    /// Starts the schedule's pipeline and sets when it fires next (null: never again), in one transaction. Null when another
    /// server fired it first.
    /// </summary>
    /// <returns>The new pipeline's id.</returns>
    public string? TryFire(ScheduleRow schedule, DateTimeOffset? nextAt) => _database.Write(connection =>
    {
        var now = _time.GetUtcNow();
        var won = connection.Execute("UPDATE schedules SET next_at = @next, last_fired_at = @now WHERE schedule_id = @id AND enabled = 1 AND next_at = @expected",
            ("@id", schedule.ScheduleId), ("@now", RunLedger.Milliseconds(now)),
            ("@next", nextAt is { } next ? RunLedger.Milliseconds(next) : null),
            ("@expected", schedule.NextAt is { } expected ? RunLedger.Milliseconds(expected) : null));
        return won == 1 ? PipelineLedger.Insert(connection, schedule.Pipeline, schedule.ScheduleId, now) : null;
    });

    /// <summary>Turns a schedule on, to fire next at <paramref name="nextAt"/>, or off.</summary>
    public void SetEnabled(string scheduleId, bool enabled, DateTimeOffset? nextAt) => _database.Write(connection => connection.Execute(
        "UPDATE schedules SET enabled = @enabled, next_at = @next WHERE schedule_id = @id",
        ("@id", scheduleId), ("@enabled", enabled ? 1L : 0L), ("@next", nextAt is { } next ? RunLedger.Milliseconds(next) : null)));

    public void Delete(string scheduleId) => _database.Write(connection => connection.Execute("DELETE FROM schedules WHERE schedule_id = @id", ("@id", scheduleId)));

    private List<ScheduleRow> Where(string condition, object? value) => _database.Read(connection => connection.Query(
        $"SELECT * FROM schedules WHERE {condition} ORDER BY created_at, rowid",
        reader => new ScheduleRow(reader.Text("schedule_id")!, reader.Text("name")!, JsonSerializer.Deserialize<PipelineSpec>(reader.Text("pipeline")!, SpecJson.Line)!,
            reader.Text("cron"), reader.Text("time_zone")!, reader.Number("enabled") != 0, reader.Moment("created_at")!.Value, reader.Moment("next_at"), reader.Moment("last_fired_at")),
        ("@value", value)));
}
