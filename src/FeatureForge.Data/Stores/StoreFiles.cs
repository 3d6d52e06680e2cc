// What is done with a store's files, in a folder or on a server: read, published, removed, listed, handed from machine to machine.
using System.Text.Json;

namespace FeatureForge.Data;

public sealed partial class Store
{
    /// <summary>A path below the root as people can use it: itself, or the address of the object or prefix on S3.</summary>
    public string PlaceOf(string path) => Mirror is null ? path : Mirror.AddressOf(path);

    /// <summary>Where a file of a manifest can be read on this machine; of a store on S3, it comes over first unless a copy is here already.</summary>
    /// <param name="folder">The manifest's folder.</param>
    /// <exception cref="IOException">The server cannot be reached, or has no such object.</exception>
    /// <exception cref="InvalidDataException">What the server has is not what the manifest describes.</exception>
    public string FileOf(string folder, PartFile part)
    {
        var path = Path.Combine(folder, part.Path);
        return Mirror is null ? path : Mirror.Fetch(path, part);
    }

    /// <summary>The text of a small file as it is now; null when there is none.</summary>
    public string? ReadText(string path)
    {
        if (Mirror is not null) return Mirror.ReadText(path);
        try { return File.ReadAllText(path); }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException) { return null; }
    }

    /// <summary>A manifest as it is now; null when there is none.</summary>
    public T? Read<T>(string path) where T : class => ReadText(path) is { } text ? JsonSerializer.Deserialize<T>(text, SpecJson.Readable) : null;

    /// <summary>Writes a small file that one process at a time writes.</summary>
    public void WriteText(string path, string text)
    {
        if (Mirror is null) DurableFile.WriteAllText(path, text);
        else Mirror.Overwrite(path, text);
    }

    /// <summary>As <see cref="WriteText"/>, but a server may get it a little later.</summary>
    internal void WriteTextSoon(string path, string text)
    {
        if (Mirror is null) DurableFile.WriteAllText(path, text);
        else Mirror.OverwriteSoon(path, text);
    }

    /// <summary>Writes a manifest; on S3 only over the version that this process has read last.</summary>
    public void WriteManifest(string path, string text)
    {
        if (Mirror is null) DurableFile.WriteAllText(path, text);
        else Mirror.WriteManifest(path, text);
    }

    /// <summary>Publishes finished files; a move whose file has arrived already is none.</summary>
    internal void Put(IReadOnlyList<Move> moves, Action checkFence)
    {
        if (Mirror is not null)
        {
            Mirror.Put(moves, checkFence);
            return;
        }
        foreach (var move in moves.Where(move => File.Exists(move.From)))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(move.To)!);
            DurableFile.MoveInto(move.From, move.To);
        }
    }

    /// <summary>Publishes one finished file that no manifest lists.</summary>
    public void Put(string from, string to)
    {
        DurableFile.Flush(from);
        Put([new(from, to, DurableFile.Describe(from, Path.GetFileName(to), 0))], () => { });
    }

    /// <summary>Where a file that no manifest lists, and that never changes, can be read on this machine.</summary>
    internal string FileOf(string path) => Mirror is null ? path : Mirror.Fetch(path);

    /// <summary>Paths of all files below a folder, in order; of a store on S3 they need not have come over.</summary>
    public IReadOnlyList<string> FilesBelow(string folder) =>
        [.. (Mirror is not null ? Mirror.Files(folder) : Directory.Exists(folder) ? Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories) : []).Order(StringComparer.Ordinal)];

    /// <summary>Paths of the folders directly below a folder, in order.</summary>
    public IReadOnlyList<string> FoldersIn(string folder) =>
        [.. (Mirror is not null ? Mirror.Folders(folder) : Directory.Exists(folder) ? Directory.EnumerateDirectories(folder) : []).Order(StringComparer.Ordinal)];

    /// <summary>Removes a file or a whole folder, if it is there.</summary>
    public void Remove(string path)
    {
        if (Mirror is not null) Mirror.Remove(path);
        else if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
        else if (File.Exists(path)) File.Delete(path);
    }

    /// <summary>Removes the parts of a table that its manifest does not list, so that tools that read the folder see each row once.</summary>
    /// <param name="folder">The manifest's folder.</param>
    /// <param name="table">The table's folder in it.</param>
    /// <param name="listed">Parts that stay.</param>
    public void RemoveUnlisted(string folder, string table, IEnumerable<PartFile> listed)
    {
        foreach (var path in StoreStrays.Unlisted(this, folder, StoreStrays.Known(folder, listed), [table]).ToList()) Remove(path);
    }

    /// <summary>When a small file was written last, as far as this machine knows; of a store on S3, a change is seen within two seconds.</summary>
    public DateTime ChangedAt(string path)
    {
        Mirror?.ReadRecentText(path);
        return File.GetLastWriteTimeUtc(path);
    }

    /// <summary>Size and hash of a published file, read to its end; null when there is none.</summary>
    internal (long Bytes, string Sha256)? Describe(string path)
    {
        if (Mirror is not null) return Mirror.Describe(path);
        if (!File.Exists(path)) return null;
        var found = DurableFile.Describe(path, "", 0);
        return (found.Bytes, found.Sha256);
    }

    /// <summary>Files at a path, be it a file's or a folder's, and their bytes, on the server and on this machine.</summary>
    internal (int Files, long Bytes) Size(string path)
    {
        var here = Directory.Exists(path) ? [.. new DirectoryInfo(path).EnumerateFiles("*", SearchOption.AllDirectories)] : File.Exists(path) ? new List<FileInfo> { new(path) } : [];
        var there = Mirror?.Size(path) ?? default;
        return (Math.Max(here.Count, there.Files), here.Sum(file => file.Length) + there.Bytes);
    }

    /// <summary>The staging folders of this machine, and on S3 those that others have left on the server: of these, when something was written there last.</summary>
    internal IReadOnlyList<(string Path, DateTimeOffset? LeftByOthers)> StagingFolders()
    {
        var staging = PathOf(".staging");
        var there = Mirror?.StagedElsewhere();
        // What a server has taken over leaves empty folders.
        IEnumerable<string> here = Directory.Exists(staging) ? Directory.EnumerateDirectories(staging).Where(folder => Mirror is null || Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Any()).Select(path => Path.GetFileName(path)!) : [];
        return [.. here.Union(there?.Keys ?? []).Order(StringComparer.Ordinal).Select(name => (StagingFolder(name), there?.TryGetValue(name, out var written) == true ? written : (DateTimeOffset?)null))];
    }

    /// <summary>Leaves a copy of a finished staged file where another machine finds it; in a folder it lies there already.</summary>
    public void KeepStaged(string path) => Mirror?.KeepStaged(path);

    /// <summary>Removes this machine's copies of staged files that <see cref="KeepStaged"/> has left on a server; in a folder they stay.</summary>
    public void LetGoOfStaged(IEnumerable<string> paths)
    {
        if (Mirror is not null) foreach (var path in paths) Mirror.RemoveHere(path);
    }

    /// <summary>Brings over what other machines have left in a folder, as far as it is not here.</summary>
    /// <param name="wanted">By path on this machine; null: all.</param>
    /// <returns><paramref name="folder"/>.</returns>
    public string FetchFolder(string folder, Func<string, bool>? wanted = null)
    {
        Mirror?.FetchFolder(folder, wanted ?? (_ => true));
        return folder;
    }
}
