// The checkout that the tests were built in.
namespace FeatureForge.TestKit;

public static class Repository
{
    /// <summary>The folder that holds FeatureForge.sln.</summary>
    public static string Root { get; } = FindRoot();

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "FeatureForge.sln"))) folder = folder.Parent;
        return folder?.FullName ?? throw new DirectoryNotFoundException("FeatureForge.sln lies in no folder above the tests.");
    }
}
