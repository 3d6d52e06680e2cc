// The 2-D map of a clustering as it goes to the browser: little-endian (x, y, cluster position) triples.
using System.Buffers.Binary;
using FeatureForge.Data;

namespace FeatureForge.Server;

/// <summary>The points of a map, at most <see cref="MaxPoints"/>, evenly thinned out when there are more. Immutable.</summary>
public sealed class MapPoints
{
    /// <summary>What one page shows: 2.4 MB on the wire.</summary>
    public const int MaxPoints = 200_000;

    private readonly List<(UInt128 ItemId, int SpanIndex)> _items = [];

    /// <summary>Points on the map as the store has it, before thinning.</summary>
    public long Total { get; private init; }

    public int Count => _items.Count;

    /// <summary>Per point: float32 x, float32 y, int32 position of its leaf in the clusters table (-1 = none).</summary>
    public byte[] Triples { get; private set; } = [];

    /// <summary>Bytes held.</summary>
    public long Weight => Triples.Length + 32L * _items.Count;

    /// <summary>The item and span of a point, or null past the end.</summary>
    public (string ItemId, int SpanIndex)? At(int point) =>
        point >= 0 && point < _items.Count ? (_items[point].ItemId.ToString("x32", System.Globalization.CultureInfo.InvariantCulture), _items[point].SpanIndex) : null;

    public static async Task<MapPoints> LoadAsync(Store store, ClusteringManifest clustering, ClusterTree tree, CancellationToken stop)
    {
        var folder = store.ClusteringFolder(clustering.Name);
        var total = clustering.MapParts.Sum(part => part.Rows);
        var every = Math.Max(1, (total + MaxPoints - 1) / MaxPoints);
        var points = new MapPoints { Total = total };
        var places = new Dictionary<(UInt128, int), int>();
        var triples = new MemoryStream();
        var triple = new byte[12];
        long row = 0;
        var removed = store.FindSet(clustering.Set) is { } set ? RemovedItems.Of(store, set.Corpus) : null;
        foreach (var part in clustering.MapParts)
            await foreach (var point in MapTable.ReadAsync(store.FileOf(folder, part), stop))
            {
                if (row++ % every != 0 || removed?.Contains(point.ItemId) == true) continue;
                var key = (CorpusItems.Parse(point.ItemId), point.SpanIndex);
                places[key] = points._items.Count;
                points._items.Add(key);
                BinaryPrimitives.WriteSingleLittleEndian(triple, point.X);
                BinaryPrimitives.WriteSingleLittleEndian(triple.AsSpan(4), point.Y);
                BinaryPrimitives.WriteInt32LittleEndian(triple.AsSpan(8), -1);
                triples.Write(triple);
            }
        points.Triples = triples.ToArray();
        foreach (var part in clustering.MembershipParts)
            await foreach (var membership in MembershipsTable.ReadAsync(store.FileOf(folder, part), stop))
                if (places.TryGetValue((CorpusItems.Parse(membership.ItemId), membership.SpanIndex), out var place))
                    BinaryPrimitives.WriteInt32LittleEndian(points.Triples.AsSpan(place * 12 + 8), tree.Position(membership.ClusterId));
        return points;
    }
}
