// file: URIs of paths and back. System.Uri mistakes '%', '#' and '?' in file names for its own syntax.
namespace FeatureForge.Ingest;

internal static class FileUri
{
    public static string Of(string path)
    {
        var absolute = System.IO.Path.GetFullPath(path).Replace('\\', '/');
        var escaped = string.Join('/', absolute.Split('/').Select(Uri.EscapeDataString));
        return "file://" + (escaped.StartsWith('/') ? "" : "/") + escaped;
    }

    /// <summary>The path, or null when it is not a file: URI.</summary>
    public static string? PathOf(string uri)
    {
        if (!uri.StartsWith("file://", StringComparison.Ordinal)) return null;
        var path = Uri.UnescapeDataString(uri["file://".Length..]);
        return OperatingSystem.IsWindows() ? path.TrimStart('/') : path;
    }
}
