// Neighbour tables, unit by unit, in a staging folder that the shard runs of one request and the run that publishes have in common: the dear part of a
// tree over many vectors, and of an assignment. A unit's file is whole or absent; whoever needs one that is not there makes it.
using System.Runtime.InteropServices;
using FeatureForge.Data;
using FeatureForge.Tensors;

namespace FeatureForge.Clustering;

/// <summary>The units of one request.</summary>
/// <param name="shard">Which shard this run is; null: the run that publishes, or the only one.</param>
internal sealed class NeighbourUnits(RunContext context, string folder, int shards, int? shard)
{
    private readonly HashSet<string> _kept = new(StringComparer.Ordinal);

    /// <summary>Of a request and the state of what it reads: shared by its shards, by nothing else. Brings over what other machines have left.</summary>
    internal static NeighbourUnits Of(RunContext context, string kind, string request, int shards, int? shard)
    {
        var units = new NeighbourUnits(context, context.Store.StagingFolder($"{kind}-{ContentId.Of(request)[..16]}"), shards, shard);
        if (shard is null) context.Store.FetchFolder(units.Folder);
        return units;
    }

    internal string Folder => folder;

    /// <summary>Whether this run makes a unit that is not there; the run that publishes makes every one.</summary>
    internal bool IsMine(int unit) => shard is null || unit % shards == shard;

    /// <summary>A unit's table, from its file or made now; null when it is another shard's.</summary>
    /// <param name="name">Of the unit among those of the request: letters, digits and hyphens.</param>
    /// <param name="number">Says whose it is.</param>
    internal NeighbourTable? Table(string name, int number, int queries, int k, Func<NeighbourTable> make)
    {
        if (!IsMine(number)) return null;
        var path = Path.Combine(folder, $"{name}-{number:D5}.neighbours");
        if (Read(path, queries, k) is { } there) return there;
        var table = make();
        // What the run that publishes makes it uses at once.
        if (shard is null) return table;
        Directory.CreateDirectory(folder);
        DiskFullException.ThrowIfLess(folder, 8L * table.Index.Length);
        DurableFile.WriteAllBytes(path, [.. MemoryMarshal.AsBytes([queries, k]), .. MemoryMarshal.AsBytes<int>(table.Index), .. MemoryMarshal.AsBytes<float>(table.Distance)]);
        context.Store.KeepStaged(path);
        _kept.Add(path);
        return table;
    }

    /// <summary>Of a shard: where the store keeps what it has made for the run that publishes, it need not lie here as well.</summary>
    internal void LetGo() => context.Store.LetGoOfStaged(_kept);

    /// <summary>The request is answered; nobody needs the units.</summary>
    internal void Remove() => context.Store.Remove(folder);

    private static NeighbourTable? Read(string path, int queries, int k)
    {
        if (!File.Exists(path)) return null;
        var bytes = File.ReadAllBytes(path);
        var values = queries * k;
        // Of another number of queries: not this request's, or cut off.
        if (bytes.Length != 8 + 8L * values || !MemoryMarshal.Cast<byte, int>(bytes.AsSpan(0, 8)).SequenceEqual([queries, k])) return null;
        return new(MemoryMarshal.Cast<byte, int>(bytes.AsSpan(8, 4 * values)).ToArray(), MemoryMarshal.Cast<byte, float>(bytes.AsSpan(8 + 4 * values)).ToArray(), k);
    }
}
