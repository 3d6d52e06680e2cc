// The ledger of several machines. Writers take turns by a transaction-level advisory lock, as SQLite's do by its file lock, so every
// promise of the ledger rests on the same argument. The server's clock counts, not the machines'. A server that restarts is waited for.
using System.Data.Common;
using System.Globalization;
using Npgsql;

namespace FeatureForge.Data;

internal sealed class PostgresLedger : LedgerDatabase
{
    private static readonly TimeSpan OpeningPatience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    // The extension belongs to PostgreSQL and needs no superuser; where it is missing or not allowed, runs are searched one by one.
    private const string MakeTrigrams = "DO $$ BEGIN CREATE EXTENSION IF NOT EXISTS pg_trgm; EXCEPTION WHEN OTHERS THEN NULL; END $$";
    private const string TextOfRun = "(run_id || E'\\n' || spec)";

    private readonly NpgsqlDataSource _source;
    private readonly TimeSpan _patience = OpeningPatience;
    private readonly bool _hasTrigrams;

    /// <exception cref="BadRequestException">The connection string is wrong, the server refuses it, or the ledger is another store's.</exception>
    internal PostgresLedger(string connectionString, Store store)
    {
        var builder = PostgresAddress.Parse(connectionString);
        _source = NpgsqlDataSource.Create(builder.ConnectionString);
        try
        {
            var version = Read(Version);
            if (version > SchemaVersion) throw TooNew(version);
            if (version < SchemaVersion) Write(Migrate);
            if (Read(connection => connection.Scalar<string>("SELECT store_id FROM ledger")) != store.Id)
                Write(connection => Claim(connection, store, PostgresAddress.Describe(builder)) && LedgerRebuild.From(store, connection) > 0);
            _hasTrigrams = Read(connection => connection.Scalar<long>("SELECT count(*) FROM pg_catalog.pg_indexes WHERE schemaname = current_schema() AND indexname = 'runs_by_text'")) > 0;
            _patience = Patience;
        }
        catch (Exception error) when (error is NpgsqlException or InvalidOperationException)
        {
            _source.Dispose();
            throw new BadRequestException($"The run ledger {PostgresAddress.Describe(builder)} cannot be used: {error.Message} Check that the server runs, the database exists, and the user may create tables in it.");
        }
    }

    internal override TimeProvider Clock(TimeProvider time) =>
        time == TimeProvider.System ? new ServerClock(() => Read(connection => connection.Scalar<long>("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint"))) : time;

    internal override T Read<T>(Func<DbConnection, T> work) => Patiently(() =>
    {
        using var connection = _source.OpenConnection();
        return work(connection);
    });

    internal override T Write<T>(Func<DbConnection, T> work, bool repeatable = true)
    {
        var isCommitting = false;
        return Patiently(() =>
        {
            using var connection = _source.OpenConnection();
            using var transaction = connection.BeginTransaction();
            // One lock per schema: two ledgers in one database do not wait for each other. A process that is frozen while it holds it would stop all others: the server
            // ends its transaction instead.
            connection.Execute("SET LOCAL idle_in_transaction_session_timeout = '10s'; SELECT pg_advisory_xact_lock(1179010630, hashtext(current_schema()))");
            var result = work(connection);
            isCommitting = true;
            transaction.Commit();
            return result;
        }, () => repeatable || !isCommitting);
    }

    internal override TextSearch Containing(DbConnection connection, string text)
    {
        if (!_hasTrigrams || text.EnumerateRunes().Count() < 3) return Scan;
        var escaped = string.Concat(text.Select(unit => unit is '%' or '_' or '\\' ? $"\\{unit}" : $"{unit}"));
        return new($"{TextOfRun} LIKE @like", [("@like", $"%{escaped}%")], null);
    }

    public override void Dispose() => _source.Dispose();

    private T Patiently<T>(Func<T> work, Func<bool>? mayRepeat = null)
    {
        var start = TimeProvider.System.GetTimestamp();
        for (var wait = 50; ; wait = Math.Min(2 * wait, 2000))
        {
            try { return work(); }
            catch (NpgsqlException error) when (IsPassing(error) && mayRepeat?.Invoke() != false && TimeProvider.System.GetElapsedTime(start) < _patience) { Thread.Sleep(wait); }
        }
    }

    // The server restarts (57P01 to 57P03), has no free connection, or dropped the line; a refused password or missing database does not pass.
    private static bool IsPassing(NpgsqlException error) =>
        error is PostgresException { SqlState: var state } ? state is "57P01" or "57P02" or "57P03" or "53300" or "40001" or "40P01" or "25P03" : error.IsTransient || error.InnerException is IOException;

    // Asked of the catalogue's table: to_regclass answers from a cache that a waiting transaction does not refresh.
    private static long Version(DbConnection connection) =>
        connection.Scalar<long>("SELECT count(*) FROM pg_catalog.pg_tables WHERE schemaname = current_schema() AND tablename = 'ledger_version'") == 0 ? 0 : connection.Scalar<long>("SELECT version FROM ledger_version");

    private static int Migrate(DbConnection connection)
    {
        var version = Version(connection);
        if (version < 1)
        {
            connection.Execute("CREATE TABLE ledger_version (version BIGINT NOT NULL); INSERT INTO ledger_version VALUES (0);");
            connection.Execute("CREATE FUNCTION instr(whole TEXT, part TEXT) RETURNS INTEGER LANGUAGE SQL IMMUTABLE PARALLEL SAFE AS 'SELECT strpos(whole, part)'");
            connection.Execute(Here(TablesOfVersion1));
        }
        if (version < 2) connection.Execute(Here(ChangesOfVersion2));
        if (version < 3) AddTrigrams(connection);
        if (version < 4) connection.Execute(Here(ChangesOfVersion4));
        if (version < 5) connection.Execute(ChangesOfVersion5);
        if (version < 6) connection.Execute(Here(ChangesOfVersion6));
        return connection.Execute("UPDATE ledger_version SET version = @version", ("@version", (long)SchemaVersion));
    }

    private static void AddTrigrams(DbConnection connection)
    {
        connection.Execute(MakeTrigrams);
        // It may lie in another schema than the ledger's.
        if (connection.Scalar<string>("SELECT quote_ident(nspname) FROM pg_catalog.pg_extension JOIN pg_catalog.pg_namespace ON pg_namespace.oid = extnamespace WHERE extname = 'pg_trgm'") is { } schema)
            connection.Execute($"CREATE INDEX runs_by_text ON runs USING gin ({TextOfRun} {schema}.gin_trgm_ops)");
    }

    // SQLite numbers rows by itself and calls that number rowid; here it is a column of that name.
    private static string Here(string sql) =>
        string.Format(CultureInfo.InvariantCulture, sql, "BIGINT", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY", ", rowid BIGINT GENERATED ALWAYS AS IDENTITY");

    /// <summary>The database server's time, asked for twice a minute and carried on by the monotonic clock in between: jumps of a machine's clock do not matter.</summary>
    private sealed class ServerClock(Func<long> ask) : TimeProvider
    {
        private static readonly TimeSpan Trusted = TimeSpan.FromSeconds(30);
        private readonly Lock _gate = new();
        private (long Milliseconds, long Stamp)? _read;

        public override DateTimeOffset GetUtcNow()
        {
            lock (_gate)
            {
                if (_read is not { } read || GetElapsedTime(read.Stamp) > Trusted) _read = read = (ask(), GetTimestamp());
                return DateTimeOffset.FromUnixTimeMilliseconds(read.Milliseconds) + GetElapsedTime(read.Stamp);
            }
        }
    }
}
