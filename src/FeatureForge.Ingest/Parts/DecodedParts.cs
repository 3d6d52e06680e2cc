// Decoded items on their way from shards to the run that publishes: shard-NNNNN/part-NNNNN.decoded, whole or absent. Items one after the other, then an entry
// for each (key and start of the SHA-256, 16 bytes each, and where it lies), at last how many entries.
using System.Runtime.InteropServices;
using FeatureForge.Data;

namespace FeatureForge.Ingest;

/// <summary>Where an item lies in its part.</summary>
internal readonly record struct DecodedEntry(UInt128 Key, UInt128 Content, long Offset)
{
    private const string Pattern = "part-*.decoded";

    /// <summary>The finished parts in a folder and below, in order.</summary>
    public static IReadOnlyList<string> PartsIn(string folder) => Directory.Exists(folder) ? [.. Directory.EnumerateFiles(folder, Pattern, SearchOption.AllDirectories).Order(StringComparer.Ordinal)] : [];

    public static DecodedEntry[] Read(Stream part)
    {
        part.Seek(-sizeof(long), SeekOrigin.End);
        var count = new long[1];
        part.ReadExactly(MemoryMarshal.AsBytes(count.AsSpan()));
        var entries = new DecodedEntry[count[0]];
        part.Seek(-sizeof(long) - count[0] * Marshal.SizeOf<DecodedEntry>(), SeekOrigin.End);
        part.ReadExactly(MemoryMarshal.AsBytes(entries.AsSpan()));
        return entries;
    }

    /// <summary>The first 128 bits of a SHA-256.</summary>
    public static UInt128 ContentOf(string sha256) => ItemIdSet.Key(sha256[..32]);
}

/// <summary>Writes a shard's parts. What an earlier attempt has finished stays.</summary>
internal sealed class DecodedWriter : IDisposable
{
    private const int MostItems = 2048;
    private const long MostBytes = 64 << 20;

    private readonly Store _store;
    private readonly string _folder;
    private readonly List<string> _files;
    private readonly List<UInt128> _done = [];
    private readonly List<DecodedEntry> _entries = [];
    private FileStream? _part;

    private DecodedWriter(Store store, string folder)
    {
        (_store, _folder, _files) = (store, folder, [.. DecodedEntry.PartsIn(folder)]);
        foreach (var path in _files)
        {
            using var part = File.OpenRead(path);
            foreach (var entry in DecodedEntry.Read(part)) _done.Add(entry.Key);
        }
    }

    public static DecodedWriter Open(Store store, string folder)
    {
        Directory.CreateDirectory(folder);
        // A shard that goes on elsewhere goes on from what was left there.
        return new(store, store.FetchFolder(folder));
    }

    public int Done => _done.Count;

    public IReadOnlyList<string> Files => _files;

    /// <summary>What is done, by key.</summary>
    public IReadOnlyCollection<UInt128> Keys => _done;

    public void Add(Outcome outcome)
    {
        if (DecodedItem.Of(outcome) is not { } item || (outcome.Sha256 ?? outcome.Rejection?.ContentSha256) is not { } sha256) return;
        DiskFullException.ThrowIfLess(_folder, 0);
        _part ??= new FileStream(Path.Combine(_folder, "part.tmp"), FileMode.Create, FileAccess.Write, FileShare.Read, 1 << 18);
        _entries.Add(new(StagedPart.ShortKey(StagedPart.KeyOf(outcome.Finding)), DecodedEntry.ContentOf(sha256), _part.Position));
        item.Write(_part);
        if (_entries.Count >= MostItems || _part.Position >= MostBytes) Complete();
    }

    /// <summary>Ends the part under way.</summary>
    public void Complete()
    {
        if (_part is null) return;
        _part.Write(MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(_entries)));
        _part.Write(MemoryMarshal.AsBytes([(long)_entries.Count]));
        _part.Flush(flushToDisk: true);
        _part.Dispose();
        var path = Path.Combine(_folder, $"part-{_files.Count:D5}.decoded");
        DurableFile.MoveInto(_part.Name, path);
        _store.KeepStaged(path);
        _files.Add(path);
        _done.AddRange(_entries.Select(entry => entry.Key));
        _entries.Clear();
        _part = null;
    }

    public void Dispose() => _part?.Dispose();
}

/// <summary>What all shards of a request have left, found by key and content: 48 bytes an item. Any number of threads may ask.</summary>
internal sealed class DecodedItems
{
    private readonly IReadOnlyList<string> _parts;
    private readonly (DecodedEntry Entry, int Part)[] _entries;
    private readonly string _scratchFolder;

    private DecodedItems(string folder, string scratchFolder)
    {
        (_parts, _scratchFolder) = (DecodedEntry.PartsIn(folder), scratchFolder);
        var entries = new List<(DecodedEntry, int)>();
        for (var i = 0; i < _parts.Count; i++)
        {
            using var part = File.OpenRead(_parts[i]);
            foreach (var entry in DecodedEntry.Read(part)) entries.Add((entry, i));
        }
        _entries = [.. entries];
        Array.Sort(_entries, (a, b) => a.Entry.Key.CompareTo(b.Entry.Key));
    }

    public static DecodedItems Open(string folder, string scratchFolder) => new(folder, scratchFolder);

    /// <summary>What a shard has made of the finding while its bytes were these; null when none has.</summary>
    public DecodedItem? Find(Finding finding, string sha256)
    {
        var (key, content) = (StagedPart.ShortKey(StagedPart.KeyOf(finding)), DecodedEntry.ContentOf(sha256));
        var (low, high) = (0, _entries.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_entries[middle].Entry.Key < key) low = middle + 1;
            else high = middle;
        }
        for (; low < _entries.Length && _entries[low].Entry.Key == key; low++)
            if (_entries[low].Entry.Content == content) return Read(_entries[low].Part, _entries[low].Entry.Offset);
        return null;
    }

    private DecodedItem Read(int part, long offset)
    {
        // Threads share no position.
        using var stream = new FileStream(_parts[part], FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16) { Position = offset };
        return DecodedItem.Read(stream, _scratchFolder);
    }
}
