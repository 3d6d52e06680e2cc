// A program in cells: `// %%` begins a cell of code, `// %% [markdown]` one of text, `// %% program` one that notebooks leave out. In
// Python the same with `#`. The notebook beside it (.ipynb) is made from it, without outputs.
using System.Text.Json;
using System.Text.Json.Nodes;

namespace FeatureForge.Notebooks.Tests;

internal sealed record Cell(bool IsCode, string Text);

internal sealed record PercentFile(string Path, bool IsPython, IReadOnlyList<Cell> Cells)
{
    private static readonly JsonSerializerOptions _readable = new() { WriteIndented = true, IndentSize = 1, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    internal string NotebookPath => System.IO.Path.ChangeExtension(Path, ".ipynb");

    internal static PercentFile Read(string path, IReadOnlyDictionary<string, string> packageVersions)
    {
        var isPython = path.EndsWith(".py", StringComparison.Ordinal);
        var comment = isPython ? "#" : "//";
        var cells = new List<Cell>();
        var references = new List<string>();
        var (kind, lines) = ("head", new List<string>());
        foreach (var line in File.ReadLines(path).Append($"{comment} %%"))
        {
            if (!line.StartsWith($"{comment} %%", StringComparison.Ordinal))
            {
                if (line.StartsWith("#:project ", StringComparison.Ordinal)) references.Add($"#r \"bin/{System.IO.Path.GetFileNameWithoutExtension(line)}.dll\"");
                else if (line.StartsWith("#:package ", StringComparison.Ordinal)) references.Add($"#r \"nuget: {line[10..]}, {packageVersions[line[10..]]}\"");
                else lines.Add(line);
                continue;
            }
            var text = string.Join('\n', kind == "[markdown]" ? lines.Select(text => text.Length > comment.Length ? text[(comment.Length + 1)..] : "") : lines).Trim('\n');
            if (kind is "" or "[markdown]" && text.Length > 0)
                cells.Add(new(kind == "", kind == "" && cells.Count == 0 && references.Count > 0 ? string.Join('\n', references) + "\n\n" + text : text));
            (kind, lines) = (line[(comment.Length + 3)..].Trim(), []);
        }
        return new(path, isPython, cells);
    }

    /// <summary>The notebook in nbformat 4.5, with stable cell ids.</summary>
    internal string ToNotebook()
    {
        var cells = new JsonArray([.. Cells.Select((cell, number) =>
        {
            var lines = cell.Text.Split('\n');
            var made = new JsonObject { ["cell_type"] = cell.IsCode ? "code" : "markdown" };
            if (cell.IsCode) made["execution_count"] = null;
            made["id"] = $"cell-{number + 1:00}";
            made["metadata"] = new JsonObject();
            if (cell.IsCode) made["outputs"] = new JsonArray();
            made["source"] = new JsonArray([.. lines.Select((line, at) => (JsonNode)(at < lines.Length - 1 ? line + "\n" : line))]);
            return (JsonNode)made;
        })]);
        var (language, name, kernel) = IsPython ? ("python", "python3", "Python 3") : ("C#", ".net-csharp", ".NET (C#)");
        return new JsonObject
        {
            ["cells"] = cells,
            ["metadata"] = new JsonObject
            {
                ["kernelspec"] = new JsonObject { ["display_name"] = kernel, ["language"] = language, ["name"] = name },
                ["language_info"] = new JsonObject { ["name"] = language },
            },
            ["nbformat"] = 4,
            ["nbformat_minor"] = 5,
        }.ToJsonString(_readable) + "\n";
    }
}
