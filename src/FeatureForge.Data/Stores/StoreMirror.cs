// A store on an S3-compatible server: the objects are the store, and a working folder on this machine holds what was read from it, what
// is being written for it, and, without PostgreSQL, the ledger. Files come over when they are asked for and are held against the hash in
// their manifest; what a run publishes goes to the server first. Manifests are asked for anew at every look, and written only over the
// version that was read.
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;

namespace FeatureForge.Data;

internal sealed class StoreMirror(S3Bucket bucket, string root)
{
    private static readonly TimeSpan _recent = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<string, StoredText?> _texts = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, long> _asked = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Task> _behind = new(StringComparer.Ordinal);

    internal S3Bucket Bucket => bucket;

    /// <summary>The address of what lies at a path in the working folder.</summary>
    internal string AddressOf(string path) => bucket.Address(KeyOf(path));

    /// <summary>A manifest as it is on the server now; null when there is none. The working folder follows.</summary>
    internal string? ReadText(string path)
    {
        var key = KeyOf(path);
        var known = _texts.GetValueOrDefault(key);
        var found = bucket.ReadText(key, known);
        _texts[key] = found;
        if (found is null)
        {
            if (File.Exists(path)) File.Delete(path);
        }
        else if (!ReferenceEquals(found, known) && !Holds(path, found.Text)) DurableFile.WriteAllText(path, found.Text);
        return found?.Text;
    }

    /// <summary>As <see cref="ReadText"/>, but an answer of the last two seconds will do.</summary>
    internal string? ReadRecentText(string path)
    {
        var key = KeyOf(path);
        if (_asked.TryGetValue(key, out var at) && Stopwatch.GetElapsedTime(at) < _recent && _texts.TryGetValue(key, out var known)) return known?.Text;
        var text = ReadText(path);
        _asked[key] = Stopwatch.GetTimestamp();
        return text;
    }

    /// <summary>Writes a manifest over the version that this process has read last.</summary>
    /// <exception cref="ObjectChangedException">Another process has written one meanwhile.</exception>
    internal void WriteManifest(string path, string text)
    {
        var key = KeyOf(path);
        if (!_texts.ContainsKey(key)) ReadText(path);
        _texts[key] = bucket.WriteText(key, text, _texts[key]);
        DurableFile.WriteAllText(path, text);
    }

    /// <summary>A file that only its own run or process writes. Returns when it is here and on the server.</summary>
    internal void Overwrite(string path, string text)
    {
        DurableFile.WriteAllText(path, text);
        if (_behind.TryRemove(path, out var before)) before.GetAwaiter().GetResult();
        bucket.OverwriteText(KeyOf(path), text);
    }

    /// <summary>As <see cref="Overwrite"/>, but the server gets it in the background, if it can; the next write of the file waits for that.</summary>
    internal void OverwriteSoon(string path, string text)
    {
        DurableFile.WriteAllText(path, text);
        _behind[path] = Task.Run(() =>
        {
            try { bucket.OverwriteText(KeyOf(path), text); }
            catch (IOException) { } // It is in the working folder, and comes again with the next write.
        });
    }

    /// <summary>Makes sure that the working folder holds a file as its manifest describes it.</summary>
    /// <returns><paramref name="path"/>.</returns>
    /// <exception cref="FileNotFoundException">The server has no such object.</exception>
    /// <exception cref="InvalidDataException">The object is another one than the manifest describes.</exception>
    internal string Fetch(string path, PartFile part) => Fetch(path, part.Bytes, part.Sha256);

    /// <summary>Publishes files: on the server first, then here. A file of which the server holds a staged copy is copied there.</summary>
    internal void Put(IReadOnlyList<Move> moves, Action checkFence)
    {
        S3Bucket.InParallel(moves.Count, i =>
        {
            var move = moves[i];
            if (bucket.TryCopy(KeyOf(move.From), KeyOf(move.To), move.Part.Sha256, checkFence)) return;
            // What is not staged here was staged by another machine, or has arrived already.
            var source = File.Exists(move.From) ? move.From : bucket.Find(KeyOf(move.From)) is null ? move.To : Fetch(move.From, move.Part);
            bucket.Upload(source, KeyOf(move.To), move.Part.Sha256, checkFence);
        });
        foreach (var move in moves.Where(move => File.Exists(move.From)))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(move.To)!);
            DurableFile.MoveInto(move.From, move.To);
            NoteCopy(move.To, move.Part.Sha256);
        }
    }

    /// <summary>A staged file that another machine has left on the server; null when there is none.</summary>
    internal PartFile? FindStaged(string path, string relativePath, long rows) =>
        bucket.Find(KeyOf(path)) is { Sha256: { } hash } found ? new(relativePath, rows, found.Bytes, hash) : null;

    /// <summary>Leaves a copy of a staged file on the server, so that another machine can go on from it.</summary>
    internal void KeepStaged(string path)
    {
        var hash = DurableFile.Describe(path, "", 0).Sha256;
        bucket.Upload(path, KeyOf(path), hash, () => { });
        NoteCopy(path, hash);
    }

    /// <summary>Brings over what a folder holds on the server and this machine lacks. A file that this machine left there itself, and that nobody has replaced since, stays as it is here: it may have gone on.</summary>
    internal void FetchFolder(string folder, Func<string, bool> wanted)
    {
        foreach (var found in bucket.List(KeyOf(folder) + "/"))
        {
            var path = PathOf(found.Key);
            if (!wanted(path)) continue;
            if (bucket.Find(found.Key) is { Sha256: { } hash } facts && !(File.Exists(path) && LastNote(path)?.Sha256 == hash)) Fetch(path, facts.Bytes, hash);
        }
    }

    /// <summary>Staging folders on the server, by name, and when something was written there last.</summary>
    internal IReadOnlyDictionary<string, DateTimeOffset> StagedElsewhere() => bucket.List(".staging/")
        .Where(found => found.Key.Split('/').Length > 2).GroupBy(found => found.Key.Split('/')[1]).ToDictionary(folder => folder.Key, folder => folder.Max(found => found.Written), StringComparer.Ordinal);

    /// <summary>Objects at a path, be it a file's or a folder's, and their bytes.</summary>
    internal (int Files, long Bytes) Size(string path)
    {
        var found = At(path);
        return (found.Count, found.Sum(one => one.Bytes));
    }

    /// <summary>Size and hash of an object, read to its end; null when there is none.</summary>
    internal (long Bytes, string Sha256)? Describe(string path) => bucket.Describe(KeyOf(path));

    /// <summary>Paths in the working folder of all objects below a folder; what lies there need not have come over.</summary>
    internal IEnumerable<string> Files(string folder) => bucket.List(KeyOf(folder) + "/").Select(found => PathOf(found.Key));

    internal IReadOnlyList<string> Folders(string folder) => [.. bucket.Folders(KeyOf(folder)).Select(name => Path.Combine(folder, name))];

    /// <summary>Brings over a file that no manifest describes and that never changes.</summary>
    internal string Fetch(string path)
    {
        if (NoteOf(path) is null) Download(path, null);
        return path;
    }

    /// <summary>Removes a file or a whole folder, there and here.</summary>
    internal void Remove(string path)
    {
        bucket.Delete(At(path).Select(found => found.Key));
        _texts.TryRemove(KeyOf(path), out _);
        RemoveHere(path);
    }

    /// <summary>Removes this machine's copy of a file or a whole folder.</summary>
    internal void RemoveHere(string path)
    {
        foreach (var one in new[] { path, NotePath(path), NoteFolder(path) })
            if (Directory.Exists(one)) Directory.Delete(one, recursive: true);
            else if (File.Exists(one)) File.Delete(one);
    }

    private List<StoredObject> At(string path) => [.. bucket.List(KeyOf(path)).Where(found => found.Key == KeyOf(path) || found.Key.StartsWith(KeyOf(path) + "/", StringComparison.Ordinal))];

    private string Fetch(string path, long bytes, string sha256)
    {
        if (NoteOf(path) is not { } note || note.Sha256 != sha256 || note.Bytes != bytes) Download(path, sha256);
        return path;
    }

    private void Download(string path, string? sha256)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var temporary = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            var found = bucket.Download(KeyOf(path), temporary, sha256);
            DurableFile.MoveInto(temporary, path);
            NoteCopy(path, found);
        }
        finally { File.Delete(temporary); }
    }

    private string KeyOf(string path) => Path.GetRelativePath(root, path).Replace(Path.DirectorySeparatorChar, '/');

    private string PathOf(string key) => Path.Combine(root, key.Replace('/', Path.DirectorySeparatorChar));

    private static bool Holds(string path, string text)
    {
        try { return File.ReadAllText(path) == text; }
        catch (IOException) { return false; }
    }

    // What a copy's content is, beside the store's own names: hashing it at each look would read it twice.
    private sealed record CopyNote(string Sha256, long Bytes, long WrittenTicks);

    private string NotePath(string path) => NoteFolder(path) + ".json";

    private string NoteFolder(string path) => Path.Combine(root, ".copies", Path.GetRelativePath(root, path));

    private void NoteCopy(string path, string sha256)
    {
        var file = new FileInfo(path);
        DurableFile.WriteAllText(NotePath(path), JsonSerializer.Serialize(new CopyNote(sha256, file.Length, file.LastWriteTimeUtc.Ticks), SpecJson.Line));
    }

    // Null also when the file is not the one that the note was written for.
    private CopyNote? NoteOf(string path) =>
        LastNote(path) is { } note && new FileInfo(path) is { Exists: true } file && (file.Length, file.LastWriteTimeUtc.Ticks) == (note.Bytes, note.WrittenTicks) ? note : null;

    private CopyNote? LastNote(string path)
    {
        try { return JsonSerializer.Deserialize<CopyNote>(File.ReadAllText(NotePath(path)), SpecJson.Line); }
        catch (Exception error) when (error is IOException or JsonException) { return null; }
    }
}

/// <summary>A staged file and where it belongs.</summary>
internal readonly record struct Move(string From, string To, PartFile Part);
