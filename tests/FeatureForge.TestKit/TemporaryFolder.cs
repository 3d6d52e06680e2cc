// A folder of one test's own.
namespace FeatureForge.TestKit;

/// <summary>A new empty folder below the system's temporary folder; gone after disposal.</summary>
public sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("featureforge-test-").FullName;

    /// <summary>Writes a file, creating the folders above it.</summary>
    /// <returns>Its absolute path.</returns>
    public string Write(string relativePath, ReadOnlySpan<byte> bytes)
    {
        var path = System.IO.Path.Combine(Path, relativePath);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    /// <summary>Writes a UTF-8 file without byte order mark.</summary>
    public string Write(string relativePath, string text) => Write(relativePath, System.Text.Encoding.UTF8.GetBytes(text));

    public void Dispose()
    {
        if (Directory.Exists(Path)) Directory.Delete(Path, recursive: true);
    }
}
