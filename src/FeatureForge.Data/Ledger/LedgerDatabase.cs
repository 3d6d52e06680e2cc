// The ledger's SQLite file: schema, connections, short transactions. WAL lets readers and one writer work side by side,
// synchronous=FULL makes every commit survive power loss, and writers take the write lock first so that none is refused half-way.
using Microsoft.Data.Sqlite;

namespace FeatureForge.Data;

internal sealed class LedgerDatabase
{
    private const int SchemaVersion = 1;

    private const string Schema = """
        CREATE TABLE runs (
            run_id TEXT PRIMARY KEY, kind TEXT NOT NULL, spec TEXT NOT NULL, spec_hash TEXT NOT NULL, state TEXT NOT NULL,
            attempt INTEGER NOT NULL DEFAULT 0, failed_attempts INTEGER NOT NULL DEFAULT 0, max_attempts INTEGER NOT NULL,
            lease_owner TEXT, lease_until INTEGER, fencing_token INTEGER NOT NULL DEFAULT 0, worker TEXT,
            progress TEXT, cancel_requested INTEGER NOT NULL DEFAULT 0,
            created_at INTEGER NOT NULL, started_at INTEGER, finished_at INTEGER, error TEXT, failure TEXT, result TEXT,
            pipeline_id TEXT, stage TEXT, schedule_id TEXT);
        CREATE INDEX runs_by_hash ON runs(spec_hash);
        CREATE INDEX runs_by_state ON runs(state, created_at);
        CREATE INDEX runs_by_pipeline ON runs(pipeline_id);
        CREATE TABLE run_needs (run_id TEXT NOT NULL, needs TEXT NOT NULL, PRIMARY KEY (run_id, needs)) WITHOUT ROWID;
        CREATE INDEX run_needs_backwards ON run_needs(needs);
        CREATE TABLE run_log (sequence INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL, at INTEGER NOT NULL, level TEXT NOT NULL, message TEXT NOT NULL);
        CREATE INDEX run_log_by_run ON run_log(run_id, sequence);
        CREATE TABLE run_metrics (run_id TEXT NOT NULL, name TEXT NOT NULL, step INTEGER NOT NULL, value REAL, PRIMARY KEY (run_id, name, step)) WITHOUT ROWID;
        CREATE TABLE pipelines (pipeline_id TEXT PRIMARY KEY, name TEXT NOT NULL, spec TEXT NOT NULL, spec_hash TEXT NOT NULL, created_at INTEGER NOT NULL, schedule_id TEXT);
        CREATE TABLE schedules (
            schedule_id TEXT PRIMARY KEY, name TEXT NOT NULL, pipeline TEXT NOT NULL, cron TEXT, time_zone TEXT NOT NULL,
            enabled INTEGER NOT NULL, created_at INTEGER NOT NULL, next_at INTEGER, last_fired_at INTEGER);
        """;

    private readonly string _connectionString;

    internal LedgerDatabase(string path)
    {
        _connectionString = new SqliteConnectionStringBuilder { DataSource = path, DefaultTimeout = 60 }.ToString();
        EnsureSchema();
    }

    internal T Read<T>(Func<SqliteConnection, T> work)
    {
        using var connection = Connect();
        return work(connection);
    }

    /// <summary>All of it or none, after waiting for the write lock.</summary>
    internal T Write<T>(Func<SqliteConnection, T> work)
    {
        using var connection = Connect();
        using var transaction = connection.BeginTransaction(deferred: false);
        var result = work(connection);
        transaction.Commit();
        return result;
    }

    internal void Forget()
    {
        using var connection = new SqliteConnection(_connectionString);
        SqliteConnection.ClearPool(connection);
    }

    private SqliteConnection Connect()
    {
        var connection = new SqliteConnection(_connectionString);
        connection.Open();
        connection.Execute("PRAGMA busy_timeout=20000; PRAGMA synchronous=FULL;");
        return connection;
    }

    private void EnsureSchema()
    {
        // Readers of another process may be in the way of the one-time switch to WAL; SQLite then answers "locked" at once.
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                Read(connection => connection.Execute("PRAGMA journal_mode=WAL;"));
                break;
            }
            catch (SqliteException error) when (error.SqliteErrorCode is 5 or 6 && attempt < 50) { Thread.Sleep(20); }
        }
        var version = Read(connection => connection.Scalar<long>("PRAGMA user_version"));
        if (version > SchemaVersion)
            throw new BadRequestException($"The run ledger has schema version {version}; this program knows version {SchemaVersion}. Use the program that wrote it, or a newer one.");
        if (version == SchemaVersion) return;
        Write(connection => connection.Scalar<long>("PRAGMA user_version") == SchemaVersion
            ? 0
            : connection.Execute(Schema) + connection.Execute($"PRAGMA user_version={SchemaVersion}"));
    }
}

internal static class LedgerSql
{
    internal static int Execute(this SqliteConnection connection, string sql, params ReadOnlySpan<(string Name, object? Value)> values)
    {
        using var command = Command(connection, sql, values);
        return command.ExecuteNonQuery();
    }

    internal static T? Scalar<T>(this SqliteConnection connection, string sql, params ReadOnlySpan<(string Name, object? Value)> values)
    {
        using var command = Command(connection, sql, values);
        return command.ExecuteScalar() is T value ? value : default;
    }

    internal static List<T> Query<T>(this SqliteConnection connection, string sql, Func<SqliteDataReader, T> row, params ReadOnlySpan<(string Name, object? Value)> values)
    {
        using var command = Command(connection, sql, values);
        using var reader = command.ExecuteReader();
        var rows = new List<T>();
        while (reader.Read()) rows.Add(row(reader));
        return rows;
    }

    internal static string? Text(this SqliteDataReader reader, string column) => reader[column] as string;

    internal static long Number(this SqliteDataReader reader, string column) => (long)reader[column];

    internal static DateTimeOffset? Moment(this SqliteDataReader reader, string column) =>
        reader[column] is long milliseconds ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds) : null;

    private static SqliteCommand Command(SqliteConnection connection, string sql, ReadOnlySpan<(string Name, object? Value)> values)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        foreach (var (name, value) in values) command.Parameters.AddWithValue(name, value ?? DBNull.Value);
        return command;
    }
}
