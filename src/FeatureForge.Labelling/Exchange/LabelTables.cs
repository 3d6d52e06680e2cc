// Labels as plain tables: CSV and JSON lines with one label a row, and the log's own Parquet. Columns read: item_id or path, and label or name;
// author, confidence, at, region, source where they are there. All of them are written.
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using FeatureForge.Data;

namespace FeatureForge.Labelling;

internal static class LabelTables
{
    private static readonly string[] _columns = ["item_id", "path", "label", "source", "author", "confidence", "at", "region", "cluster_id", "clustering"];

    internal static IEnumerable<Exchanged> ReadCsv(string path)
    {
        var table = Csv.Read(path);
        if ((!table.Has("item_id") && !table.Has("path") && !table.Has("cluster_id")) || (!table.Has("label") && !table.Has("name")))
            throw new BadRequestException($"{path} has the columns {string.Join(", ", table.Header)}; expected item_id or path, and label.");
        foreach (var row in table.Rows)
            if (Of(row.Find, $"{Path.GetFileName(path)} line {row.Line}") is { } label) yield return label;
    }

    internal static IEnumerable<Exchanged> ReadJsonLines(string path)
    {
        var number = 0;
        foreach (var line in File.ReadLines(path))
        {
            number++;
            if (string.IsNullOrWhiteSpace(line)) continue;
            var where = $"{Path.GetFileName(path)} line {number}";
            JsonObject row;
            try { row = JsonNode.Parse(line) as JsonObject ?? throw new JsonException("not an object"); }
            catch (JsonException error) { throw new BadRequestException($"{where} is no JSON object: {error.Message}"); }
            if (Of(key => row[key] is { } value ? value is JsonObject or JsonArray ? value.ToJsonString() : value.ToString() : null, where) is { } label) yield return label;
        }
    }

    internal static async IAsyncEnumerable<Exchanged> ReadParquetAsync(string path, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken stop)
    {
        var rows = new List<LabelRow>();
        await foreach (var row in LabelsTable.ReadAsync(path, stop)) rows.Add(row);
        foreach (var row in new LabelState(rows).Active)
            yield return new(row.TargetId, row.Name, row.Author, row.Confidence, row.At, LabelRegion.Parse(row.Region), $"label {row.LabelId}")
            {
                Source = row.Source,
                Cluster = row.Target == LabelTarget.Cluster ? row.TargetId : null,
                Clustering = row.Clustering,
            };
    }

    internal static void WriteCsv(Stream stream, IEnumerable<(KnownItem Item, IReadOnlyList<LabelRow> Rows)> items, IEnumerable<LabelRow> clusters)
    {
        using var writer = new StreamWriter(stream) { NewLine = "\n" };
        writer.WriteLine(Csv.Line(_columns));
        foreach (var (item, rows) in items)
            foreach (var row in rows) writer.WriteLine(Csv.Line(Fields(item, row)));
        foreach (var row in clusters) writer.WriteLine(Csv.Line(Fields(null, row)));
    }

    internal static void WriteJsonLines(Stream stream, IEnumerable<(KnownItem Item, IReadOnlyList<LabelRow> Rows)> items, IEnumerable<LabelRow> clusters)
    {
        using var writer = new StreamWriter(stream) { NewLine = "\n" };
        void Write(KnownItem? item, LabelRow row)
        {
            var line = new JsonObject();
            foreach (var (column, field) in _columns.Zip(Fields(item, row)))
                if (field is not null) line[column] = column switch { "confidence" => JsonValue.Create(row.Confidence), "region" => JsonNode.Parse(field), _ => JsonValue.Create(field) };
            writer.WriteLine(line.ToJsonString(SpecJson.Line));
        }
        foreach (var (item, rows) in items)
            foreach (var row in rows) Write(item, row);
        foreach (var row in clusters) Write(null, row);
    }

    private static string?[] Fields(KnownItem? item, LabelRow row) =>
        [item?.ItemId, item?.Path, row.Name, row.Source.ToString().ToLowerInvariant(), row.Author, row.Confidence.ToString(CultureInfo.InvariantCulture), row.At.UtcDateTime.ToString("O", CultureInfo.InvariantCulture),
            row.Region, row.Target == LabelTarget.Cluster ? row.TargetId : null, row.Clustering];

    private static Exchanged? Of(Func<string, string?> value, string where)
    {
        if ((value("label") ?? value("name")) is not { } name) return null;
        var cluster = value("cluster_id");
        if ((value("item_id") ?? value("path") ?? cluster) is not { } item) throw new BadRequestException($"{where} names no item; expected item_id or path.");
        float? confidence = null;
        if (value("confidence") is { } text)
            confidence = float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var read) ? read : throw new BadRequestException($"{where}: confidence '{text}' is no number.");
        DateTimeOffset? at = null;
        if (value("at") is { } time)
            at = DateTimeOffset.TryParse(time, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var moment) ? moment : throw new BadRequestException($"{where}: at '{time}' is no time; expected for instance 2026-01-31T12:00:00Z.");
        LabelRegion? region;
        try { region = LabelRegion.Parse(value("region")); }
        catch (JsonException error) { throw new BadRequestException($"{where}: region is no JSON object of a region: {error.Message}"); }
        LabelSource? source = value("source") is { } word ? Enum.TryParse<LabelSource>(word, ignoreCase: true, out var known) ? known : throw new BadRequestException($"{where}: source '{word}' is unknown; expected person, propagated, model or import.") : null;
        return new(item, name, value("author"), confidence, at, region, where) { Source = source, Cluster = cluster, Clustering = value("clustering") };
    }
}
