// Where the notebooks and the package versions are.
using System.Xml.Linq;
using FeatureForge.TestKit;

namespace FeatureForge.Notebooks.Tests;

internal static class NotebookFiles
{
    internal static string Folder { get; } = Path.Combine(Repository.Root, "notebooks");

    private static IReadOnlyDictionary<string, string> PackageVersions { get; } = XDocument.Load(Path.Combine(Repository.Root, "Directory.Packages.props")).Descendants("PackageVersion")
        .ToDictionary(package => (string)package.Attribute("Include")!, package => (string)package.Attribute("Version")!);

    internal static IReadOnlyList<PercentFile> Programs { get; } = [.. Directory.EnumerateFiles(Folder, "0*.*").Where(path => path.EndsWith(".cs", StringComparison.Ordinal) || path.EndsWith(".py", StringComparison.Ordinal))
        .Order(StringComparer.Ordinal).Select(path => PercentFile.Read(path, PackageVersions))];
}
