// labels.csv: path, label, split. Joined to items by path; a leading folder may be there on one side only.
using FeatureForge.Data;

namespace FeatureForge.Learning;

/// <summary>One line of a labels file.</summary>
internal sealed record LabelLine(string Path, string Label, bool IsTest);

/// <summary>Items with labels: ids, class numbers, and which are of the test split.</summary>
internal sealed record LabelledItems(IReadOnlyDictionary<string, (int Class, bool IsTest)> ByItem, IReadOnlyList<string> Classes, int Unmatched);

internal static class LabelFile
{
    public static List<LabelLine> Read(string path)
    {
        using var reader = new StreamReader(path);
        var header = Fields(reader.ReadLine() ?? "").Select(name => name.Trim('\uFEFF', ' ')).ToList();
        var (pathColumn, labelColumn, splitColumn) = (header.IndexOf("path"), header.IndexOf("label"), header.IndexOf("split"));
        if (pathColumn < 0 || labelColumn < 0 || splitColumn < 0)
            throw new BadRequestException($"{path} starts with the columns {string.Join(", ", header)}; expected path, label and split.");
        var lines = new List<LabelLine>();
        for (var number = 2; reader.ReadLine() is { } line; number++)
        {
            if (line.Length == 0) continue;
            var fields = Fields(line);
            if (fields.Count < header.Count) throw new BadRequestException($"{path} line {number} has {fields.Count} fields, expected {header.Count}.");
            if (fields[splitColumn] is not ("train" or "test")) throw new BadRequestException($"{path} line {number} has split '{fields[splitColumn]}', expected train or test.");
            lines.Add(new(fields[pathColumn], fields[labelColumn], fields[splitColumn] == "test"));
        }
        return lines;
    }

    /// <summary>Matches lines to items by path, as it is or without one leading folder on either side.</summary>
    public static LabelledItems Join(IReadOnlyList<LabelLine> lines, IReadOnlyDictionary<string, string> itemOfPath)
    {
        var shortened = new Dictionary<string, string?>(StringComparer.Ordinal);
        foreach (var (path, item) in itemOfPath)
            if (WithoutFolder(path) is { } rest) shortened[rest] = shortened.ContainsKey(rest) ? null : item;
        string? Find(string path) => itemOfPath.GetValueOrDefault(path)
            ?? shortened.GetValueOrDefault(path)
            ?? (WithoutFolder(path) is { } rest ? itemOfPath.GetValueOrDefault(rest) : null);

        var found = lines.Select(line => (Line: line, Item: Find(line.Path))).ToList();
        var classes = found.Where(pair => pair.Item is not null).Select(pair => pair.Line.Label).Distinct().Order(StringComparer.Ordinal).ToList();
        var byItem = new Dictionary<string, (int, bool)>(StringComparer.Ordinal);
        foreach (var (line, item) in found)
            if (item is not null) byItem.TryAdd(item, (classes.IndexOf(line.Label), line.IsTest));
        return new(byItem, classes, found.Count(pair => pair.Item is null));
    }

    private static string? WithoutFolder(string path) => path.IndexOf('/') is var slash and > 0 ? path[(slash + 1)..] : null;

    // RFC 4180 without line breaks inside quotes: paths and labels have none.
    private static List<string> Fields(string line)
    {
        var fields = new List<string>();
        var field = new System.Text.StringBuilder();
        var quoted = false;
        for (var i = 0; i < line.Length; i++)
        {
            if (line[i] == '"')
            {
                if (quoted && i + 1 < line.Length && line[i + 1] == '"') { field.Append('"'); i++; }
                else quoted = !quoted;
            }
            else if (line[i] == ',' && !quoted) { fields.Add(field.ToString()); field.Clear(); }
            else field.Append(line[i]);
        }
        fields.Add(field.ToString());
        return fields;
    }
}
