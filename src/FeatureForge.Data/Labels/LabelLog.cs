// The append-only log of a label set: labels/LABEL SET/part-TIME-ID.parquet. Every act publishes one part of its own by renaming, so two
// processes lose nothing and no reader sees half a part. Undoing adds rows; what is in force is the log without what is undone.
using System.Globalization;

namespace FeatureForge.Data;

/// <summary>One label set's log.</summary>
public sealed class LabelLog
{
    private const int CompactRows = 500_000;
    private readonly Store _store;

    private LabelLog(Store store, string labelSet) => (_store, LabelSet) = (store, labelSet);

    public string LabelSet { get; }

    private string Folder => _store.LabelSetFolder(LabelSet);

    /// <summary>The log of a label set, which need not exist yet.</summary>
    /// <exception cref="BadRequestException">No name for a label set.</exception>
    public static LabelLog Of(Store store, string labelSet) =>
        Names.Problem("label set", labelSet) is { } problem ? throw new BadRequestException(problem) : new(store, labelSet);

    /// <summary>The log of a label set that exists.</summary>
    /// <exception cref="BadRequestException">No such label set; the message names those there are.</exception>
    public static LabelLog Existing(Store store, string labelSet)
    {
        var log = Of(store, labelSet);
        if (PartsIn(store, log.Folder).Count > 0) return log;
        var names = string.Join(", ", store.LabelSets());
        throw new BadRequestException($"There is no label set named '{labelSet}' in this store; " + (names.Length > 0 ? $"it has: {names}." : "it has none. `featureforge label set` makes one."));
    }

    /// <summary>Whether labels of a source are given by people, or brought in with a file: what everything else is worked out from.</summary>
    public static bool IsGiven(LabelSource source) => source is LabelSource.Person or LabelSource.Import;

    /// <summary>A new unique label_id or batch id.</summary>
    public static string NewId() => Guid.NewGuid().ToString("N");

    /// <summary>What is wrong with the name of a class, or null: not empty, at most 200 characters, no control characters, no blank ends.</summary>
    public static string? NameProblem(string? name)
    {
        if (string.IsNullOrWhiteSpace(name)) return "A label needs a name that is not blank.";
        if (name.Length > 200) return $"The label name '{name[..40]}…' has {name.Length} characters; expected at most 200.";
        if (name.Any(char.IsControl)) return "The label name holds a control character (a line break or a tab, for instance); leave it out.";
        return char.IsWhiteSpace(name[0]) || char.IsWhiteSpace(name[^1]) ? $"The label name '{name}' begins or ends with a blank; leave it out." : null;
    }

    /// <summary>Adds rows as one part; after return they survive power loss.</summary>
    /// <exception cref="BadRequestException">A row that no log may hold; nothing was added.</exception>
    public async Task AppendAsync(IReadOnlyList<LabelRow> rows, CancellationToken stop)
    {
        if (rows.Count == 0) return;
        BadRequestException.ThrowIfAny([.. rows.Select(Problem).OfType<string>().Distinct().Take(20)]);
        await PublishAsync(rows, $"part-{rows[0].At.ToUnixTimeMilliseconds():d13}-{NewId()[..16]}.parquet", stop);
    }

    /// <summary>Takes labels back by adding rows that say so.</summary>
    /// <returns>The rows added; empty when all were undone before.</returns>
    /// <exception cref="BadRequestException">An id that the log does not hold.</exception>
    public async Task<IReadOnlyList<LabelRow>> UndoAsync(IReadOnlyCollection<string> labelIds, string author, DateTimeOffset at, CancellationToken stop)
    {
        var wanted = labelIds.ToHashSet(StringComparer.Ordinal);
        var state = await ReadGivenAsync(stop);
        // Predictions are read only when they are meant.
        if (!wanted.All(state.Holds)) state = await ReadAsync(stop);
        var unknown = wanted.Where(id => !state.Holds(id)).Take(5).ToList();
        if (unknown.Count > 0) throw new BadRequestException($"Label set '{LabelSet}' holds no label {string.Join(", ", unknown)}; `featureforge label list` shows the ids.");
        return await UndoAsync([.. state.All.Where(row => wanted.Contains(row.LabelId) && state.IsInForce(row))], author, at, stop);
    }

    /// <summary>Takes back all that one act did and that is still in force: the labels it gave, and what it took back comes into force again.</summary>
    /// <exception cref="BadRequestException">No such batch.</exception>
    public async Task<IReadOnlyList<LabelRow>> UndoBatchAsync(string batch, string author, DateTimeOffset at, CancellationToken stop)
    {
        var state = await ReadGivenAsync(stop);
        var rows = state.All.Where(row => row.Batch == batch).ToList();
        // Acts of people hold labels alone; one that holds something else may hold predictions as well.
        if (rows.Count == 0 || rows.Any(row => row.Undoes is not null)) state = await ReadAsync(stop);
        if (!state.All.Any(row => row.Batch == batch)) throw new BadRequestException($"Label set '{LabelSet}' holds no batch {batch}; `featureforge label list` shows the batches.");
        return await UndoAsync([.. state.All.Where(row => row.Batch == batch && state.IsInForce(row))], author, at, stop);
    }

    /// <summary>The rows that take the given ones back, not yet added: an act that replaces labels adds them with its new ones as one part. Their source is that of what they take back, so that who reads labels of one source finds those in force.</summary>
    public static IReadOnlyList<LabelRow> UndoRows(IEnumerable<LabelRow> rows, string author, string batch, DateTimeOffset at) =>
        [.. rows.Select(row => row with { LabelId = NewId(), Name = "", Author = author, Batch = batch, At = at, Undoes = row.LabelId, Confidence = 1, Region = null, EncoderId = null })];

    /// <summary>The whole log: every row, and which are in force.</summary>
    public Task<LabelState> ReadAsync(CancellationToken stop) => ReadAsync(path => LabelsTable.ReadAsync(path, stop));

    /// <summary>The rows of sources that are given (<see cref="IsGiven"/>), and which of them are in force. Beside a million predictions that is read in a fraction of the time.</summary>
    public Task<LabelState> ReadGivenAsync(CancellationToken stop) => ReadAsync(path => LabelsTable.ReadGivenAsync(path, stop));

    private async Task<LabelState> ReadAsync(Func<string, IAsyncEnumerable<LabelRow>> read)
    {
        // A part that vanishes while being read was merged into another one that the next look finds.
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                var rows = new List<LabelRow>();
                foreach (var part in PartsIn(_store, Folder))
                    await foreach (var row in read(_store.FileOf(part))) rows.Add(row);
                return new(rows);
            }
            catch (FileNotFoundException) when (attempt < 5) { }
        }
    }

    /// <summary>Hash of the labels in force, independent of ids, times, order and parts: equal before a label and after its undoing.</summary>
    public async Task<TableContent> HashAsync(CancellationToken stop) => HashOf(await ReadAsync(stop));

    /// <summary>The same of a log that was read already.</summary>
    public TableContent HashOf(LabelState state)
    {
        var hash = new TableHash();
        var encoder = new CanonicalEncoder();
        foreach (var row in state.Active) LabelsTable.Hash(row, encoder, hash);
        return new($"labels/{LabelSet}", hash.Rows, hash.ToString());
    }

    /// <summary>Merges many small parts into few, losing no row. Killed between, some rows lie in two parts; readers take each id once.</summary>
    /// <returns>Parts before and after.</returns>
    public async Task<(int Before, int After)> CompactAsync(CancellationToken stop)
    {
        var parts = PartsIn(_store, Folder);
        if (parts.Count < 2) return (parts.Count, parts.Count);
        var rows = new List<LabelRow>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var part in parts)
            await foreach (var row in LabelsTable.ReadAsync(_store.FileOf(part), stop))
                if (seen.Add(row.LabelId)) rows.Add(row);
        var first = Path.GetFileName(parts[0])[..18];
        var made = 0;
        foreach (var some in rows.Chunk(CompactRows)) await PublishAsync(some, string.Create(CultureInfo.InvariantCulture, $"{first}-{made++:d4}{NewId()[..12]}.parquet"), stop);
        foreach (var part in parts) _store.Remove(part);
        return (parts.Count, made);
    }

    internal static IReadOnlyList<string> PartsIn(Store store, string folder) =>
        [.. store.FilesBelow(folder).Where(path => Path.GetFileName(path) is ['p', 'a', 'r', 't', '-', ..] name && name.EndsWith(".parquet", StringComparison.Ordinal))];

    /// <summary>Reads every value of a part.</summary>
    internal static void CheckPart(string path, CancellationToken stop) =>
        Task.Run(async () => { await foreach (var _ in LabelsTable.ReadAsync(path, stop)) { } }, stop).GetAwaiter().GetResult();

    private async Task<IReadOnlyList<LabelRow>> UndoAsync(IReadOnlyList<LabelRow> rows, string author, DateTimeOffset at, CancellationToken stop)
    {
        var undoing = UndoRows(rows, author, NewId(), at);
        await AppendAsync(undoing, stop);
        return undoing;
    }

    private async Task PublishAsync(IReadOnlyList<LabelRow> rows, string name, CancellationToken stop)
    {
        var staging = ScratchFolder.Begin(_store, "labels-" + NewId());
        var staged = Path.Combine(staging, name);
        try
        {
            await LabelsTable.WriteAsync(staged, rows, stop);
            _store.Put(staged, Path.Combine(Folder, name));
        }
        finally { if (Directory.Exists(staging)) Directory.Delete(staging, recursive: true); }
    }

    private static string? Problem(LabelRow row)
    {
        if (row.Undoes is null && NameProblem(row.Name) is { } problem) return problem;
        if (string.IsNullOrWhiteSpace(row.TargetId)) return "A label needs an item or a cluster.";
        if (string.IsNullOrWhiteSpace(row.Author)) return "A label needs an author.";
        if (row.Target == LabelTarget.Cluster && string.IsNullOrEmpty(row.Clustering)) return $"The label of cluster {row.TargetId} needs the name of its clustering.";
        return row.Confidence is >= 0 and <= 1 ? null : $"The label of {row.TargetId} has confidence {row.Confidence.ToString(CultureInfo.InvariantCulture)}; expected 0 to 1.";
    }
}
