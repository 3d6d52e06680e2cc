// Runs a JavaScript module with node, from the folder that holds the npm packages of the tests (.ci/run installs them).
using System.Diagnostics;

namespace FeatureForge.TestKit;

/// <summary>Readers of other makers, for tests of what other tools find in our files.</summary>
public static class NodeProgram
{
    /// <summary>The folder with node_modules of FEATUREFORGE_NODE_TOOLS, else ~/.cache/featureforge-ci; null when the readers are not there.</summary>
    public static string? Folder { get; } = FindFolder();

    /// <summary>Runs the script, which is given on standard input so that it finds the packages, and returns what it prints.</summary>
    /// <exception cref="InvalidOperationException">It ended with an error; the message holds what it said.</exception>
    public static async Task<string> RunAsync(string scriptPath, params IEnumerable<string> arguments)
    {
        var folder = Folder ?? throw new InvalidOperationException("node or its packages nodejs-polars, hyparquet, hyparquet-compressors and apache-arrow are missing; .ci/run installs them.");
        var start = new ProcessStartInfo("node", ["--input-type=module", "-", .. arguments]) { WorkingDirectory = folder, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.StandardInput.WriteAsync(await File.ReadAllTextAsync(scriptPath));
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0) throw new InvalidOperationException($"node ended with {process.ExitCode}: {await errors}");
        return await output;
    }

    /// <summary>The script of axe-core, which finds what keeps people from using a page; null when it is not installed.</summary>
    public static string? Axe => Path.Combine(Place, "node_modules", "axe-core", "axe.min.js") is var path && File.Exists(path) ? path : null;

    private static string Place => Environment.GetEnvironmentVariable("FEATUREFORGE_NODE_TOOLS")
            ?? Path.Combine(Environment.GetEnvironmentVariable("XDG_CACHE_HOME") ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache"), "featureforge-ci");

    private static string? FindFolder()
    {
        string[] packages = ["nodejs-polars", "hyparquet", "hyparquet-compressors", "apache-arrow"];
        return packages.All(package => Directory.Exists(Path.Combine(Place, "node_modules", package))) ? Place : null;
    }
}
