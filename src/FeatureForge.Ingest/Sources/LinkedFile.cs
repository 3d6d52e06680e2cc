// Files that a table names by path: relative to the table's folder, and never outside it, links included. A table is
// somebody else's text; it must not be able to name /etc/passwd.
using FeatureForge.Data;

namespace FeatureForge.Ingest;

internal static class LinkedFile
{
    /// <summary>The file's absolute path.</summary>
    /// <exception cref="MediaRejectedException">It lies outside, or there is none.</exception>
    public static string Resolve(string target, Place table)
    {
        if (FileUri.PathOf(table.SourceUri) is not { } tablePath || table.Depth > 0)
            throw new MediaRejectedException(RejectionCode.UnsafePath, $"The row names the file '{target}', but the table lies on a server or in an archive; expected a whole URL. Unpack it, and ingest the table from its folder.");
        var folder = System.IO.Path.GetDirectoryName(tablePath)!;
        string path;
        try
        {
            path = System.IO.Path.GetFullPath(System.IO.Path.Combine(folder, FileUri.PathOf(target) ?? target));
        }
        catch (ArgumentException)
        {
            throw new MediaRejectedException(RejectionCode.UnsafePath, "The row names a file with a zero character in its path.");
        }
        if (!IsBelow(path, folder)) throw Outside(target, folder);
        if (!File.Exists(path)) throw new MediaRejectedException(RejectionCode.NotFound, $"The row names '{target}'; there is no such file in {folder}.");
        if (!IsBelow(RealPath(path), RealPath(folder))) throw Outside(target, folder);
        return path;
    }

    /// <summary>The path with every link in it resolved.</summary>
    public static string RealPath(string path)
    {
        FileSystemInfo entry = Directory.Exists(path) ? new DirectoryInfo(path) : new FileInfo(path);
        var target = entry.ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? path;
        var parent = System.IO.Path.GetDirectoryName(target);
        return parent == null ? target : System.IO.Path.Combine(RealPath(parent), System.IO.Path.GetFileName(target));
    }

    private static bool IsBelow(string path, string folder) => path.StartsWith(folder.EndsWith('/') ? folder : folder + System.IO.Path.DirectorySeparatorChar, StringComparison.Ordinal);

    private static MediaRejectedException Outside(string target, string folder) => new(RejectionCode.UnsafePath, $"The row names '{target}', which lies outside the table's folder {folder}. Move the file there, or the table up.");
}
