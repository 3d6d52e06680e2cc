// Where the ledger's rows lie: SQLite in the store's folder, or PostgreSQL when several machines share the work. Both speak the
// same SQL with @name parameters; what differs is the schema's types, how writers take turns, and what may be tried again.
using System.Data.Common;

namespace FeatureForge.Data;

internal abstract class LedgerDatabase : IDisposable
{
    /// <summary>Raised with every migration; both databases keep the number they were brought to.</summary>
    protected const int SchemaVersion = 6;

    /// <summary>The ledger's own tables. {0} is a 64-bit number, {1} a number that counts up by itself, {2} a row's order of arrival.</summary>
    protected const string TablesOfVersion1 = """
        CREATE TABLE runs (
            run_id TEXT PRIMARY KEY, kind TEXT NOT NULL, spec TEXT NOT NULL, spec_hash TEXT NOT NULL, state TEXT NOT NULL,
            attempt {0} NOT NULL DEFAULT 0, failed_attempts {0} NOT NULL DEFAULT 0, max_attempts {0} NOT NULL,
            lease_owner TEXT, lease_until {0}, fencing_token {0} NOT NULL DEFAULT 0, worker TEXT,
            progress TEXT, cancel_requested {0} NOT NULL DEFAULT 0,
            created_at {0} NOT NULL, started_at {0}, finished_at {0}, error TEXT, failure TEXT, result TEXT,
            pipeline_id TEXT, stage TEXT, schedule_id TEXT{2});
        CREATE INDEX runs_by_hash ON runs(spec_hash);
        CREATE INDEX runs_by_state ON runs(state, created_at);
        CREATE INDEX runs_by_pipeline ON runs(pipeline_id);
        CREATE TABLE run_needs (run_id TEXT NOT NULL, needs TEXT NOT NULL, PRIMARY KEY (run_id, needs));
        CREATE INDEX run_needs_backwards ON run_needs(needs);
        CREATE TABLE run_log (sequence {1}, run_id TEXT NOT NULL, at {0} NOT NULL, level TEXT NOT NULL, message TEXT NOT NULL);
        CREATE INDEX run_log_by_run ON run_log(run_id, sequence);
        CREATE TABLE run_metrics (run_id TEXT NOT NULL, name TEXT NOT NULL, step {0} NOT NULL, value DOUBLE PRECISION, PRIMARY KEY (run_id, name, step));
        CREATE TABLE pipelines (pipeline_id TEXT PRIMARY KEY, name TEXT NOT NULL, spec TEXT NOT NULL, spec_hash TEXT NOT NULL, created_at {0} NOT NULL, schedule_id TEXT{2});
        CREATE TABLE schedules (
            schedule_id TEXT PRIMARY KEY, name TEXT NOT NULL, pipeline TEXT NOT NULL, cron TEXT, time_zone TEXT NOT NULL,
            enabled {0} NOT NULL, created_at {0} NOT NULL, next_at {0}, last_fired_at {0}{2});
        """;

    /// <summary>Version 2: newest first without sorting, runs offered to Hangfire once, and whose ledger this is.</summary>
    protected const string ChangesOfVersion2 = """
        ALTER TABLE runs ADD COLUMN offered_until {0};
        CREATE INDEX runs_by_time ON runs(created_at);
        CREATE TABLE ledger (store_id TEXT NOT NULL);
        """;

    /// <summary>Version 4: who may use a server, and who did what.</summary>
    protected const string ChangesOfVersion4 = """
        CREATE TABLE users (name TEXT PRIMARY KEY, role TEXT NOT NULL, enabled {0} NOT NULL, password TEXT, subject TEXT UNIQUE, created_at {0} NOT NULL);
        CREATE TABLE secrets (
            secret_id TEXT PRIMARY KEY, user_name TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL, hash TEXT NOT NULL UNIQUE,
            created_at {0} NOT NULL, expires_at {0} NOT NULL, last_used_at {0}, revoked_at {0});
        CREATE INDEX secrets_by_user ON secrets(user_name);
        CREATE TABLE audit (sequence {1}, at {0} NOT NULL, actor TEXT NOT NULL, address TEXT NOT NULL, action TEXT NOT NULL, status {0} NOT NULL);
        """;

    /// <summary>Version 5: what runs have used, and what they may cost.</summary>
    protected const string ChangesOfVersion5 = """
        ALTER TABLE runs ADD COLUMN usage TEXT;
        ALTER TABLE runs ADD COLUMN cost DOUBLE PRECISION;
        ALTER TABLE runs ADD COLUMN budget DOUBLE PRECISION;
        """;

    /// <summary>Version 6: what the servers of a store protect their forms with; who is looking at which item, and what people said instead of labelling it.</summary>
    protected const string ChangesOfVersion6 = """
        CREATE TABLE form_keys (key_id TEXT PRIMARY KEY, content TEXT NOT NULL);
        CREATE TABLE queue_leases (label_set TEXT NOT NULL, target TEXT NOT NULL, author TEXT NOT NULL, until {0} NOT NULL, PRIMARY KEY (label_set, target));
        CREATE TABLE queue_answers (label_set TEXT NOT NULL, target TEXT NOT NULL, author TEXT NOT NULL, answer TEXT NOT NULL, at {0} NOT NULL, until {0}, PRIMARY KEY (label_set, target, author));
        """;

    /// <summary>What a search for text in runs must look for when the text has fewer letters than the index goes by, or there is no index.</summary>
    protected static readonly TextSearch Scan = new("(instr(run_id, @text) > 0 OR instr(spec, @text) > 0)", [], null);

    /// <summary>Opens the ledger that the store's address names, bringing its tables up to date.</summary>
    internal static LedgerDatabase Open(Store store) =>
        store.Ledger is { } connectionString ? new PostgresLedger(connectionString, store) : new SqliteLedger(store.CatalogPath, store);

    /// <summary>The clock that leases are measured by.</summary>
    internal virtual TimeProvider Clock(TimeProvider time) => time;

    /// <summary>How to find the runs whose id or spec contains @text, exactly as written.</summary>
    internal abstract TextSearch Containing(DbConnection connection, string text);

    internal abstract T Read<T>(Func<DbConnection, T> work);

    /// <summary>All of it or none; writers take turns.</summary>
    /// <param name="repeatable">Doing it twice is harmless, so it may be tried again when a commit's answer was lost.</param>
    internal abstract T Write<T>(Func<DbConnection, T> work, bool repeatable = true);

    public abstract void Dispose();

    /// <summary>Notes whose ledger this is, or refuses one that belongs to another store.</summary>
    /// <returns>True the first time: the ledger is new.</returns>
    protected static bool Claim(DbConnection connection, Store store, string where)
    {
        var owner = connection.Scalar<string>("SELECT store_id FROM ledger");
        if (owner == store.Id) return false;
        if (owner is not null)
            throw new BadRequestException($"The run ledger {where} belongs to store {owner}; {store.Address} is store {store.Id}. Give each store a database or schema of its own (PostgreSQL: Search Path=NAME).");
        connection.Execute("INSERT INTO ledger (store_id) VALUES (@store)", ("@store", store.Id));
        return true;
    }

    protected static BadRequestException TooNew(long version) =>
        new($"The run ledger has schema version {version}; this program knows version {SchemaVersion}. Use the program that wrote it, or a newer one.");
}

/// <summary>A condition on runs.</summary>
/// <param name="Values">Parameters besides @text.</param>
/// <param name="Total">How many runs match, where that is known without counting: of a text that a great many hold, those that hold its letters in threes.</param>
internal sealed record TextSearch(string Condition, IReadOnlyList<(string Name, object? Value)> Values, long? Total);

internal static class LedgerSql
{
    internal static int Execute(this DbConnection connection, string sql, params ReadOnlySpan<(string Name, object? Value)> values)
    {
        using var command = Command(connection, sql, values);
        return command.ExecuteNonQuery();
    }

    internal static T? Scalar<T>(this DbConnection connection, string sql, params ReadOnlySpan<(string Name, object? Value)> values)
    {
        using var command = Command(connection, sql, values);
        return command.ExecuteScalar() is T value ? value : default;
    }

    internal static List<T> Query<T>(this DbConnection connection, string sql, Func<DbDataReader, T> row, params ReadOnlySpan<(string Name, object? Value)> values)
    {
        using var command = Command(connection, sql, values);
        using var reader = command.ExecuteReader();
        var rows = new List<T>();
        while (reader.Read()) rows.Add(row(reader));
        return rows;
    }

    internal static string? Text(this DbDataReader reader, string column) => reader[column] as string;

    internal static long Number(this DbDataReader reader, string column) => (long)reader[column];

    internal static double? Real(this DbDataReader reader, string column) => reader[column] is double value ? value : null;

    internal static DateTimeOffset? Moment(this DbDataReader reader, string column) =>
        reader[column] is long milliseconds ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds) : null;

    private static DbCommand Command(DbConnection connection, string sql, ReadOnlySpan<(string Name, object? Value)> values)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        foreach (var (name, value) in values)
        {
            var parameter = command.CreateParameter();
            (parameter.ParameterName, parameter.Value) = (name, value ?? DBNull.Value);
            command.Parameters.Add(parameter);
        }
        return command;
    }
}
