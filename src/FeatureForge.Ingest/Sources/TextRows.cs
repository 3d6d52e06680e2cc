// Rows of CSV, TSV and JSONL.
using System.Text;
using System.Text.Json;
using FeatureForge.Data;

namespace FeatureForge.Ingest;

/// <param name="longest">UTF-16 units of a field or line.</param>
internal sealed class TextRows(int longest)
{
    /// <summary>The first row names the columns.</summary>
    public IEnumerable<TableRow> OfDelimited(TextReader text, char separator)
    {
        using var _ = text;
        var reader = new DelimitedReader(text, separator, longest);
        if (reader.Next() is not { } header) yield break;
        var names = header.Select((name, i) => header.IndexOf(name) == i && name.Length > 0 ? name : $"column_{i}").ToList();
        while (reader.Next() is { } row)
        {
            var problem = row.Count == names.Count ? null : $"The row has {row.Count} fields; the header has {names.Count}.";
            yield return new(names.Zip(row).ToDictionary(pair => pair.First, pair => (object?)pair.Second), problem);
        }
    }

    public static char Separator(MediaFormat format, ReadOnlySpan<byte> head)
    {
        if (format.Name == "TSV") return '\t';
        var firstLine = head[..(head.IndexOfAny((byte)'\n', (byte)'\r') is >= 0 and var end ? end : head.Length)];
        var (commas, tabs, semicolons) = (firstLine.Count((byte)','), firstLine.Count((byte)'\t'), firstLine.Count((byte)';'));
        if (commas > 0 || (tabs == 0 && semicolons == 0)) return ',';
        return tabs >= semicolons ? '\t' : ';';
    }

    /// <summary>One object a line.</summary>
    public IEnumerable<TableRow> OfJson(TextReader text)
    {
        using var _ = text;
        var line = new StringBuilder();
        while (ReadLine(text, line) is { } found)
        {
            if (!string.IsNullOrWhiteSpace(found)) yield return JsonRow(found);
        }
    }

    private static TableRow JsonRow(string line)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            if (document.RootElement.ValueKind != JsonValueKind.Object) return Bad($"expected a JSON object, found {document.RootElement.ValueKind}");
            var fields = new Dictionary<string, object?>();
            foreach (var property in document.RootElement.EnumerateObject())
            {
                var value = property.Value.Clone();
                if (value.ValueKind == JsonValueKind.String) _ = value.GetString();
                fields[property.Name] = value;
            }
            return new(fields, null);
        }
        catch (JsonException error) { return Bad(error.Message); }
        // Escapes such as \ud800 without its second half.
        catch (InvalidOperationException error) { return Bad(error.Message); }

        static TableRow Bad(string why) => TableRow.Bad($"The line is not a JSON object: {why}");
    }

    private string? ReadLine(TextReader text, StringBuilder line)
    {
        line.Clear();
        int c;
        while ((c = text.Read()) >= 0 && c != '\n')
        {
            if (line.Length >= longest) throw new MediaRejectedException(RejectionCode.TooLarge, $"A line has more than {longest} characters.");
            line.Append((char)c);
        }
        return c < 0 && line.Length == 0 ? null : line.ToString();
    }
}
