// Who is looking at what, and what was skipped, put off or doubted: a small SQLite file beside the labels, queues/LABEL SET.db. Taking an item
// is one transaction, so two people never hold the same one; a lease that nobody answers runs out. The file may be lost: labels are elsewhere.
using FeatureForge.Data;
using Microsoft.Data.Sqlite;

namespace FeatureForge.Labelling;

/// <summary>What a person said instead of giving a label.</summary>
public enum QueueAnswer
{
    /// <summary>Not for me: never shown to this person again.</summary>
    Skip,
    /// <summary>Later: nobody sees it before a time.</summary>
    Defer,
    /// <summary>I doubt the label it has: others are asked for their opinion.</summary>
    Disagree,
}

/// <summary>An answer as kept. <paramref name="Until"/> is for deferred items.</summary>
public sealed record QueueAnswerRow(string TargetId, string Author, QueueAnswer Answer, DateTimeOffset At, DateTimeOffset? Until);

/// <summary>Leases and answers of one label set's queue.</summary>
public sealed class QueueLeases : IDisposable
{
    private readonly SqliteConnection _connection;
    private readonly TimeProvider _time;

    private QueueLeases(SqliteConnection connection, TimeProvider time) => (_connection, _time) = (connection, time);

    internal static bool Exists(Store store, string labelSet) => File.Exists(PathOf(store, labelSet));

    /// <summary>Opens the file, made when it does not exist.</summary>
    public static QueueLeases Open(Store store, string labelSet, TimeProvider time)
    {
        BadRequestException.ThrowIfAny(Names.Problem("label set", labelSet) is { } problem ? [problem] : []);
        var path = PathOf(store, labelSet);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, DefaultTimeout = 60, Pooling = false }.ToString());
        connection.Open();
        var leases = new QueueLeases(connection, time);
        leases.Execute("PRAGMA journal_mode = WAL");
        leases.Execute("CREATE TABLE IF NOT EXISTS leases (target TEXT PRIMARY KEY, author TEXT NOT NULL, until INTEGER NOT NULL)");
        leases.Execute("CREATE TABLE IF NOT EXISTS answers (target TEXT NOT NULL, author TEXT NOT NULL, answer TEXT NOT NULL, at INTEGER NOT NULL, until INTEGER, PRIMARY KEY (target, author))");
        return leases;
    }

    /// <summary>Takes the first targets, in the order given, that nobody else holds; those the author holds already are kept and renewed.</summary>
    /// <returns>The targets taken, at most <paramref name="count"/>.</returns>
    public IReadOnlyList<string> Take(IEnumerable<string> targets, string author, int count, TimeSpan lease)
    {
        var now = _time.GetUtcNow();
        var taken = new List<string>();
        // Immediate: the write lock is ours before the first look, so two takers see each other's leases.
        using var transaction = _connection.BeginTransaction(deferred: false);
        foreach (var target in targets)
        {
            if (taken.Count == count) break;
            var changed = Execute("""
                INSERT INTO leases (target, author, until) VALUES (@target, @author, @until)
                ON CONFLICT (target) DO UPDATE SET author = excluded.author, until = excluded.until WHERE leases.author = excluded.author OR leases.until <= @now
                """, ("@target", target), ("@author", author), ("@until", (now + lease).ToUnixTimeMilliseconds()), ("@now", now.ToUnixTimeMilliseconds()));
            if (changed == 1) taken.Add(target);
        }
        transaction.Commit();
        return taken;
    }

    /// <summary>Targets that somebody holds now, with who.</summary>
    public IReadOnlyDictionary<string, string> Held()
    {
        var held = new Dictionary<string, string>(StringComparer.Ordinal);
        using var command = Command("SELECT target, author FROM leases WHERE until > @now", ("@now", _time.GetUtcNow().ToUnixTimeMilliseconds()));
        using var reader = command.ExecuteReader();
        while (reader.Read()) held[reader.GetString(0)] = reader.GetString(1);
        return held;
    }

    /// <summary>Notes an answer and gives the lease back.</summary>
    /// <param name="until">For <see cref="QueueAnswer.Defer"/>: when it may be shown again.</param>
    public void Answer(string target, string author, QueueAnswer answer, DateTimeOffset? until = null)
    {
        using var transaction = _connection.BeginTransaction(deferred: false);
        Execute("INSERT OR REPLACE INTO answers (target, author, answer, at, until) VALUES (@target, @author, @answer, @at, @until)",
            ("@target", target), ("@author", author), ("@answer", answer.ToString().ToLowerInvariant()), ("@at", _time.GetUtcNow().ToUnixTimeMilliseconds()), ("@until", until?.ToUnixTimeMilliseconds()));
        Execute("DELETE FROM leases WHERE target = @target AND author = @author", ("@target", target), ("@author", author));
        transaction.Commit();
    }

    /// <summary>Every answer that still counts: of deferred ones those whose time has not come.</summary>
    public IReadOnlyList<QueueAnswerRow> Answers()
    {
        var rows = new List<QueueAnswerRow>();
        using var command = Command("SELECT target, author, answer, at, until FROM answers WHERE answer <> 'defer' OR until > @now ORDER BY target, author", ("@now", _time.GetUtcNow().ToUnixTimeMilliseconds()));
        using var reader = command.ExecuteReader();
        while (reader.Read())
            rows.Add(new(reader.GetString(0), reader.GetString(1), Enum.Parse<QueueAnswer>(reader.GetString(2), ignoreCase: true), DateTimeOffset.FromUnixTimeMilliseconds(reader.GetInt64(3)),
                reader.IsDBNull(4) ? null : DateTimeOffset.FromUnixTimeMilliseconds(reader.GetInt64(4))));
        return rows;
    }

    /// <summary>Gives leases back: the targets were labelled.</summary>
    public void Release(IReadOnlyCollection<string> targets)
    {
        using var transaction = _connection.BeginTransaction(deferred: false);
        foreach (var target in targets) Execute("DELETE FROM leases WHERE target = @target", ("@target", target));
        transaction.Commit();
    }

    public void Dispose() => _connection.Dispose();

    private static string PathOf(Store store, string labelSet) => store.PathOf("queues", labelSet + ".db");

    private int Execute(string sql, params ReadOnlySpan<(string Name, object? Value)> values)
    {
        using var command = Command(sql, values);
        return command.ExecuteNonQuery();
    }

    private SqliteCommand Command(string sql, params ReadOnlySpan<(string Name, object? Value)> values)
    {
        var command = _connection.CreateCommand();
        command.CommandText = sql;
        foreach (var (name, value) in values) command.Parameters.AddWithValue(name, value ?? DBNull.Value);
        return command;
    }
}
