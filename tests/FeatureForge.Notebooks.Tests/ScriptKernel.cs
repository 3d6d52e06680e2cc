// Executes the C# cells of a notebook as the kernel does: one after the other in one state, `#r` by file or package, the value of a last
// expression displayed, displayed values as HTML. The packages named by `#r "nuget: …"` are those that the tests were built with.
using System.Text.Json.Nodes;
using Microsoft.CodeAnalysis.CSharp.Scripting;
using Microsoft.CodeAnalysis.Scripting;
using Microsoft.DotNet.Interactive.Formatting;

namespace FeatureForge.Notebooks.Tests;

internal sealed class ScriptKernel
{
    // What comes with FeatureForge.Notebooks.dll in its folder, and with the DuckDB package.
    private static readonly string[] _along = ["FeatureForge.Data", "Microsoft.Data.Analysis", "Microsoft.ML.DataView", "Microsoft.ML.Core", "DuckDB.NET.Bindings"];

    private ScriptState<object>? _state;
    private ScriptOptions _options = ScriptOptions.Default.WithLanguageVersion(Microsoft.CodeAnalysis.CSharp.LanguageVersion.Preview).WithFilePath("cell.csx")
        .AddReferences(((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Where(path => Path.GetFileName(path).StartsWith("System", StringComparison.Ordinal) || Path.GetFileName(path) is "netstandard.dll" or "Microsoft.DotNet.Interactive.Formatting.dll"))
        .AddImports("System", "System.Collections.Generic", "System.IO", "System.Linq", "System.Text", "System.Threading.Tasks");

    /// <summary>The code cells of the notebook, executed; what each of them displayed, as HTML.</summary>
    internal static async Task<IReadOnlyList<string>> RunAsync(string notebookPath)
    {
        var kernel = new ScriptKernel();
        var outputs = new List<string>();
        foreach (var source in await SourcesAsync(notebookPath)) outputs.Add(await kernel.SubmitAsync(source));
        return outputs;
    }

    /// <summary>The code cells.</summary>
    internal static async Task<IEnumerable<string>> SourcesAsync(string notebookPath) => JsonNode.Parse(await File.ReadAllTextAsync(notebookPath))!["cells"]!.AsArray()
        .Where(cell => (string)cell!["cell_type"]! == "code").Select(cell => string.Concat(cell!["source"]!.AsArray().Select(line => (string)line!)));

    private async Task<string> SubmitAsync(string code)
    {
        // An update comes as another value with the id of the first.
        var shown = new OrderedDictionary<string, DisplayedValue>();
        using var subscription = Formatter.SubscribeToDisplayedValues(value => shown[value.DisplayId] = value);
        var body = string.Join('\n', code.Split('\n').Select(line => line.StartsWith("#r ", StringComparison.Ordinal) ? Refer(line.Split('"')[1]) : line));
        _state = _state is null ? await CSharpScript.RunAsync(body, _options) : await _state.ContinueWithAsync(body, _options);
        var last = _state.ReturnValue is { } value and not DisplayedValue ? value.ToDisplayString(HtmlFormatter.MimeType) : "";
        return string.Concat(shown.Values.Select(one => one.Value.ToDisplayString(HtmlFormatter.MimeType))) + last;
    }

    private string Refer(string reference)
    {
        var name = reference.StartsWith("nuget:", StringComparison.Ordinal) ? reference[6..].Split(',')[0].Trim().Replace(".Full", "", StringComparison.Ordinal) : Path.GetFileNameWithoutExtension(reference);
        _options = _options.AddReferences(Directory.EnumerateFiles(AppContext.BaseDirectory, "*.dll").Where(path => Path.GetFileNameWithoutExtension(path) is var file && (file == name || _along.Contains(file))));
        Assert.True(_options.MetadataReferences.Any(found => Path.GetFileNameWithoutExtension(found.Display) == name), $"#r \"{reference}\" names nothing here.");
        return "";
    }
}
