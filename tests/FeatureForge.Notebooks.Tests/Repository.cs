// Where the notebooks and the package versions are.
using System.Xml.Linq;

namespace FeatureForge.Notebooks.Tests;

internal static class Repository
{
    internal static string Root { get; } = FindRoot();
    internal static string Notebooks { get; } = Path.Combine(Root, "notebooks");

    private static IReadOnlyDictionary<string, string> PackageVersions { get; } = XDocument.Load(Path.Combine(Root, "Directory.Packages.props")).Descendants("PackageVersion")
        .ToDictionary(package => (string)package.Attribute("Include")!, package => (string)package.Attribute("Version")!);

    internal static IReadOnlyList<PercentFile> Programs { get; } = [.. Directory.EnumerateFiles(Notebooks, "0*.*").Where(path => path.EndsWith(".cs", StringComparison.Ordinal) || path.EndsWith(".py", StringComparison.Ordinal))
        .Order(StringComparer.Ordinal).Select(path => PercentFile.Read(path, PackageVersions))];

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "FeatureForge.sln"))) folder = folder.Parent;
        return folder?.FullName ?? throw new DirectoryNotFoundException("FeatureForge.sln lies in no folder above the tests.");
    }
}
