// `label import`: a file of another tool, or of ours, becomes rows with source=import. Items are found by id, path or URL; what the store does
// not hold is counted and named, never invented. The same file again adds nothing.
using FeatureForge.Data;

namespace FeatureForge.Labelling;

/// <summary>Brings labels in.</summary>
public static class LabelImport
{
    private const int Named = 20;

    /// <param name="format">One of <see cref="LabelFormats.All"/>; null = by the file's name.</param>
    /// <param name="author">Who counts as author where the file names nobody.</param>
    /// <param name="corpus">Only items of this corpus; null = of all.</param>
    /// <exception cref="BadRequestException">The file is not of that format, or a row of it cannot be a label; nothing was added.</exception>
    public static async Task<LabelImportResult> RunAsync(Store store, string labelSet, string path, string? format, string author, string? corpus, TimeProvider time, CancellationToken stop)
    {
        if (!File.Exists(path)) throw new BadRequestException($"There is no file {path}.");
        format ??= LabelFormats.Of(path);
        var log = LabelLog.Of(store, labelSet);
        var places = new ItemPlaces((await KnownItems.ReadAsync(store, corpus, null, stop)).Values);
        var known = (await log.ReadAsync(stop)).Active.Where(row => row.Source == LabelSource.Import).Select(Key).ToHashSet();
        var (batch, now) = (LabelLog.NewId(), time.GetUtcNow());
        var (rows, unmatched, there) = (new List<LabelRow>(), new List<string>(), 0);
        await foreach (var label in ReadAsync(path, format, stop))
        {
            stop.ThrowIfCancellationRequested();
            if (LabelLog.NameProblem(label.Name) is { } problem) throw new BadRequestException($"{label.Where}: {problem}");
            if (label.Confidence is not (null or (>= 0 and <= 1))) throw new BadRequestException(FormattableString.Invariant($"{label.Where}: confidence is {label.Confidence}; expected 0 to 1."));
            var id = label.Cluster ?? places.Find(label.Item);
            if (id is null) { unmatched.Add(label.Item); continue; }
            if (label.Cluster is not null && label.Clustering is null) throw new BadRequestException($"{label.Where}: the label of cluster {label.Cluster} names no clustering.");
            var region = label.Cluster is null && label.RegionOf is { } of ? of(places.Item(id)!) : label.Region;
            var row = new LabelRow
            {
                LabelId = LabelLog.NewId(),
                Target = label.Cluster is null ? LabelTarget.Item : LabelTarget.Cluster,
                TargetId = id,
                Clustering = label.Clustering,
                Name = label.Name,
                Source = LabelSource.Import,
                Author = string.IsNullOrWhiteSpace(label.Author) ? author : label.Author,
                Confidence = label.Confidence ?? 1,
                At = label.At ?? now,
                Batch = batch,
                Region = region?.ToJson(),
            };
            if (known.Add(Key(row))) rows.Add(row);
            else there++;
        }
        await log.AppendAsync(rows, stop);
        return new(labelSet, format, rows.Count, there, unmatched.Count, [.. unmatched.Distinct().Take(Named)], batch);
    }

    private static (LabelTarget, string, string, string, string?) Key(LabelRow row) => (row.Target, row.TargetId, row.Name, row.Author, row.Region);

    private static IAsyncEnumerable<Exchanged> ReadAsync(string path, string format, CancellationToken stop) => format switch
    {
        "parquet" => LabelTables.ReadParquetAsync(path, stop),
        "csv" => LabelTables.ReadCsv(path).ToAsyncEnumerable(),
        "jsonl" => LabelTables.ReadJsonLines(path).ToAsyncEnumerable(),
        "label-studio" => LabelStudio.Read(path).ToAsyncEnumerable(),
        "coco" => Coco.Read(path).ToAsyncEnumerable(),
        _ => throw new BadRequestException($"Format '{format}' is unknown; expected {string.Join(", ", LabelFormats.All)}."),
    };
}
