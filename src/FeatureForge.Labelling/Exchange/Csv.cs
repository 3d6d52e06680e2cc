// CSV as RFC 4180 has it, line breaks inside quotes included, with a header. Enough for tables of labels.
using System.Text;
using FeatureForge.Data;

namespace FeatureForge.Labelling;

internal static class Csv
{
    /// <summary>A table with a header; rows are read as they come.</summary>
    internal sealed record Table(IReadOnlyList<string> Header, IEnumerable<Row> Rows)
    {
        internal bool Has(string column) => Header.Contains(column);
    }

    internal readonly record struct Row(IReadOnlyDictionary<string, int> Columns, IReadOnlyList<string> Fields, int Line)
    {
        internal string this[string column] => Fields[Columns[column]];
        internal string? Find(string column) => Columns.TryGetValue(column, out var at) && Fields[at].Length > 0 ? Fields[at] : null;
    }

    internal static Table Read(string path)
    {
        if (!File.Exists(path)) throw new BadRequestException($"There is no file {path}.");
        using var reader = new StreamReader(path);
        var line = 1;
        var header = Record(reader, ref line)?.Select(name => name.Trim('\uFEFF', ' ')).ToList() ?? throw new BadRequestException($"{path} is empty; expected a CSV with a header.");
        return new(header, Rows(path, header));
    }

    private static IEnumerable<Row> Rows(string path, List<string> header)
    {
        var columns = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < header.Count; i++) columns.TryAdd(header[i], i);
        using var reader = new StreamReader(path);
        var line = 1;
        _ = Record(reader, ref line);
        while (true)
        {
            var start = line;
            if (Record(reader, ref line) is not { } fields) yield break;
            if (fields is [""]) continue;
            if (fields.Count != header.Count) throw new BadRequestException($"{path} line {start} has {fields.Count} fields, expected {header.Count}.");
            yield return new(columns, fields, start);
        }
    }

    // One record; null at the end of the file.
    private static List<string>? Record(TextReader reader, ref int line)
    {
        if (reader.Peek() < 0) return null;
        var (fields, field, quoted) = (new List<string>(), new StringBuilder(), false);
        while (reader.Read() is var read and >= 0)
        {
            var c = (char)read;
            if (c == '\n') line++;
            if (quoted && c == '"' && reader.Peek() == '"') field.Append((char)reader.Read());
            else if (c == '"' && (quoted || field.Length == 0)) quoted = !quoted;
            else if (quoted) field.Append(c);
            else if (c == ',') { fields.Add(field.ToString()); field.Clear(); }
            else if (c == '\n') break;
            else if (c != '\r' || reader.Peek() != '\n') field.Append(c);
        }
        fields.Add(field.ToString());
        return fields;
    }

    /// <summary>A field as it must be written.</summary>
    internal static string Field(string? value) => value is null ? "" : value.AsSpan().IndexOfAny(",\"\r\n") < 0 ? value : $"\"{value.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    internal static string Line(params IEnumerable<string?> fields) => string.Join(',', fields.Select(Field));
}
