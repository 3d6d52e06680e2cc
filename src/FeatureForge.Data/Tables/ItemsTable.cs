// corpora/NAME/items/part-NNNNN.parquet: one row per item.
using System.Text.Json;

namespace FeatureForge.Data;

/// <summary>The items table.</summary>
public static class ItemsTable
{
    private static readonly RowTable<ItemRow> _table = new("items", 1,
    [
        new TextColumn<ItemRow>("item_id", row => row.ItemId),
        new TextColumn<ItemRow>("modality", row => row.Modality.ToString().ToLowerInvariant()),
        new TextColumn<ItemRow>("source_uri", row => row.SourceUri),
        new TextColumn<ItemRow>("path", row => row.Path),
        new TextColumn<ItemRow>("media_type", row => row.MediaType),
        new NumberColumn<ItemRow, long>("byte_size", row => row.ByteSize),
        new BytesColumn<ItemRow>("content", row => row.Content) { Heavy = true, Distinct = true },
        new TextColumn<ItemRow>("text", row => row.Text, nullable: true) { Distinct = true, Utf8 = row => row.ContentIsText ? row.Content : null },
        new NumberColumn<ItemRow, int>("width", row => row.Width, nullable: true),
        new NumberColumn<ItemRow, int>("height", row => row.Height, nullable: true),
        new NumberColumn<ItemRow, int>("channels", row => row.Channels, nullable: true),
        new NumberColumn<ItemRow, int>("duration_ms", row => row.DurationMs, nullable: true),
        new NumberColumn<ItemRow, int>("sample_rate", row => row.SampleRate, nullable: true),
        new NumberColumn<ItemRow, int>("characters", row => row.Characters, nullable: true),
        new TextColumn<ItemRow>("language", row => row.Language, nullable: true),
        new MapColumn<ItemRow>("quality", row => row.Quality),
        new TextColumn<ItemRow>("near_duplicate_of", row => row.NearDuplicateOf, nullable: true),
        new TextColumn<ItemRow>("metadata", row => row.Metadata),
        new NumberColumn<ItemRow, DateTime>("ingested_at", row => row.IngestedAt.UtcDateTime) { Volatile = true },
        new BytesColumn<ItemRow>("signature", row => row.Signature) { Heavy = true, Distinct = true },
    ],
    values => new()
    {
        ItemId = values.Text("item_id"),
        Modality = Enum.Parse<Modality>(values.Text("modality"), ignoreCase: true),
        SourceUri = values.Text("source_uri"),
        Path = values.Text("path"),
        MediaType = values.Text("media_type"),
        ByteSize = values.Number<long>("byte_size"),
        Content = values.Bytes("content"),
        Text = values.TextOrNull("text"),
        Width = values.NumberOrNull<int>("width"),
        Height = values.NumberOrNull<int>("height"),
        Channels = values.NumberOrNull<int>("channels"),
        DurationMs = values.NumberOrNull<int>("duration_ms"),
        SampleRate = values.NumberOrNull<int>("sample_rate"),
        Characters = values.NumberOrNull<int>("characters"),
        Language = values.TextOrNull("language"),
        Quality = values.Map("quality"),
        NearDuplicateOf = values.TextOrNull("near_duplicate_of"),
        Metadata = values.Text("metadata"),
        IngestedAt = values.Time("ingested_at"),
        Signature = values.Bytes("signature"),
    });

    /// <summary>What content and text take in memory.</summary>
    public static long PayloadBytes(ItemRow row) => (row.Content?.Length ?? 0) + (row.ContentIsText ? 0 : 2L * (row.Text?.Length ?? 0));

    /// <summary>Writes one part. The caller sorts the rows by item_id.</summary>
    public static Task WriteAsync(string path, IReadOnlyList<ItemRow> rows, CancellationToken stop) =>
        _table.WriteAsync(path, rows, PayloadBytes, stop);

    /// <summary>Rows in file order, one row group in memory at a time; <see cref="ItemRow.Content"/> only when asked for.</summary>
    public static IAsyncEnumerable<ItemRow> ReadAsync(string path, bool withContent, CancellationToken stop) => _table.ReadAsync(path, withContent, stop);

    /// <summary>The rows of one row group, counted from 0; <see cref="ItemRow.Content"/> only when asked for.</summary>
    public static Task<IReadOnlyList<ItemRow>> ReadGroupAsync(string path, int group, bool withContent, CancellationToken stop) => _table.ReadGroupAsync(path, group, withContent, stop);

    /// <summary>Ids and modalities alone, one list per row group, in file order.</summary>
    public static IAsyncEnumerable<IReadOnlyList<(string ItemId, Modality Modality)>> ReadKeysAsync(string path, CancellationToken stop) =>
        _table.ReadColumnsAsync(path, ["item_id", "modality"], values => (values.Text("item_id"), Enum.Parse<Modality>(values.Text("modality"), ignoreCase: true)), stop);

    /// <summary>Ids and signatures of the items that nearly equal no earlier one, one list per row group, in file order.</summary>
    public static async IAsyncEnumerable<IReadOnlyList<(string ItemId, byte[] Signature)>> ReadSignaturesAsync(string path, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken stop)
    {
        await foreach (var group in _table.ReadColumnsAsync(path, ["item_id", "near_duplicate_of", "signature"], values => (Id: values.Text("item_id"), Of: values.TextOrNull("near_duplicate_of"), Signature: values.Bytes("signature")), stop))
            yield return [.. group.Where(row => row is { Of: null, Signature: not null }).Select(row => (row.Id, row.Signature!))];
    }

    /// <summary>Everything but content, text and signature, one list per row group, in file order.</summary>
    public static IAsyncEnumerable<IReadOnlyList<ItemRow>> ReadSummariesAsync(string path, CancellationToken stop) =>
        _table.ReadColumnsAsync(path, ["item_id", "modality", "path", "byte_size", "width", "height", "duration_ms", "characters", "language", "quality", "near_duplicate_of"], values => new ItemRow
        {
            ItemId = values.Text("item_id"),
            Modality = Enum.Parse<Modality>(values.Text("modality"), ignoreCase: true),
            SourceUri = "",
            Path = values.Text("path"),
            MediaType = "",
            ByteSize = values.Number<long>("byte_size"),
            Width = values.NumberOrNull<int>("width"),
            Height = values.NumberOrNull<int>("height"),
            DurationMs = values.NumberOrNull<int>("duration_ms"),
            Characters = values.NumberOrNull<int>("characters"),
            Language = values.TextOrNull("language"),
            Quality = values.Map("quality"),
            NearDuplicateOf = values.TextOrNull("near_duplicate_of"),
            IngestedAt = default,
        }, stop);

    internal static Task HashAsync(string path, TableHash hash, CancellationToken stop) => _table.HashAsync(path, hash, stop);
}

/// <summary>The quarantine table.</summary>
public static class QuarantineTable
{
    private static readonly RowTable<Rejection> _table = new("quarantine", 1,
    [
        new TextColumn<Rejection>("path", row => row.Path),
        new TextColumn<Rejection>("source_uri", row => row.SourceUri),
        new NumberColumn<Rejection, long>("byte_size", row => row.ByteSize, nullable: true),
        new TextColumn<Rejection>("content_sha256", row => row.ContentSha256, nullable: true),
        new TextColumn<Rejection>("stage", row => row.Stage),
        new TextColumn<Rejection>("code", row => CodeName(row.Code)),
        new TextColumn<Rejection>("reason", row => row.Reason),
        new NumberColumn<Rejection, int>("attempts", row => row.Attempts),
        new NumberColumn<Rejection, DateTime>("at", row => row.At.UtcDateTime) { Volatile = true },
    ],
    values => new(values.Text("path"), values.Text("source_uri"), values.NumberOrNull<long>("byte_size"), values.TextOrNull("content_sha256"),
        values.Text("stage"), CodeOf(values.Text("code")), values.Text("reason"), values.Number<int>("attempts"), values.Time("at")));

    /// <summary>The code as the table writes it: snake_case.</summary>
    public static string CodeName(RejectionCode code) => JsonNamingPolicy.SnakeCaseLower.ConvertName(code.ToString());

    public static Task WriteAsync(string path, IReadOnlyList<Rejection> rows, CancellationToken stop) => _table.WriteAsync(path, rows, _ => 0, stop);

    public static IAsyncEnumerable<Rejection> ReadAsync(string path, CancellationToken stop) => _table.ReadAsync(path, withHeavy: true, stop);

    internal static Task HashAsync(string path, TableHash hash, CancellationToken stop) => _table.HashAsync(path, hash, stop);

    private static RejectionCode CodeOf(string name) => Enum.Parse<RejectionCode>(name.Replace("_", "", StringComparison.Ordinal), ignoreCase: true);
}
