// Rows of CSV, TSV and JSONL tables as text candidates: chosen columns joined by a newline, the others as metadata.
using System.Text;
using System.Text.Json;
using FeatureForge.Data;

namespace FeatureForge.Ingest;

internal sealed class TableReader(IngestSpec spec)
{
    private static readonly string[] UsualTextColumns = ["text", "content", "body", "sentence", "document"];

    public IEnumerable<Finding> Findings(Place place, MediaFormat format, Stream stream)
    {
        var head = PrefixedStream.TakeHead(stream, Charset.SampleBytes);
        var charset = Charset.Detect(head, isWhole: head.Length < Charset.SampleBytes);
        using var text = new StreamReader(new PrefixedStream(head.AsMemory(charset.MarkBytes), stream), charset.Encoding, detectEncodingFromByteOrderMarks: false);
        var rows = format.Name == "JSONL" ? JsonRows(text) : DelimitedRows(text, Separator(format, head));
        var (number, columns) = (0, (ColumnChoice?)null);
        foreach (var row in rows)
        {
            if (row.Problem == null) columns ??= Columns(row.Fields.Keys);
            yield return FindingOf(place, format, columns, row, number++);
        }
        if (number == 0) throw new MediaRejectedException(RejectionCode.Empty, "The table has no rows.");
    }

    private sealed record Row(IReadOnlyDictionary<string, JsonElement> Fields, string? Problem);

    private sealed record ColumnChoice(IReadOnlyList<string> Text, string? Id);

    private ColumnChoice Columns(IEnumerable<string> found)
    {
        var names = found.ToList();
        var chosen = spec.TextColumns.Count > 0 ? spec.TextColumns : UsualTextColumns.Select(usual => names.Find(name => name.Equals(usual, StringComparison.OrdinalIgnoreCase))).OfType<string>().Take(1).ToList();
        var wanted = spec.IdColumn == null ? chosen : [.. chosen, spec.IdColumn];
        var missing = wanted.Where(column => !names.Contains(column)).ToList();
        if (chosen.Count == 0) throw new MediaRejectedException(RejectionCode.MissingColumn, $"No column is called {string.Join(", ", UsualTextColumns)}; the table has: {string.Join(", ", names)}. Name one with --text-column.");
        if (missing.Count > 0) throw new MediaRejectedException(RejectionCode.MissingColumn, $"The table has no column '{string.Join("', '", missing)}'; it has: {string.Join(", ", names)}.");
        return new(chosen, spec.IdColumn ?? names.Find(name => name.Equals("id", StringComparison.OrdinalIgnoreCase)));
    }

    private Finding FindingOf(Place place, MediaFormat format, ColumnChoice? columns, Row row, int number)
    {
        var id = columns?.Id != null && row.Fields.TryGetValue(columns.Id, out var value) && TextOf(value) is { Length: > 0 } named ? named : $"{number}";
        var inside = place with { Path = $"{place.Path}#{id}", FilePath = null, ByteSize = null };
        if (row.Problem != null || columns == null) return inside.Bad(RejectionCode.Malformed, row.Problem!);
        var parts = columns.Text.Select(column => row.Fields.TryGetValue(column, out var part) ? TextOf(part) : null).ToList();
        if (parts.Contains(null)) return inside.Bad(RejectionCode.MissingColumn, $"Row {number} has no value in column '{columns.Text[parts.IndexOf(null)]}'.");
        var text = string.Join('\n', parts);
        var others = row.Fields.Where(field => !columns.Text.Contains(field.Key) && field.Key != columns.Id).ToDictionary(field => field.Key, field => field.Value);
        return new(new RowCandidate { Path = inside.Path, SourceUri = inside.SourceUri, Text = text, MediaType = format.MediaType, Metadata = JsonSerializer.Serialize(others, SpecJson.Line) }, null);
    }

    private static string? TextOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.Undefined => null,
        JsonValueKind.String => value.GetString(),
        _ => value.GetRawText(),
    };

    private IEnumerable<Row> DelimitedRows(TextReader text, char separator)
    {
        var reader = new DelimitedReader(text, separator, spec.Limits.TextCharacters);
        if (reader.Next() is not { } header) yield break;
        var names = header.Select((name, i) => header.IndexOf(name) == i && name.Length > 0 ? name : $"column_{i}").ToList();
        while (reader.Next() is { } row)
        {
            var problem = row.Count == names.Count ? null : $"The row has {row.Count} fields; the header has {names.Count}.";
            yield return new(names.Zip(row).ToDictionary(pair => pair.First, pair => JsonSerializer.SerializeToElement(pair.Second)), problem);
        }
    }

    private static char Separator(MediaFormat format, ReadOnlySpan<byte> head)
    {
        if (format.Name == "TSV") return '\t';
        var firstLine = head[..(head.IndexOfAny((byte)'\n', (byte)'\r') is >= 0 and var end ? end : head.Length)];
        var (commas, tabs, semicolons) = (firstLine.Count((byte)','), firstLine.Count((byte)'\t'), firstLine.Count((byte)';'));
        if (commas > 0 || (tabs == 0 && semicolons == 0)) return ',';
        return tabs >= semicolons ? '\t' : ';';
    }

    private IEnumerable<Row> JsonRows(TextReader text)
    {
        var line = new StringBuilder();
        while (ReadLine(text, line) is { } found)
        {
            if (!string.IsNullOrWhiteSpace(found)) yield return JsonRow(found);
        }
    }

    private static Row JsonRow(string line)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            if (document.RootElement.ValueKind != JsonValueKind.Object) return Bad($"expected a JSON object, found {document.RootElement.ValueKind}");
            var fields = new Dictionary<string, JsonElement>();
            foreach (var property in document.RootElement.EnumerateObject()) fields[property.Name] = property.Value.Clone();
            foreach (var field in fields.Values.Where(value => value.ValueKind == JsonValueKind.String)) _ = field.GetString();
            return new(fields, null);
        }
        catch (JsonException error) { return Bad(error.Message); }
        // Escapes such as \ud800 without its second half.
        catch (InvalidOperationException error) { return Bad(error.Message); }

        static Row Bad(string why) => new(new Dictionary<string, JsonElement>(), $"The line is not a JSON object: {why}");
    }

    private string? ReadLine(TextReader text, StringBuilder line)
    {
        line.Clear();
        int c;
        while ((c = text.Read()) >= 0 && c != '\n')
        {
            if (line.Length >= spec.Limits.TextCharacters) throw new MediaRejectedException(RejectionCode.TooLarge, $"A line has more than {spec.Limits.TextCharacters} characters.");
            line.Append((char)c);
        }
        return c < 0 && line.Length == 0 ? null : line.ToString();
    }
}
