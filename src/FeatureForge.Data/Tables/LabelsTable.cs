// labels/LABEL SET/part-*.parquet: one row per label or undoing of one. LabelLog.cs appends and reads the log as a whole.
namespace FeatureForge.Data;

/// <summary>The labels table.</summary>
public static class LabelsTable
{
    private static readonly RowTable<LabelRow> _table = new("labels", 1,
    [
        new TextColumn<LabelRow>("label_id", row => row.LabelId) { Volatile = true },
        new TextColumn<LabelRow>("target_kind", row => RunWords.Word(row.Target)),
        new TextColumn<LabelRow>("target_id", row => row.TargetId),
        new TextColumn<LabelRow>("clustering", row => row.Clustering, nullable: true),
        new TextColumn<LabelRow>("name", row => row.Name),
        new TextColumn<LabelRow>("source", row => RunWords.Word(row.Source)),
        new TextColumn<LabelRow>("author", row => row.Author),
        new NumberColumn<LabelRow, float>("confidence", row => row.Confidence),
        new NumberColumn<LabelRow, DateTime>("at", row => row.At.UtcDateTime) { Volatile = true },
        new TextColumn<LabelRow>("undoes", row => row.Undoes, nullable: true),
        new TextColumn<LabelRow>("batch", row => row.Batch) { Volatile = true },
        new TextColumn<LabelRow>("region", row => row.Region, nullable: true),
        new TextColumn<LabelRow>("encoder_id", row => row.EncoderId, nullable: true),
    ], Make);

    private static readonly HashSet<string> _given = [.. Enum.GetValues<LabelSource>().Where(LabelLog.IsGiven).Select(RunWords.Word)];

    private static LabelRow Make(RowValues values) => new()
    {
        LabelId = values.Text("label_id"),
        Target = values.Text("target_kind") == "cluster" ? LabelTarget.Cluster : LabelTarget.Item,
        TargetId = values.Text("target_id"),
        Clustering = values.TextOrNull("clustering"),
        Name = values.Text("name"),
        Source = values.Text("source") switch
        {
            "person" => LabelSource.Person,
            "propagated" => LabelSource.Propagated,
            "model" => LabelSource.Model,
            "import" => LabelSource.Import,
            var word => throw new InvalidDataException($"Label {values.Text("label_id")} has source '{word}'; expected person, propagated, model or import."),
        },
        Author = values.Text("author"),
        Confidence = values.Number<float>("confidence"),
        At = values.Time("at"),
        Undoes = values.TextOrNull("undoes"),
        Batch = values.TextOrNull("batch") ?? values.Text("label_id"),
        Region = values.TextOrNull("region"),
        EncoderId = values.TextOrNull("encoder_id"),
    };

    public static Task WriteAsync(string path, IReadOnlyList<LabelRow> rows, CancellationToken stop) => _table.WriteAsync(path, rows, _ => 0, stop);

    public static IAsyncEnumerable<LabelRow> ReadAsync(string path, CancellationToken stop) => _table.ReadAsync(path, withHeavy: true, stop);

    /// <summary>Rows of people and imports alone; predictions, of which there may be millions, are passed over.</summary>
    internal static IAsyncEnumerable<LabelRow> ReadGivenAsync(string path, CancellationToken stop) =>
        _table.ReadWhereAsync(path, "source", _given.Contains, stop);

    /// <summary>Ids and what they take back alone, one list per row group, in file order: all that is needed to know which rows are in force.</summary>
    public static IAsyncEnumerable<IReadOnlyList<(string LabelId, string? Undoes)>> ReadUndoesAsync(string path, CancellationToken stop) =>
        _table.ReadColumnsAsync(path, ["label_id", "undoes"], values => (values.Text("label_id"), values.TextOrNull("undoes")), stop);

    /// <summary>Adds a row's meaning to a content hash: neither its id, nor its time, nor the act that wrote it.</summary>
    internal static void Hash(LabelRow row, CanonicalEncoder encoder, TableHash hash)
    {
        _table.Encode(row, encoder);
        hash.Add(encoder);
    }
}
