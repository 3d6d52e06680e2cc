// Rows of tables as candidates: a row's text, a row's bytes, or the file that a row names; its other columns are metadata.
using System.Text;
using System.Text.Json;
using FeatureForge.Data;

namespace FeatureForge.Ingest;

/// <summary>Hands the bytes of a row to <paramref name="inBytes"/>, which says what they are.</summary>
internal sealed class TableReader(IngestSpec spec, Func<Place, byte[], Finding> inBytes)
{
    public IEnumerable<Finding> Findings(Place place, MediaFormat format, Stream stream)
    {
        if (format.Kind == MediaKind.Parquet) return OfParquet(place, format, stream);
        var head = PrefixedStream.TakeHead(stream, Charset.SampleBytes);
        var charset = Charset.Detect(head, isWhole: head.Length < Charset.SampleBytes);
        var text = new StreamReader(new PrefixedStream(head.AsMemory(charset.MarkBytes), stream), charset.Encoding, detectEncodingFromByteOrderMarks: false);
        var rows = new TextRows(spec.Limits.TextCharacters);
        return OfRows(place, format, format.Name == "JSONL" ? rows.OfJson(text) : rows.OfDelimited(text, TextRows.Separator(format, head)), null);
    }

    /// <summary>A list of URLs, one a line; blank lines and those that begin with # are left out.</summary>
    public static IEnumerable<Finding> LinksOf(Place place, Stream stream)
    {
        using var text = new StreamReader(stream, Encoding.UTF8);
        for (var number = 0; text.ReadLine() is { } line;)
        {
            var target = line.Trim();
            if (target.Length == 0 || target[0] == '#') continue;
            var inside = Inside(place, $"{number++}", "{}");
            yield return RemoteReader.IsRemote(target) ? Link(inside, target) : inside.Bad(RejectionCode.Malformed, $"The line '{Shorten(target)}' is no URL; expected http://, https:// or s3://.");
        }
    }

    /// <summary>Whether the first lines of a text are URLs and nothing else.</summary>
    public static bool IsListOfLinks(ReadOnlySpan<byte> head, bool isWhole)
    {
        var lines = Encoding.UTF8.GetString(head).TrimStart('\uFEFF').Split('\n');
        var whole = (isWhole || lines.Length == 1 ? lines : lines[..^1]).Select(line => line.Trim()).Where(line => line.Length > 0 && line[0] != '#').ToList();
        return whole.Count > 0 && whole.All(line => RemoteReader.IsRemote(line) && !line.Any(char.IsWhiteSpace));
    }

    private IEnumerable<Finding> OfParquet(Place place, MediaFormat format, Stream stream)
    {
        using var rows = new ParquetRows(((FileStream)stream).Name);
        var columns = ColumnChoice.Of(spec, rows.Columns, place.IsRoot);
        foreach (var finding in OfRows(place, format, rows.Read(columns), columns)) yield return finding;
    }

    private IEnumerable<Finding> OfRows(Place place, MediaFormat format, IEnumerable<TableRow> rows, ColumnChoice? columns)
    {
        var number = 0;
        foreach (var row in rows)
        {
            if (row.Problem == null) columns ??= ColumnChoice.Of(spec, [.. row.Fields.Keys.Select(name => new TableColumn(name, false))], place.IsRoot);
            yield return FindingOf(place, format, columns, row, number++);
        }
        if (number == 0) throw new MediaRejectedException(RejectionCode.Empty, "The table has no rows.");
    }

    private Finding FindingOf(Place place, MediaFormat format, ColumnChoice? columns, TableRow row, int number)
    {
        var id = columns?.Id != null && row.Text(columns.Id) is { Length: > 0 } named ? named : $"{number}";
        if (row.Problem != null || columns == null) return Inside(place, id, "{}").Bad(RejectionCode.Malformed, row.Problem!);
        var inside = Inside(place, id, row.Metadata(columns));
        return columns.Kind switch
        {
            ColumnKind.Text => OfText(inside, format, columns, row, number),
            ColumnKind.Media => OfMedia(inside, columns, row, number),
            _ => columns.Names.Select(row.Text).FirstOrDefault(text => !string.IsNullOrWhiteSpace(text)) is { } target ? Link(inside, target.Trim()) : NoValue(inside, columns.Names, number),
        };
    }

    private static Finding OfText(Place inside, MediaFormat format, ColumnChoice columns, TableRow row, int number)
    {
        var parts = columns.Names.Select(row.Text).ToList();
        if (parts.Contains(null)) return NoValue(inside, [columns.Names[parts.IndexOf(null)]], number);
        return new(new RowCandidate { Path = inside.Path, SourceUri = inside.SourceUri, Text = string.Join('\n', parts), MediaType = format.MediaType, Metadata = inside.Metadata }, null);
    }

    private Finding OfMedia(Place inside, ColumnChoice columns, TableRow row, int number)
    {
        foreach (var column in columns.Names)
        {
            var path = row.Text($"{column}.path");
            var value = row.Fields.GetValueOrDefault($"{column}.bytes") ?? row.Fields.GetValueOrDefault(column);
            if (value is byte[] { Length: > 0 } bytes) return Bytes(bytes, path);
            if (TableRow.TextOf(value) is { Length: > 0 } text)
            {
                var encoded = text.StartsWith("data:", StringComparison.Ordinal) && text.IndexOf(',') is > 0 and var comma ? text[(comma + 1)..] : text;
                try
                {
                    return Bytes(Convert.FromBase64String(encoded), path);
                }
                catch (FormatException)
                {
                    return inside.Bad(RejectionCode.Malformed, $"Column '{column}' of row {number} holds text that is not base64; expected the bytes of a file. For paths and URLs use --url-column.");
                }
            }
            // Hugging Face leaves the bytes out where the path is enough.
            if (path is { Length: > 0 }) return Link(inside, path);
        }
        return NoValue(inside, columns.Names, number);

        Finding Bytes(byte[] bytes, string? path)
        {
            try
            {
                return inBytes(inside with { Name = path ?? "", ByteSize = bytes.Length }, bytes);
            }
            catch (MediaRejectedException error)
            {
                return inside.Bad(error);
            }
        }
    }

    private static Place Inside(Place table, string id, string metadata) => table with { Path = $"{table.Path}#{id}", FilePath = null, IsDownload = false, IsWhole = false, ByteSize = null, ContentSha256 = null, Metadata = metadata };

    private static Finding Link(Place place, string target) => new(new LinkCandidate { Path = place.Path, SourceUri = RemoteReader.IsRemote(target) ? RemoteReader.Shown(target) : place.SourceUri, Metadata = place.Metadata, Place = place, Target = target }, null);

    private static Finding NoValue(Place inside, IReadOnlyList<string> columns, int number) => inside.Bad(RejectionCode.MissingColumn, $"Row {number} has no value in column '{string.Join("', '", columns)}'.");

    private static string Shorten(string text) => text.Length <= 100 ? text : text[..100] + "…";
}
