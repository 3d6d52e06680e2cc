// What a run said: log lines, and numbers over steps. Written in batches by its supervisor, read by pages and `runs logs`.
namespace FeatureForge.Data;

/// <summary>Log lines and metrics of all runs.</summary>
public sealed class RunJournal
{
    private readonly LedgerDatabase _database;
    private readonly TimeProvider _time;

    internal RunJournal(LedgerDatabase database, TimeProvider time) => (_database, _time) = (database, time);

    /// <summary>Appends log lines in order; each is (level, message) with level information, warning or error.</summary>
    public void AddLog(string runId, params IReadOnlyList<(string Level, string Message)> lines) => _database.Write(connection =>
    {
        var now = RunLedger.Milliseconds(_time.GetUtcNow());
        foreach (var (level, message) in lines)
            connection.Execute("INSERT INTO run_log (run_id, at, level, message) VALUES (@run, @now, @level, @message)",
                ("@run", runId), ("@now", now), ("@level", level), ("@message", message));
        return lines.Count;
    });

    /// <summary>Adds numbers; the same step and name again replaces the earlier value. Not-a-number is kept as null.</summary>
    public void AddMetrics(string runId, IReadOnlyList<MetricRow> rows) => _database.Write(connection =>
    {
        foreach (var row in rows)
            connection.Execute("INSERT INTO run_metrics (run_id, name, step, value) VALUES (@run, @name, @step, @value) ON CONFLICT (run_id, name, step) DO UPDATE SET value = excluded.value",
                ("@run", runId), ("@name", row.Name), ("@step", row.Step), ("@value", double.IsNaN(row.Value) ? null : row.Value));
        return rows.Count;
    });

    /// <summary>Forgets numbers of later steps: the run resumed at <paramref name="step"/>.</summary>
    public void RewindMetrics(string runId, long step) => _database.Write(connection =>
        connection.Execute("DELETE FROM run_metrics WHERE run_id = @run AND step > @step", ("@run", runId), ("@step", step)));

    /// <summary>Log lines after <paramref name="afterSequence"/> (0 = from the start), oldest first.</summary>
    public IReadOnlyList<RunLogLine> ReadLog(string runId, long afterSequence = 0, int take = 10_000) => _database.Read(connection => connection.Query(
        "SELECT * FROM run_log WHERE run_id = @run AND sequence > @after ORDER BY sequence LIMIT @take",
        reader => new RunLogLine(reader.Number("sequence"), reader.Moment("at")!.Value, reader.Text("level")!, reader.Text("message")!),
        ("@run", runId), ("@after", afterSequence), ("@take", take)));

    /// <summary>All numbers of a run, or those of one name, by name and step.</summary>
    public IReadOnlyList<MetricRow> ReadMetrics(string runId, string? name = null) => _database.Read(connection => connection.Query(
        $"SELECT * FROM run_metrics WHERE run_id = @run {(name is null ? "" : "AND name = @name")} ORDER BY name, step",
        reader => new MetricRow(reader.Number("step"), reader.Text("name")!, reader["value"] as double? ?? double.NaN),
        ("@run", runId), ("@name", name)));
}
