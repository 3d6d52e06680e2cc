// The 2-D map of a clustering as it goes to the browser: little-endian (x, y, cluster position) triples. Points are numbered so that any
// number of the first ones is spread evenly over the table: what comes first can be drawn before the rest has come.
using System.Buffers.Binary;
using FeatureForge.Data;

namespace FeatureForge.Server;

/// <summary>The points of a map, at most <see cref="MaxPoints"/>, evenly thinned out when there are more. Immutable.</summary>
public sealed class MapPoints
{
    /// <summary>What one page holds: 24 MB on the wire.</summary>
    public const int MaxPoints = 2_000_000;

    /// <summary>Points that are sent at a time: 2.4 MB.</summary>
    public const int ChunkPoints = 200_000;

    private const int TripleBytes = 12;

    private readonly UInt128[] _items;
    private readonly int[] _spans;
    private readonly byte[] _triples;

    private MapPoints(UInt128[] items, int[] spans, byte[] triples, long total) => (_items, _spans, _triples, Total) = (items, spans, triples, total);

    /// <summary>Points on the map as the store has it, before thinning.</summary>
    public long Total { get; }

    public int Count => _items.Length;

    /// <summary>Bytes held.</summary>
    public long Weight => _triples.Length + 20L * _items.Length;

    /// <summary>Per point: float32 x, float32 y, int32 position of its leaf in the clusters table (-1 = none).</summary>
    /// <param name="first">From 0.</param>
    /// <param name="count">At most; fewer where the map ends.</param>
    public ReadOnlyMemory<byte> Triples(int first, int count)
    {
        first = Math.Clamp(first, 0, Count);
        return _triples.AsMemory(first * TripleBytes, Math.Clamp(count, 0, Count - first) * TripleBytes);
    }

    /// <summary>The item and span of a point, or null past the end.</summary>
    public (string ItemId, int SpanIndex)? At(int point) =>
        point >= 0 && point < Count ? (ItemIdSet.Text(_items[point]), _spans[point]) : null;

    /// <summary>A bit a point, the lowest of each byte first: whether its item is in the set.</summary>
    public byte[] Matching(ItemIdSet items)
    {
        var bits = new byte[(Count + 7) / 8];
        for (var point = 0; point < Count; point++)
            if (items.Contains(_items[point])) bits[point >> 3] |= (byte)(1 << (point & 7));
        return bits;
    }

    public static async Task<MapPoints> LoadAsync(Store store, ClusteringManifest clustering, ClusterTree tree, CancellationToken stop)
    {
        var folder = store.ClusteringFolder(clustering.Name);
        var total = clustering.MapParts.Sum(part => part.Rows);
        var every = Math.Max(1, (total + MaxPoints - 1) / MaxPoints);
        var removed = store.FindSet(clustering.Set) is { } set && RemovedItems.Of(store, set.Corpus) is { Count: > 0 } some ? some : null;
        var (items, spans, places) = (new List<UInt128>((int)(total / every) + 1), new List<int>((int)(total / every) + 1), new List<(float X, float Y)>((int)(total / every) + 1));
        // Both tables at once: each is a core's work.
        var memberships = Task.Run(() => clustering.MembershipParts.SelectMany(part => MapColumns.ReadLeaves(store.FileOf(folder, part), tree.Position)).ToList(), stop);
        long row = 0;
        foreach (var block in clustering.MapParts.SelectMany(part => MapColumns.ReadPlaces(store.FileOf(folder, part))))
        {
            stop.ThrowIfCancellationRequested();
            for (var i = 0; i < block.ItemIds.Length; i++)
            {
                if (row++ % every != 0 || removed?.Contains(block.ItemIds[i]) == true) continue;
                items.Add(block.ItemIds[i]);
                spans.Add(block.SpanIndex[i]);
                places.Add((block.X[i], block.Y[i]));
            }
        }
        var leaves = Leaves(await memberships, items, spans, stop);
        var order = Spread(items.Count);
        var triples = new byte[(long)items.Count * TripleBytes];
        for (var point = 0; point < order.Length; point++)
        {
            var place = places[order[point]];
            var triple = triples.AsSpan(point * TripleBytes);
            BinaryPrimitives.WriteSingleLittleEndian(triple, place.X);
            BinaryPrimitives.WriteSingleLittleEndian(triple[4..], place.Y);
            BinaryPrimitives.WriteInt32LittleEndian(triple[8..], leaves[order[point]]);
        }
        return new(Array.ConvertAll(order, one => items[one]), Array.ConvertAll(order, one => spans[one]), triples, total);
    }

    // Every nth row, then the ones behind those, and so on: n chunks.
    private static int[] Spread(int count)
    {
        var chunks = Math.Max(1, (count + ChunkPoints - 1) / ChunkPoints);
        var order = new int[count];
        var point = 0;
        for (var chunk = 0; chunk < chunks; chunk++)
            for (var row = chunk; row < count; row += chunks) order[point++] = row;
        return order;
    }

    // Memberships come in the order of the map, as long as the two are whole and of one run; else they are looked up.
    private static int[] Leaves(List<LeafBlock> memberships, List<UInt128> items, List<int> spans, CancellationToken stop)
    {
        var leaves = new int[items.Count];
        Array.Fill(leaves, -1);
        var next = 0;
        Dictionary<(UInt128, int), int>? places = null;
        foreach (var block in memberships)
        {
            stop.ThrowIfCancellationRequested();
            for (var i = 0; i < block.ItemIds.Length; i++)
            {
                var key = (block.ItemIds[i], block.SpanIndex[i]);
                if (places is null && next < leaves.Length && (items[next], spans[next]) == key)
                {
                    leaves[next++] = block.Leaves[i];
                    continue;
                }
                if (places is null)
                {
                    places = new(items.Count - next);
                    for (var place = next; place < items.Count; place++) places[(items[place], spans[place])] = place;
                }
                if (places.TryGetValue(key, out var found)) leaves[found] = block.Leaves[i];
            }
        }
        return leaves;
    }
}
