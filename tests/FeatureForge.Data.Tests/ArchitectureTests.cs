// The dependency rule and the glossary, held against the project files and the public types themselves.
using System.Xml.Linq;
using FeatureForge.TestKit;

namespace FeatureForge.Data.Tests;

public sealed class ArchitectureTests
{
    /// <summary>Which project may reference which; src/FeatureForge.* only.</summary>
    private static readonly Dictionary<string, string[]> _allowed = new()
    {
        ["Data"] = [],
        ["Tensors"] = ["Data"],
        ["Ingest"] = ["Data"],
        ["Learning"] = ["Data", "Tensors"],
        ["Clustering"] = ["Data", "Tensors"],
        ["Labelling"] = ["Data", "Tensors"],
        ["Jobs"] = ["Data", "Tensors", "Ingest", "Learning", "Clustering", "Labelling"],
        ["Server"] = ["Data", "Ingest", "Learning", "Clustering", "Labelling", "Jobs"],
        ["Cli"] = ["Data", "Tensors", "Ingest", "Learning", "Clustering", "Labelling", "Jobs", "Server"],
        ["Notebooks"] = ["Data"],
    };

    private static IEnumerable<(string Project, XDocument Xml)> Sources() => Directory.EnumerateFiles(Path.Combine(Repository.Root, "src"), "*.csproj", SearchOption.AllDirectories)
        .Select(path => (Path.GetFileNameWithoutExtension(path)["FeatureForge.".Length..], XDocument.Load(path)));

    private static IEnumerable<string> Included(XDocument xml, string element) => xml.Descendants(element).Select(item => (string?)item.Attribute("Include") ?? "");

    [Fact]
    public void Projects_reference_only_what_the_dependency_rule_allows()
    {
        var broken = from source in Sources()
                     from reference in Included(source.Xml, "ProjectReference")
                     let target = Path.GetFileNameWithoutExtension(reference.Replace('\\', '/'))["FeatureForge.".Length..]
                     where !_allowed[source.Project].Contains(target)
                     select $"{source.Project} -> {target}";

        Assert.Empty(broken);
        Assert.True(Sources().Count() >= 8);
    }

    [Fact]
    public void The_data_project_knows_no_torch_no_hangfire_and_no_web_server()
    {
        var data = Sources().Single(source => source.Project == "Data").Xml;

        Assert.DoesNotContain(Included(data, "PackageReference"), name => name.Contains("Torch") || name.Contains("Hangfire") || name.Contains("AspNetCore"));
        Assert.Empty(Included(data, "FrameworkReference"));
    }

    [Fact]
    public void Only_the_program_picks_a_LibTorch_backend()
    {
        var pick = Sources().Where(source => source.Xml.Descendants("NeedsTorchBackend").Any()).Select(source => source.Project);

        Assert.Equal(["Cli"], pick);
    }

    [Fact]
    public void Every_source_project_has_a_mirror_under_tests()
    {
        var missing = Sources().Select(source => source.Project).Where(project => !Directory.Exists(Path.Combine(Repository.Root, "tests", $"FeatureForge.{project}.Tests")));

        Assert.Empty(missing);
    }

    [Fact]
    public void Every_public_type_of_the_data_project_is_in_the_glossary()
    {
        var glossary = File.ReadAllText(Path.Combine(Repository.Root, "src", "FeatureForge.Data", "README.md"));

        var missing = typeof(Store).Assembly.GetExportedTypes().Where(type => !type.IsNested).Select(type => type.Name.Split('`')[0])
            .Where(name => !glossary.Contains($"`{name}`", StringComparison.Ordinal));

        Assert.Empty(missing);
    }

    [Fact]
    public void Source_files_begin_with_what_they_are()
    {
        var silent = Directory.EnumerateFiles(Path.Combine(Repository.Root, "src"), "*.cs", SearchOption.AllDirectories)
            .Where(path => !path.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}") && !path.Contains($"{Path.DirectorySeparatorChar}bin{Path.DirectorySeparatorChar}"))
            .Where(path => !File.ReadLines(path).First().StartsWith("//", StringComparison.Ordinal))
            .Select(path => Path.GetRelativePath(Repository.Root, path));

        Assert.Empty(silent);
    }
}
