// corpora/NAME/removals/part-NNNNN.parquet: tombstones. An item whose id is in it is no longer in the corpus, although its row is.
namespace FeatureForge.Data;

/// <summary>One item taken out of a corpus.</summary>
/// <param name="Path">The item's, for people.</param>
/// <param name="Reason">What selected it, for instance "path drafts/*".</param>
/// <param name="RunId">The run that removed it.</param>
public sealed record Removal(string ItemId, string Path, string Reason, string RunId, DateTimeOffset At);

/// <summary>The removals table. In SQL: <c>select * from items where item_id not in (select item_id from removals)</c>.</summary>
public static class RemovalsTable
{
    private static readonly RowTable<Removal> _table = new("removals", 1,
    [
        new TextColumn<Removal>("item_id", row => row.ItemId),
        new TextColumn<Removal>("path", row => row.Path),
        new TextColumn<Removal>("reason", row => row.Reason),
        new TextColumn<Removal>("run_id", row => row.RunId) { Volatile = true },
        new NumberColumn<Removal, DateTime>("at", row => row.At.UtcDateTime) { Volatile = true },
    ],
    values => new(values.Text("item_id"), values.Text("path"), values.Text("reason"), values.Text("run_id"), values.Time("at")));

    public static Task WriteAsync(string path, IReadOnlyList<Removal> rows, CancellationToken stop) => _table.WriteAsync(path, rows, _ => 0, stop);
    public static IAsyncEnumerable<Removal> ReadAsync(string path, CancellationToken stop) => _table.ReadAsync(path, withHeavy: true, stop);
    internal static Task HashAsync(string path, TableHash hash, CancellationToken stop) => _table.HashAsync(path, hash, stop);
}
