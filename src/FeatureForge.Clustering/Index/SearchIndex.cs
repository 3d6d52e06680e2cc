// The approximate index of one level and grain of a set: an inverted file (Sivic, Zisserman 2003; Jegou, Douze, Schmid 2011) over
// micro-clusters. Vectors lie cell by cell at full precision in mapped files, so what is compared is compared exactly: the
// only thing an answer can miss is a cell. Files: centroids.f32, starts.i64 [cells + 1], vectors.f32, items.bin (16 bytes of
// item id and 4 of span index per row), in the order of the cells.
using System.Diagnostics;
using System.Text.Json;
using FeatureForge.Data;
using FeatureForge.Tensors;

namespace FeatureForge.Clustering;

/// <summary>A neighbour.</summary>
/// <param name="Distance">1 - cosine, or Euclidean.</param>
public sealed record SearchHit(string ItemId, int SpanIndex, float Distance);

/// <summary>What a search found, nearest first, and how sure it is.</summary>
/// <param name="Recall">Share of the true neighbours that such a search finds, as measured when the index was built; 1 when every vector was compared.</param>
/// <param name="Compared">Vectors compared.</param>
public sealed record SearchAnswer(IReadOnlyList<SearchHit> Hits, double Recall, long Compared, double Milliseconds);

/// <summary>An open index. Searches may run at the same time.</summary>
public sealed class SearchIndex : IDisposable
{
    private const int ItemBytes = 20;

    private readonly float[] _centroids;
    private readonly IndexFile<long> _starts;
    private readonly IndexFile<float> _vectors;
    private readonly IndexFile<byte> _items;
    private readonly VectorMetric _metric;

    private SearchIndex(string folder, SearchIndexManifest manifest)
    {
        Manifest = manifest;
        _metric = VectorMetrics.Parse(manifest.Metric);
        using (var centroids = IndexFile<float>.Open(Path.Combine(folder, "centroids.f32"), (long)manifest.Cells * manifest.Dimension))
            _centroids = centroids[0, manifest.Cells * manifest.Dimension].ToArray();
        _starts = IndexFile<long>.Open(Path.Combine(folder, "starts.i64"), manifest.Cells + 1);
        _vectors = IndexFile<float>.Open(Path.Combine(folder, "vectors.f32"), manifest.Rows * manifest.Dimension);
        _items = IndexFile<byte>.Open(Path.Combine(folder, "items.bin"), manifest.Rows * ItemBytes);
    }

    public SearchIndexManifest Manifest { get; }

    /// <summary>embeddings/SET/index/LEVEL-GRAIN.</summary>
    internal static string Folder(Store store, string set, string level, Grain grain) =>
        Path.Combine(store.SetFolder(set), "index", $"{level}-{grain.ToString().ToLowerInvariant()}");

    /// <summary>Where the index says what it holds; there is no such file where there is no index.</summary>
    public static string ManifestPath(Store store, string set, string level, Grain grain) => Path.Combine(Folder(store, set, level, grain), "index.json");

    /// <summary>The index of a level and grain; null when there is none, or it was built from other vectors than the set holds now.</summary>
    public static SearchIndex? Find(Store store, string set, string level, Grain grain)
    {
        var folder = Folder(store, set, level, grain);
        if (store.Read<SearchIndexManifest>(ManifestPath(store, set, level, grain)) is not { } manifest) return null;
        var (now, table) = SetSearch.TableOf(store, set, level, grain);
        return manifest.EncoderId == now.EncoderId && manifest.PartHashes.SequenceEqual(table.Parts.Select(part => part.Sha256)) ? new(store.FetchFolder(folder), manifest) : null;
    }

    internal static SearchIndex Open(string folder, SearchIndexManifest manifest) => new(folder, manifest);

    /// <summary>The nearest vectors to a query.</summary>
    /// <param name="probes">Cells to look into; null: as many as the index was tuned to.</param>
    /// <param name="exact">Compare with every vector.</param>
    /// <param name="allowed">Items that may be found; null: all. A filter that leaves few makes the search look into more cells.</param>
    public SearchAnswer Search(ReadOnlySpan<float> query, int k, int? probes = null, bool exact = false, ItemIdSet? allowed = null)
    {
        if (query.Length != Manifest.Dimension) throw new ArgumentException($"Expected a query of {Manifest.Dimension} values, found {query.Length}.");
        if (k < 1) throw new ArgumentException($"Expected at least one neighbour, found {k}.");
        HostRows.RequireFinite(query, query.Length);
        var clock = Stopwatch.GetTimestamp();
        var asked = query.ToArray();
        if (_metric == VectorMetric.Cosine) RowProducts.ToUnitLength(asked);
        var wanted = exact ? Manifest.Cells : Math.Clamp(probes ?? Manifest.Probes, 1, Manifest.Cells);
        var order = CellsByDistance(asked);
        var best = new NearestRows((int)Math.Min(k, Manifest.Rows));
        long compared = 0;
        var looked = 0;
        foreach (var cell in order)
        {
            // A filter leaves fewer per cell: go on until k are found.
            if (looked >= wanted && (allowed is null || best.Full)) break;
            looked++;
            compared += Compare(asked, cell, best, allowed);
        }
        var hits = best.Sorted().Select(pair => Hit(pair.Row, pair.Distance)).ToList();
        var recall = looked >= Manifest.Cells ? 1 : Manifest.Measured.LastOrDefault(line => line.Probes <= wanted)?.Recall ?? Manifest.Recall;
        return new(hits, recall, compared, Stopwatch.GetElapsedTime(clock).TotalMilliseconds);
    }

    /// <summary>Rows in the order of the index, without their items: what the measurement needs.</summary>
    internal (int[] Rows, long Compared) Rows(ReadOnlySpan<float> unit, int k, int probes, long self)
    {
        var best = new NearestRows(k + 1);
        long compared = 0;
        foreach (var cell in CellsByDistance(unit).Take(probes)) compared += Compare(unit, cell, best, null);
        return ([.. best.Sorted().Where(pair => pair.Row != self).Take(k).Select(pair => (int)pair.Row)], compared);
    }

    internal Span<float> Vector(long row) => _vectors[row * Manifest.Dimension, Manifest.Dimension];

    /// <summary>
    /// The k nearest neighbours of every row of the index, by comparing the rows of a cell with those of its <paramref name="probes"/>
    /// nearest cells in blocked products: a graph beyond the reach of all pairs. Index numbers are places in the index;
    /// <see cref="Item"/> names them. -1 where the cells held fewer rows.
    /// </summary>
    public NeighbourTable Graph(int k, int? probes = null, CancellationToken stop = default)
    {
        if (Manifest.Rows * k > Array.MaxLength) throw new ArgumentException($"Expected at most {Array.MaxLength / k} rows for {k} neighbours each, found {Manifest.Rows}.");
        var table = new NeighbourTable(new int[Manifest.Rows * k], new float[Manifest.Rows * k], k);
        Parallel.For(0, Manifest.Cells, new ParallelOptions { CancellationToken = stop }, cell =>
        {
            var (first, end) = (_starts[cell, 1][0], _starts[cell + 1, 1][0]);
            if (first == end) return;
            var own = _vectors[first * Manifest.Dimension, (int)(end - first) * Manifest.Dimension].ToArray();
            var near = CellsByDistance(_centroids.AsSpan(cell * Manifest.Dimension, Manifest.Dimension)).Take(Math.Max(1, probes ?? Manifest.Probes)).Order().ToArray();
            var rows = near.SelectMany(other => Enumerable.Range((int)_starts[other, 1][0], (int)(_starts[other + 1, 1][0] - _starts[other, 1][0]))).ToArray();
            var values = new float[rows.Length * Manifest.Dimension];
            for (var i = 0; i < rows.Length; i++) Vector(rows[i]).CopyTo(values.AsSpan(i * Manifest.Dimension));
            // Its own place is what a row must not find: groups of one.
            var found = Neighbours.OutsideGroups(own, [.. Enumerable.Range((int)first, (int)(end - first))], values, rows, Manifest.Dimension, _metric, k, stop);
            for (var i = 0; i < (end - first) * k; i++)
            {
                table.Index[first * k + i] = found.Index[i] < 0 ? -1 : rows[found.Index[i]];
                table.Distance[first * k + i] = found.Distance[i];
            }
        });
        return table;
    }

    /// <summary>The item and span at a place of the index.</summary>
    public (string ItemId, int SpanIndex) Item(long row)
    {
        var bytes = _items[row * ItemBytes, ItemBytes];
        return (Convert.ToHexStringLower(bytes[..16]), BitConverter.ToInt32(bytes[16..]));
    }

    private SearchHit Hit(long row, float distance)
    {
        var (item, span) = Item(row);
        return new(item, span, distance);
    }

    private int[] CellsByDistance(ReadOnlySpan<float> query)
    {
        var distance = new float[Manifest.Cells];
        for (var cell = 0; cell < distance.Length; cell++) distance[cell] = RowProducts.SquaredDistance(query, _centroids.AsSpan(cell * Manifest.Dimension, Manifest.Dimension));
        var order = Enumerable.Range(0, distance.Length).ToArray();
        Array.Sort(distance, order);
        return order;
    }

    private int Compare(ReadOnlySpan<float> query, int cell, NearestRows best, ItemIdSet? allowed)
    {
        var (first, end) = (_starts[cell, 1][0], _starts[cell + 1, 1][0]);
        for (var row = first; row < end; row++)
        {
            if (allowed is not null && !allowed.Contains(System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(_items[row * ItemBytes, 16]))) continue;
            best.Offer(row, SetSearch.Distance(query, Vector(row), _metric));
        }
        return (int)(end - first);
    }

    public void Dispose()
    {
        _starts.Dispose();
        _vectors.Dispose();
        _items.Dispose();
    }
}

/// <summary>The k rows of least distance so far; the smaller row at a tie.</summary>
internal sealed class NearestRows(int k)
{
    private readonly (float Distance, long Row)[] _kept = new (float, long)[k];
    private int _count;

    internal bool Full => _count == k;

    internal void Offer(long row, float distance)
    {
        if (Full && (distance, row).CompareTo(_kept[^1]) >= 0) return;
        if (!Full) _count++;
        var place = _count - 1;
        for (; place > 0 && (distance, row).CompareTo(_kept[place - 1]) < 0; place--) _kept[place] = _kept[place - 1];
        _kept[place] = (distance, row);
    }

    internal IEnumerable<(long Row, float Distance)> Sorted() => _kept.Take(_count).Select(pair => (pair.Row, pair.Distance));
}
