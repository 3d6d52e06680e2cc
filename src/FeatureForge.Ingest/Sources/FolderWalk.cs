// Lists a folder's files in ordinal order of their paths' parts. Links are followed, but no real folder is walked twice.
namespace FeatureForge.Ingest;

internal static class FolderWalk
{
    /// <summary>A file, or a place that could not be read (then <paramref name="Problem"/> says why).</summary>
    public readonly record struct Entry(string FilePath, string RelativePath, string? Problem);

    /// <param name="excluded">A folder that is left out wherever it appears: the store.</param>
    public static IEnumerable<Entry> Files(string root, string excluded)
    {
        var visited = new HashSet<string>(StringComparer.Ordinal) { System.IO.Path.GetFullPath(excluded) };
        return Walk(System.IO.Path.GetFullPath(root), "", visited);
    }

    private static IEnumerable<Entry> Walk(string folder, string relative, HashSet<string> visited)
    {
        var (entries, problem) = List(folder, visited);
        if (problem != null) yield return new(folder, relative.Length == 0 ? "." : relative, problem);
        foreach (var entry in entries)
        {
            var path = relative.Length == 0 ? entry.Name : $"{relative}/{entry.Name}";
            if (!IsFolder(entry, out var broken)) yield return new(entry.FullName, path, broken);
            else foreach (var below in Walk(entry.FullName, path, visited)) yield return below;
        }
    }

    private static (FileSystemInfo[] Entries, string? Problem) List(string folder, HashSet<string> visited)
    {
        try
        {
            var info = new DirectoryInfo(folder);
            if (!visited.Add(RealPath(info))) return ([], null);
            var entries = info.GetFileSystemInfos();
            Array.Sort(entries, (a, b) => string.CompareOrdinal(a.Name, b.Name));
            return (entries, null);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return ([], $"The folder cannot be listed: {error.Message}");
        }
    }

    // Links higher up are resolved too: the real path of the parent plus the name.
    private static string RealPath(DirectoryInfo folder)
    {
        var target = folder.ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? folder.FullName;
        var parent = System.IO.Path.GetDirectoryName(target);
        return parent == null ? target : System.IO.Path.Combine(RealPath(new(parent)), System.IO.Path.GetFileName(target));
    }

    private static bool IsFolder(FileSystemInfo entry, out string? problem)
    {
        problem = null;
        if (entry.LinkTarget == null) return entry is DirectoryInfo;
        try
        {
            var target = entry.ResolveLinkTarget(returnFinalTarget: true);
            if (target is not { Exists: true }) problem = $"The link points to {entry.LinkTarget}, which does not exist.";
            return target is DirectoryInfo { Exists: true };
        }
        catch (IOException)
        {
            problem = $"The link to {entry.LinkTarget} leads back to itself.";
            return false;
        }
    }
}
