// A test that needs a program or library of the system: skipped with a reason where it is missing, but never skipped in CI.
using System.Runtime.InteropServices;
using Xunit;

namespace FeatureForge.TestKit;

/// <summary>
/// Skips outside CI when a tool is missing; with CI=true the test runs and fails.
/// Tools: ffmpeg, libsndfile, soxr, chromium, pg, s3rver, node (with the readers of <see cref="NodeProgram"/>), axe, pandas (with scikit-learn, of the system's Python), dotnet-interactive, tmpfs.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class NeedsToolFactAttribute : FactAttribute
{
    public NeedsToolFactAttribute(params string[] tools)
    {
        var missing = tools.Where(tool => !IsPresent(tool)).ToList();
        if (missing.Count > 0 && !ContinuousIntegration.IsOn) Skip = $"Not installed here: {string.Join(", ", missing)}.";
    }

    /// <summary>Whether the tool can be used on this machine.</summary>
    /// <exception cref="ArgumentException">The tool is not one of the known ones.</exception>
    public static bool IsPresent(string tool) => tool switch
    {
        "ffmpeg" => OnPath("ffmpeg") != null,
        "libsndfile" => CanLoad("libsndfile.so.1", "libsndfile.1.dylib"),
        "soxr" => CanLoad("libsoxr.so.0", "libsoxr.0.dylib"),
        "chromium" => Chromium != null,
        "pg" => PostgresFolder != null,
        "s3rver" => S3Server != null,
        "node" => OnPath("node") != null && NodeProgram.Folder != null,
        "axe" => NodeProgram.Axe != null,
        "pandas" => Directory.Exists("/usr/lib/python3/dist-packages/pandas") && Directory.Exists("/usr/lib/python3/dist-packages/sklearn"),
        "dotnet-interactive" => OnPath("dotnet-interactive") != null,
        // Mounting takes the superuser.
        "tmpfs" => OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess,
        _ => throw new ArgumentException($"Unknown tool '{tool}'; expected ffmpeg, libsndfile, soxr, chromium, pg, s3rver, node, axe, pandas, dotnet-interactive or tmpfs.", nameof(tool)),
    };

    /// <summary>The browser's executable, or null.</summary>
    public static string? Chromium { get; } = OnPath("chromium", "chromium-browser", "google-chrome", "chrome");

    /// <summary>The system's own Python, which Debian's packages are for.</summary>
    public const string Python = "/usr/bin/python3";

    /// <summary>The S3 server of npm's s3rver, or null.</summary>
    public static string? S3Server { get; } = OnPath("s3rver");

    /// <summary>The folder that holds initdb and pg_ctl, or null.</summary>
    public static string? PostgresFolder { get; } = FindPostgres();

    private static string? OnPath(params string[] names) => (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
        .SelectMany(folder => names.Select(name => Path.Combine(folder, name)))
        .FirstOrDefault(File.Exists);

    private static bool CanLoad(params string[] libraries) => libraries.Any(library => NativeLibrary.TryLoad(library, out _));

    private static string? FindPostgres()
    {
        if (OnPath("initdb") is { } onPath) return Path.GetDirectoryName(onPath);
        const string debian = "/usr/lib/postgresql";
        return Directory.Exists(debian)
            ? Directory.EnumerateDirectories(debian).Select(version => Path.Combine(version, "bin")).FirstOrDefault(bin => File.Exists(Path.Combine(bin, "initdb")))
            : null;
    }
}
