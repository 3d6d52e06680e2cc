// Who is looking at what, and what was skipped, put off or doubted: rows beside the runs in the ledger, so that all servers of a store share them. Taking an
// item is one transaction, so two people never hold the same one; a lease that nobody answers runs out. The rows may be lost: labels are elsewhere.
namespace FeatureForge.Data;

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
    private readonly LedgerDatabase _database;
    private readonly TimeProvider _time;
    private readonly string _labelSet;
    private readonly bool _ownsDatabase;

    /// <param name="time">The ledger's clock.</param>
    /// <exception cref="BadRequestException">No name for a label set.</exception>
    internal QueueLeases(LedgerDatabase database, string labelSet, TimeProvider time, bool ownsDatabase)
    {
        ThrowIfNoLabelSet(labelSet);
        (_database, _labelSet, _time, _ownsDatabase) = (database, labelSet, time, ownsDatabase);
    }

    /// <summary>Opens the ledger, made when it does not exist. Who has it open already asks <see cref="RunLedger.Queue"/>.</summary>
    /// <exception cref="BadRequestException">No name for a label set; or the store is on S3 and another machine keeps its runs.</exception>
    public static QueueLeases Open(Store store, string labelSet, TimeProvider time)
    {
        ThrowIfNoLabelSet(labelSet);
        var database = LedgerDatabase.Open(store);
        return new(database, labelSet, database.Clock(time), ownsDatabase: true);
    }

    private static void ThrowIfNoLabelSet(string labelSet) => BadRequestException.ThrowIfAny(Names.Problem("label set", labelSet) is { } problem ? [problem] : []);

    /// <summary>Gives leases back: the targets were labelled. Where this machine has no part in the queue, they run out.</summary>
    public static void Release(Store store, string labelSet, TimeProvider time, IReadOnlyCollection<string> targets)
    {
        if (store.Ledger is null && !File.Exists(store.CatalogPath)) return;
        try
        {
            using var leases = Open(store, labelSet, time);
            leases.Release(targets);
        }
        catch (BadRequestException) when (store.IsRemote) { }
    }

    /// <summary>Takes the first targets, in the order given, that nobody else holds; those the author holds already are kept and renewed.</summary>
    /// <returns>The targets taken, at most <paramref name="count"/>.</returns>
    public IReadOnlyList<string> Take(IEnumerable<string> targets, string author, int count, TimeSpan lease)
    {
        var now = _time.GetUtcNow();
        // Writers take turns, so two takers see each other's leases. Done again after a lost answer it takes the same.
        return _database.Write(connection =>
        {
            var taken = new List<string>();
            foreach (var target in targets)
            {
                if (taken.Count == count) break;
                var changed = connection.Execute("""
                    INSERT INTO queue_leases (label_set, target, author, until) VALUES (@set, @target, @author, @until)
                    ON CONFLICT (label_set, target) DO UPDATE SET author = excluded.author, until = excluded.until WHERE queue_leases.author = excluded.author OR queue_leases.until <= @now
                    """, ("@set", _labelSet), ("@target", target), ("@author", author), ("@until", (now + lease).ToUnixTimeMilliseconds()), ("@now", now.ToUnixTimeMilliseconds()));
                if (changed == 1) taken.Add(target);
            }
            return taken;
        });
    }

    /// <summary>Targets that somebody holds now, with who.</summary>
    public IReadOnlyDictionary<string, string> Held() => _database.Read(connection => connection.Query("SELECT target, author FROM queue_leases WHERE label_set = @set AND until > @now",
        reader => (Target: reader.Text("target")!, Author: reader.Text("author")!), ("@set", _labelSet), ("@now", _time.GetUtcNow().ToUnixTimeMilliseconds()))).ToDictionary(held => held.Target, held => held.Author, StringComparer.Ordinal);

    /// <summary>Notes an answer and gives the lease back.</summary>
    /// <param name="until">For <see cref="QueueAnswer.Defer"/>: when it may be shown again.</param>
    public void Answer(string target, string author, QueueAnswer answer, DateTimeOffset? until = null)
    {
        var now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        _database.Write(connection => connection.Execute("""
                INSERT INTO queue_answers (label_set, target, author, answer, at, until) VALUES (@set, @target, @author, @answer, @at, @until)
                ON CONFLICT (label_set, target, author) DO UPDATE SET answer = excluded.answer, at = excluded.at, until = excluded.until
                """, ("@set", _labelSet), ("@target", target), ("@author", author), ("@answer", answer.ToString().ToLowerInvariant()), ("@at", now), ("@until", until?.ToUnixTimeMilliseconds()))
            + connection.Execute("DELETE FROM queue_leases WHERE label_set = @set AND target = @target AND author = @author", ("@set", _labelSet), ("@target", target), ("@author", author)));
    }

    /// <summary>Every answer that still counts: of deferred ones those whose time has not come.</summary>
    public IReadOnlyList<QueueAnswerRow> Answers() => _database.Read(connection => connection.Query(
        "SELECT target, author, answer, at, until FROM queue_answers WHERE label_set = @set AND (answer <> 'defer' OR until > @now) ORDER BY target, author",
        reader => new QueueAnswerRow(reader.Text("target")!, reader.Text("author")!, Enum.Parse<QueueAnswer>(reader.Text("answer")!, ignoreCase: true), reader.Moment("at")!.Value, reader.Moment("until")),
        ("@set", _labelSet), ("@now", _time.GetUtcNow().ToUnixTimeMilliseconds())));

    /// <summary>Gives leases back: the targets were labelled.</summary>
    public void Release(IReadOnlyCollection<string> targets) => _database.Write(connection =>
        targets.Sum(target => connection.Execute("DELETE FROM queue_leases WHERE label_set = @set AND target = @target", ("@set", _labelSet), ("@target", target))));

    public void Dispose()
    {
        if (_ownsDatabase) _database.Dispose();
    }
}
