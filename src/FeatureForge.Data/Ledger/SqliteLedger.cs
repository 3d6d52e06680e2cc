// The embedded ledger: catalog.db in the store's folder. WAL lets readers and one writer work side by side, synchronous=FULL makes
// every commit survive power loss, and writers take the write lock first so that none is refused half-way.
using System.Data.Common;
using System.Globalization;
using Microsoft.Data.Sqlite;

namespace FeatureForge.Data;

internal sealed class SqliteLedger : LedgerDatabase
{
    private readonly string _connectionString;

    internal SqliteLedger(string path, Store store)
    {
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
        return connection.Execute($"PRAGMA user_version={SchemaVersion}");
    }

    private static string Here(string sql) => string.Format(CultureInfo.InvariantCulture, sql, "INTEGER", "INTEGER PRIMARY KEY AUTOINCREMENT", "");
}
