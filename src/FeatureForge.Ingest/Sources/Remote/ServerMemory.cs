// What servers said of the resources that a corpus has seen: version and hash by URL. Only a hint: whether the hash is in the
// corpus is asked each time, and without the file everything is downloaded again.
using System.Security.Cryptography;
using System.Text;
using Microsoft.Data.Sqlite;

namespace FeatureForge.Ingest;

/// <summary>A small database; one thread uses it.</summary>
internal sealed class ServerMemory : IDisposable
{
    private const int MostUncommitted = 1000;

    private readonly SqliteConnection _connection;
    private SqliteTransaction? _transaction;
    private int _uncommitted;

    public ServerMemory(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        _connection = new(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ToString());
        _connection.Open();
        Execute("pragma journal_mode = wal; pragma synchronous = off; create table if not exists resources (url blob primary key, etag text, modified text, sha256 text not null) without rowid");
    }

    /// <summary>The version that was seen last, and the SHA-256 of its bytes.</summary>
    public (ResourceVersion Version, string Sha256)? Find(string url)
    {
        using var command = _connection.CreateCommand();
        command.Transaction = _transaction;
        command.CommandText = "select etag, modified, sha256 from resources where url = $url";
        command.Parameters.AddWithValue("$url", Key(url));
        using var row = command.ExecuteReader();
        return row.Read() ? (new(row.IsDBNull(0) ? null : row.GetString(0), row.IsDBNull(1) ? null : row.GetString(1)), row.GetString(2)) : null;
    }

    /// <returns>Whether it was written through.</returns>
    public bool Remember(string url, ResourceVersion version, string sha256)
    {
        _transaction ??= _connection.BeginTransaction();
        using var command = _connection.CreateCommand();
        command.Transaction = _transaction;
        command.CommandText = "insert or replace into resources values ($url, $etag, $modified, $sha256)";
        command.Parameters.AddWithValue("$url", Key(url));
        command.Parameters.AddWithValue("$etag", (object?)version.ETag ?? DBNull.Value);
        command.Parameters.AddWithValue("$modified", (object?)version.LastModified ?? DBNull.Value);
        command.Parameters.AddWithValue("$sha256", sha256);
        command.ExecuteNonQuery();
        var isFull = ++_uncommitted >= MostUncommitted;
        if (isFull) Commit();
        return isFull;
    }

    public void Dispose()
    {
        Commit();
        _connection.Dispose();
    }

    private void Commit()
    {
        _transaction?.Commit();
        _transaction?.Dispose();
        (_transaction, _uncommitted) = (null, 0);
    }

    private void Execute(string text)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = text;
        command.ExecuteNonQuery();
    }

    private static byte[] Key(string url) => SHA256.HashData(Encoding.UTF8.GetBytes(url))[..16];
}
