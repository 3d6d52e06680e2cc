// Lists a folder's files in ordinal order of their paths' parts. Links are followed, but no real folder is walked twice:
// links to folders wait until the folders themselves are done. Nothing is opened here: pipes and devices would block.
using FeatureForge.Data;

namespace FeatureForge.Ingest;

/// <param name="excluded">A folder that is left out wherever it appears: the store.</param>
/// <param name="links">Where links to files are made whose names are not UTF-8, so that every decoder can open them.</param>
internal sealed class FolderWalk(string excluded, string links)
{
    /// <summary>A file, or a place that is none (then <paramref name="Problem"/> says why).</summary>
    /// <param name="FilePath">Opens it.</param>
    /// <param name="RelativePath">Relative to the walk's root, `/`-separated.</param>
    public readonly record struct Entry(string FilePath, string RelativePath, string SourceUri, RejectionCode? Code, string? Problem);

    private enum Kind
    {
        File,
        Folder,
        Other,
        Broken,
    }

    private readonly record struct Found(string Name, SystemPath Path, Kind Kind, bool IsLink, string? Problem);

    private readonly record struct Waiting(SystemPath Folder, string Relative);

    private readonly HashSet<string> _visited = new(StringComparer.Ordinal);
    private readonly Queue<Waiting> _linked = new();

    public IEnumerable<Entry> Files(string root)
    {
        if (Directory.Exists(excluded)) _visited.Add(Identity(SystemPath.Of(excluded)));
        _linked.Enqueue(new(SystemPath.Of(root), ""));
        while (_linked.TryDequeue(out var start))
        {
            foreach (var entry in Walk(start)) yield return entry;
        }
    }

    private IEnumerable<Entry> Walk(Waiting start)
    {
        // What is left to visit, next on top: recursion would end with the stack in a deep tree.
        var left = new Stack<(Found Entry, string Relative)>();
        left.Push((new("", start.Folder, Kind.Folder, false, null), start.Relative));
        while (left.TryPop(out var next))
        {
            var (entry, relative) = next;
            switch (entry.Kind)
            {
                case Kind.Folder when entry.IsLink:
                    _linked.Enqueue(new(entry.Path, relative));
                    break;
                case Kind.Folder:
                    var (children, problem) = List(entry.Path);
                    if (problem != null) yield return new(entry.Path.Text, relative.Length == 0 ? "." : relative, entry.Path.Uri, RejectionCode.Unreadable, problem);
                    for (var i = children.Count - 1; i >= 0; i--) left.Push((children[i], relative.Length == 0 ? children[i].Name : $"{relative}/{children[i].Name}"));
                    break;
                case Kind.File:
                    yield return new(Openable(entry.Path), relative, entry.Path.Uri, null, null);
                    break;
                default:
                    yield return new(entry.Path.Text, relative, entry.Path.Uri, entry.Kind == Kind.Other ? RejectionCode.NotAFile : RejectionCode.Unreadable, entry.Problem);
                    break;
            }
        }
    }

    private (List<Found> Children, string? Problem) List(SystemPath folder)
    {
        try
        {
            if (!_visited.Add(Identity(folder))) return ([], null);
            var children = OperatingSystem.IsLinux() ? OnLinux(folder) : Elsewhere(folder);
            children.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
            return (children, null);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return ([], $"The folder cannot be listed: {error.Message}. Change its permissions and ingest again.");
        }
    }

    private static List<Found> OnLinux(SystemPath folder)
    {
        var children = new List<Found>();
        foreach (var bytes in LinuxFiles.Names(folder.ToBytes()))
        {
            var (name, nameBytes) = SystemPath.NameOf(bytes);
            var path = folder.Child(name, nameBytes);
            var (status, problem) = LinuxFiles.StatusOf(path.ToBytes());
            var kind = status?.Format switch
            {
                null => Kind.Broken,
                LinuxFiles.RegularFile => Kind.File,
                LinuxFiles.Folder => Kind.Folder,
                _ => Kind.Other,
            };
            var isLink = kind == Kind.Folder && path.Bytes == null && new FileInfo(path.Text).LinkTarget != null;
            children.Add(new(name, path, kind, isLink, kind == Kind.Other ? NoFile(status!.Value.Format) : problem));
        }
        return children;
    }

    /// <summary>Why something that is neither file nor folder is left alone.</summary>
    public static string NoFile(int format) => $"It is a {format switch { 0x1000 => "pipe", 0xC000 => "socket", 0x2000 => "character device", 0x6000 => "block device", _ => "special file" }}, not a file of bytes, and was not opened. Copy what it gives into a file.";

    private static List<Found> Elsewhere(SystemPath folder)
    {
        var children = new List<Found>();
        foreach (var entry in new DirectoryInfo(folder.Text).GetFileSystemInfos())
        {
            var target = entry;
            string? problem = null;
            try
            {
                if (entry.LinkTarget != null && (target = entry.ResolveLinkTarget(returnFinalTarget: true)) is not { Exists: true }) problem = $"The link points to {entry.LinkTarget}, which does not exist.";
            }
            catch (IOException)
            {
                problem = $"The link to {entry.LinkTarget} leads back to itself.";
            }
            children.Add(new(entry.Name, folder.Child(entry.Name, null), problem != null ? Kind.Broken : target is DirectoryInfo ? Kind.Folder : Kind.File, entry.LinkTarget != null, problem));
        }
        return children;
    }

    // Two paths with the same identity are the same folder.
    private static string Identity(SystemPath folder)
    {
        if (!OperatingSystem.IsLinux()) return LinkedFile.RealPath(folder.Text);
        var (status, problem) = LinuxFiles.StatusOf(folder.ToBytes());
        return status is { } found ? found.Identity.ToString() : throw new IOException(problem);
    }

    private string Openable(SystemPath path)
    {
        if (path.Bytes == null) return path.Text;
        var link = System.IO.Path.Combine(links, ContentId.Of(path.Bytes) + System.IO.Path.GetExtension(path.Text).Replace("\\x", "", StringComparison.Ordinal));
        return ScratchFailedException.Guard(links, () =>
        {
            Directory.CreateDirectory(links);
            LinuxFiles.Link(path.Bytes, link);
            return link;
        });
    }
}
