// The embedded ledger: catalog.db in the store's folder. WAL lets readers and one writer work side by side, synchronous=FULL makes
// every commit survive power loss, and writers take the write lock first so that none is refused half-way.
using System.Data.Common;
using System.Globalization;
using Microsoft.Data.Sqlite;

namespace FeatureForge.Data;

internal sealed class SqliteLedger : LedgerDatabase
{
    // More candidates than these are found sooner by looking at the newest runs one by one.
    private const int MostCandidates = 50_000;
    private const int MostTrigrams = 24;

    // Numbers of its own: SQLite may number the rows of a table without a whole-number key anew when it is packed.
    private const string ChangesOfVersion3 = """
        CREATE TABLE run_texts (number INTEGER PRIMARY KEY, run_id TEXT NOT NULL UNIQUE);
        CREATE VIRTUAL TABLE run_search USING fts5(text, content='', detail=none, tokenize='trigram case_sensitive 1');
        INSERT INTO run_texts (run_id) SELECT run_id FROM runs ORDER BY rowid;
        INSERT INTO run_search (rowid, text) SELECT number, run_id || char(10) || spec FROM run_texts JOIN runs USING (run_id) ORDER BY number;
        CREATE TRIGGER runs_become_searchable AFTER INSERT ON runs BEGIN
            INSERT INTO run_texts (run_id) VALUES (new.run_id);
            INSERT INTO run_search (rowid, text) SELECT number, new.run_id || char(10) || new.spec FROM run_texts WHERE run_id = new.run_id;
        END;
        """;

    private readonly string _connectionString;

    internal SqliteLedger(string path, Store store)
    {
        LedgerHome.Claim(store);
        _connectionString = new SqliteConnectionStringBuilder { DataSource = path, DefaultTimeout = 60 }.ToString();
        EnsureSchema();
        if (Read(connection => connection.Scalar<string>("SELECT store_id FROM ledger")) != store.Id)
            Write(connection => Claim(connection, store, path) && LedgerRebuild.From(store, connection) > 0);
    }

    internal override T Read<T>(Func<DbConnection, T> work)
    {
        using var connection = Connect();
        return work(connection);
    }

    internal override T Write<T>(Func<DbConnection, T> work, bool repeatable = true)
    {
        using var connection = Connect();
        using var transaction = connection.BeginTransaction(deferred: false);
        var result = work(connection);
        transaction.Commit();
        return result;
    }

    internal override TextSearch Containing(DbConnection connection, string text)
    {
        var letters = text.EnumerateRunes().Select(rune => rune.ToString()).ToList();
        if (letters.Count < 3) return Scan;
        var trigrams = Enumerable.Range(0, letters.Count - 2).Select(i => $"{letters[i]}{letters[i + 1]}{letters[i + 2]}").Distinct().ToList();
        // Of a long text those from all over it.
        var step = Math.Max(1, trigrams.Count / MostTrigrams);
        var match = string.Join(" AND ", trigrams.Where((_, i) => i % step == 0).Select(trigram => $"\"{trigram.Replace("\"", "\"\"", StringComparison.Ordinal)}\""));
        if (connection.Scalar<long>("SELECT count(*) FROM (SELECT 1 FROM run_search WHERE run_search MATCH @match LIMIT @most)", ("@match", match), ("@most", MostCandidates + 1)) > MostCandidates)
            return Scan with { Total = connection.Scalar<long>("SELECT count(*) FROM run_search WHERE run_search MATCH @match", ("@match", match)) };
        return new($"run_id IN (SELECT run_id FROM run_texts WHERE number IN (SELECT rowid FROM run_search WHERE run_search MATCH @match)) AND {Scan.Condition}", [("@match", match)], null);
    }

    public override void Dispose()
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
        var version = Read(Version);
        if (version > SchemaVersion) throw TooNew(version);
        if (version < SchemaVersion) Write(Migrate);
    }

    private static long Version(DbConnection connection) => connection.Scalar<long>("PRAGMA user_version");

    private static int Migrate(DbConnection connection)
    {
        // Another process may have done it while this one waited for the lock.
        var version = Version(connection);
        if (version < 1) connection.Execute(Here(TablesOfVersion1));
        if (version < 2) connection.Execute(Here(ChangesOfVersion2));
        if (version < 3) connection.Execute(ChangesOfVersion3);
        if (version < 4) connection.Execute(Here(ChangesOfVersion4));
        if (version < 5) connection.Execute(ChangesOfVersion5);
        if (version < 6) connection.Execute(Here(ChangesOfVersion6));
        return connection.Execute($"PRAGMA user_version={SchemaVersion}");
    }

    private static string Here(string sql) => string.Format(CultureInfo.InvariantCulture, sql, "INTEGER", "INTEGER PRIMARY KEY AUTOINCREMENT", "");
}
