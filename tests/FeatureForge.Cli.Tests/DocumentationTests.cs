// What people can type or send is documented: verbs with their options in src/FeatureForge.Cli/VERBS.md, specs with their properties in
// config/SPECS.md. Both are made from the program itself; a test fails when one is out of date or something has no words.
// With FEATUREFORGE_MAKE_DOCS=1 the tests write the files.
using System.CommandLine;
using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using FeatureForge.Clustering;
using FeatureForge.Data;
using FeatureForge.Ingest;
using FeatureForge.Labelling;
using FeatureForge.Learning;
using FeatureForge.TestKit;

namespace FeatureForge.Cli.Tests;

public sealed partial class DocumentationTests
{
    private static readonly string[] _endings = ["Spec", "Limits"];

    /// <summary>Names that mean the same in every spec; a summary at the property goes before.</summary>
    private static readonly Dictionary<string, string> _everywhere = new()
    {
        ["Corpus"] = "Name of the corpus.",
        ["Encoder"] = "Name of the encoder.",
        ["Set"] = "Name of the embedding set.",
        ["Clustering"] = "Name of the clustering.",
        ["LabelSet"] = "Name of the label set.",
        ["Head"] = "Name of the head.",
        ["Level"] = "raw, low, mid or high.",
        ["Levels"] = "Of raw, low, mid and high.",
        ["Grain"] = "How much one vector covers.",
        ["Grains"] = "How much one vector covers.",
        ["Seed"] = "Of every random draw.",
        ["Device"] = "auto, cpu or cuda.",
    };

    [Fact]
    public void Every_verb_and_option_has_words_and_is_in_VERBS()
    {
        var text = new StringBuilder("# Verbs\n\nMade from the program (`DocumentationTests`); do not edit. `featureforge VERB --help` says the same.\n");
        text.Append("\n## Options of every verb\n\n| option | meaning |\n|---|---|\n");
        var root = CommandTree.Create();
        foreach (var option in GlobalOptions.All) text.Append($"| `{option.Name}` | {Words("", option)} |\n");
        foreach (var verb in root.Subcommands.OrderBy(verb => verb.Name, StringComparer.Ordinal)) Append(text, verb, "");

        Same("src/FeatureForge.Cli/VERBS.md", text.ToString());
    }

    [Fact]
    public void Every_property_of_a_spec_has_words_and_is_in_SPECS()
    {
        var text = new StringBuilder("# Specs\n\nThe requests of runs, as JSON: what a pipeline's `spec` and `POST /api/v1/runs` take. Made from the program (`DocumentationTests`); do not edit.\nA property without a default must be given.\n");
        var assemblies = new[] { typeof(PipelineSpec), typeof(IngestSpec), typeof(TrainSpec), typeof(ClusterSpec), typeof(QueueSpec) }.Select(type => type.Assembly);
        var specs = assemblies.SelectMany(assembly => assembly.GetExportedTypes()).Where(type => IsSpec(type) && type is { IsClass: true, IsAbstract: false }).OrderBy(type => type.Name, StringComparer.Ordinal).ToList();
        Describe(text, specs);
        Same("config/SPECS.md", text.ToString());
    }

    [Fact]
    public void Every_property_of_a_recipe_has_words_and_is_in_RECIPES()
    {
        var text = new StringBuilder("# Recipes\n\nHow an encoder learns, as a JSON file for `train --recipe FILE`; the built-in ones in `src/FeatureForge.Learning/Recipes` are examples. Made from the program (`DocumentationTests`); do not edit.\nA property without a default must be given. Objectives and their settings: [their own page](../src/FeatureForge.Learning/Objectives/README.md).\n");
        var learning = typeof(TrainSpec).Assembly;
        Type Named(string name) => learning.GetType($"FeatureForge.Learning.{name}", throwOnError: true)!;
        var found = new List<Type> { Named("Recipe") };
        for (var i = 0; i < found.Count; i++)
            foreach (var property in found[i].GetProperties().Select(property => property.PropertyType).Where(type => type.Assembly == learning && type.IsClass && !found.Contains(type)))
                found.Add(property);
        Assert.Equal(["Recipe", "EncoderSpec", "ImageViewSpec", "AudioViewSpec", "TextViewSpec", "TransformerSpec", "SpeechSpec", "WordPieceSpec"], found.Select(type => type.Name));

        Describe(text, [.. found, Named("ProjectorSpec")]);
        Same("config/RECIPES.md", text.ToString());
    }

    private static void Describe(StringBuilder text, IEnumerable<Type> specs)
    {
        var silent = new List<string>();
        foreach (var spec in specs)
        {
            var members = Members(spec.Assembly);
            text.Append($"\n## {Heading(spec)}\n\n{Summary(members, $"T:{spec.FullName}")}\n\n| property | type | default | meaning |\n|---|---|---|---|\n");
            var defaults = Defaults(spec);
            foreach (var property in spec.GetProperties().Where(property => property.SetMethod is not null && property.GetCustomAttribute<System.Text.Json.Serialization.JsonIgnoreAttribute>() is null))
            {
                var words = Summary(members, $"P:{spec.FullName}.{property.Name}") is { Length: > 0 } own ? own : _everywhere.GetValueOrDefault(property.Name, "");
                if (words.Length == 0) silent.Add($"{spec.Name}.{property.Name}");
                var isRequired = property.GetCustomAttribute<System.Runtime.CompilerServices.RequiredMemberAttribute>() is not null;
                text.Append($"| `{JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name)}` | {TypeName(property.PropertyType)} | {(isRequired || defaults is null ? "" : $"`{Cell(Default(property, defaults))}`")} | {Cell(words)} |\n");
            }
        }
        Assert.True(silent.Count == 0, $"No summary: {string.Join(", ", silent)}");
    }

    // A spec inside a spec has a table of its own.
    private static string Default(PropertyInfo property, object defaults) =>
        IsSpec(property.PropertyType) && property.GetValue(defaults) is not null ? "its own" : JsonSerializer.Serialize(property.GetValue(defaults), property.PropertyType, SpecJson.Line);

    private static bool IsSpec(Type type) => _endings.Any(ending => type.Name.EndsWith(ending, StringComparison.Ordinal));

    [Fact]
    public void Every_section_of_the_results_names_the_command_that_makes_it_and_when_it_was_run()
    {
        var folder = Path.Combine(Repository.Root, "tests", "FeatureForge.Benchmarks");
        var benchmarks = Registrations().Matches(File.ReadAllText(Path.Combine(folder, "BenchmarkSuite.cs"))).Select(match => match.Groups[1].Value).ToHashSet();
        Assert.Contains("quality", benchmarks);
        string[] programs = ["featureforge", "dotnet"];
        var sections = File.ReadAllText(Path.Combine(folder, "RESULTS.md")).Split("\n## ")[1..].Where(section => !section.StartsWith("Not measured", StringComparison.Ordinal)).ToList();

        Assert.True(sections.Count > 10, $"{sections.Count} sections");
        var silent = sections.Where(section => !Commands().Matches(section).Any(match => benchmarks.Contains(match.Groups[1].Value) || programs.Contains(match.Groups[1].Value))).Select(section => section.Split('\n')[0]);
        Assert.Empty(silent);
        Assert.All(sections, section => Assert.Matches(@"^.*, 20\d\d-\d\d-\d\d", section));
    }

    private static void Append(StringBuilder text, Command verb, string above)
    {
        var name = $"{above}{verb.Name}";
        Assert.False(string.IsNullOrWhiteSpace(verb.Description), $"`{name}` has no description.");
        text.Append($"\n## {name}\n\n{verb.Description}\n");
        if (verb.Arguments.Count + verb.Options.Count > 0) text.Append("\n| argument or option | meaning |\n|---|---|\n");
        foreach (var argument in verb.Arguments) text.Append($"| `{argument.Name}` | {Words(name, argument)} |\n");
        foreach (var option in verb.Options.Where(option => option is not (System.CommandLine.Help.HelpOption or VersionOption))) text.Append($"| `{option.Name}`{(option.Required ? " (needed)" : "")} | {Words(name, option)} |\n");
        foreach (var child in verb.Subcommands) Append(text, child, $"{name} ");
    }

    private static string Words(string verb, Symbol symbol)
    {
        Assert.False(string.IsNullOrWhiteSpace(symbol.Description), $"`{verb} {symbol.Name}` has no description.");
        return Cell(symbol.Description);
    }

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal).ReplaceLineEndings(" ");

    private static Dictionary<string, XElement> Members(Assembly assembly) =>
        XDocument.Load(Path.ChangeExtension(assembly.Location, ".xml")).Descendants("member").ToDictionary(member => (string)member.Attribute("name")!);

    private static string Summary(Dictionary<string, XElement> members, string name)
    {
        if (!members.TryGetValue(name, out var member) || member.Element("summary") is not { } summary) return "";
        var words = string.Concat(summary.Nodes().Select(node => node is XElement { Name.LocalName: "see" or "paramref" } see ? $"`{((string?)see.Attribute("cref") ?? (string?)see.Attribute("name") ?? (string?)see.Attribute("langword"))!.Split('(')[0].Split('.')[^1]}`" : node is XElement element ? element.Value : node.ToString()));
        return Blanks().Replace(System.Net.WebUtility.HtmlDecode(words), " ").Trim();
    }

    private static object? Defaults(Type spec)
    {
        // Needed properties keep null; only the defaults of the others are looked at.
        try { return spec.GetConstructor([]) is { } make ? make.Invoke(null) : null; }
        catch (TargetInvocationException) { return null; }
    }

    private static string TypeName(Type type)
    {
        if (Nullable.GetUnderlyingType(type) is { } inner) return TypeName(inner);
        if (type.IsEnum) return string.Join(" \\| ", Enum.GetNames(type).Select(JsonNamingPolicy.SnakeCaseLower.ConvertName));
        if (type == typeof(string)) return "text";
        if (type == typeof(bool)) return "true \\| false";
        if (type == typeof(int) || type == typeof(long)) return "whole number";
        if (type == typeof(double) || type == typeof(float)) return "number";
        if (type.IsGenericType && type.GetGenericArguments() is [var item] && type.IsAssignableTo(typeof(System.Collections.IEnumerable))) return $"list of {TypeName(item)}";
        if (type.IsGenericType && type.GetGenericArguments() is [_, var value]) return $"map to {TypeName(value)}";
        return type.Name == "ObjectiveSpec" ? "[objective](../src/FeatureForge.Learning/Objectives/README.md)" : IsSpec(type) ? $"[{Heading(type)}](#{Heading(type)})" : "object";
    }

    private static string Heading(Type spec) => JsonNamingPolicy.KebabCaseLower.ConvertName(spec.Name.EndsWith("Spec", StringComparison.Ordinal) ? spec.Name[..^4] : spec.Name);

    private static void Same(string path, string text)
    {
        var full = Path.Combine(Repository.Root, path);
        if (Environment.GetEnvironmentVariable("FEATUREFORGE_MAKE_DOCS") == "1") File.WriteAllText(full, text);
        Assert.True(File.Exists(full) && File.ReadAllText(full) == text, $"{path} is not what the program says; run these tests with FEATUREFORGE_MAKE_DOCS=1.");
    }

    [GeneratedRegex("""^\s+new\("([a-z-]+)",""", RegexOptions.Multiline)]
    private static partial Regex Registrations();

    [GeneratedRegex("`([a-z-]+)[^`]*`")]
    private static partial Regex Commands();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();
}
