// file: URIs of paths and back. System.Uri mistakes '%', '#' and '?' in file names for its own syntax.
using System.Text;

namespace FeatureForge.Ingest;

internal static class FileUri
{
    /// <summary>The URI of a path; what is a URI already stays as it is.</summary>
    public static string OfSource(string source) => source.Contains("://", StringComparison.Ordinal) ? source : Of(source);

    public static string Of(string path)
    {
        var absolute = System.IO.Path.GetFullPath(path).Replace('\\', '/');
        var escaped = string.Join('/', absolute.Split('/').Select(Uri.EscapeDataString));
        return "file://" + (escaped.StartsWith('/') ? "" : "/") + escaped;
    }

    /// <summary>The URI of an absolute path whose bytes need not be UTF-8.</summary>
    public static string Of(ReadOnlySpan<byte> path)
    {
        var uri = new StringBuilder("file://");
        foreach (var part in path)
        {
            if (char.IsAsciiLetterOrDigit((char)part) || part is (byte)'/' or (byte)'-' or (byte)'.' or (byte)'_' or (byte)'~') uri.Append((char)part);
            else uri.Append($"%{part:X2}");
        }
        return uri.ToString();
    }

    /// <summary>The path, or null when it is not a file: URI.</summary>
    public static string? PathOf(string uri)
    {
        if (!uri.StartsWith("file://", StringComparison.Ordinal)) return null;
        var path = Uri.UnescapeDataString(uri["file://".Length..]);
        return OperatingSystem.IsWindows() ? path.TrimStart('/') : path;
    }

    /// <summary>The bytes of a file: URI's path.</summary>
    public static byte[] BytesOf(string uri)
    {
        var bytes = new List<byte>();
        for (var i = "file://".Length; i < uri.Length; i++)
        {
            if (uri[i] == '%' && i + 2 < uri.Length)
            {
                bytes.Add(Convert.ToByte(uri.Substring(i + 1, 2), 16));
                i += 2;
            }
            else bytes.AddRange(Encoding.UTF8.GetBytes(uri[i].ToString()));
        }
        return [.. bytes];
    }
}
