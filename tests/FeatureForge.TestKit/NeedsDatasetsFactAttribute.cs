// A test that reads the data sets: skipped with a reason where there are none, but never skipped in CI.
using Xunit;

namespace FeatureForge.TestKit;

/// <summary>Skips outside CI when one of the files below the data sets folder is missing; with CI=true the test runs and fails.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class NeedsDatasetsFactAttribute : FactAttribute
{
    public NeedsDatasetsFactAttribute(params string[] files)
    {
        if (ContinuousIntegration.IsOn) return;
        if (Datasets.Folder == null) Skip = "No data sets folder; set FEATUREFORGE_DATASETS.";
        else if (files.FirstOrDefault(file => !File.Exists(Path.Combine(Datasets.Folder, file))) is { } missing) Skip = $"No {missing} in {Datasets.Folder}.";
    }
}

/// <summary>Whether the tests run where everything must be installed.</summary>
public static class ContinuousIntegration
{
    public static bool IsOn { get; } = Environment.GetEnvironmentVariable("CI") == "true";
}
