// selections/NAME/items/part-NNNNN.parquet: the items of a selection.
namespace FeatureForge.Data;

/// <summary>One item of a selection.</summary>
public sealed record SelectionRow(string ItemId);

/// <summary>The table of a selection. In SQL: <c>select * from items where item_id in (select item_id from selection)</c>.</summary>
public static class SelectionsTable
{
    private static readonly RowTable<SelectionRow> _table = new("selection", 1, [new TextColumn<SelectionRow>("item_id", row => row.ItemId)], values => new(values.Text("item_id")));

    public static Task WriteAsync(string path, IReadOnlyList<SelectionRow> rows, CancellationToken stop) => _table.WriteAsync(path, rows, _ => 0, stop);
    public static IAsyncEnumerable<SelectionRow> ReadAsync(string path, CancellationToken stop) => _table.ReadAsync(path, withHeavy: true, stop);
    internal static Task HashAsync(string path, TableHash hash, CancellationToken stop) => _table.HashAsync(path, hash, stop);
}
