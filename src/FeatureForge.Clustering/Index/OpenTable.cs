// A table of vectors that stays open for many searches: its index mapped, or, where there is none, its vectors in memory. What a server keeps.
using System.Diagnostics;
using FeatureForge.Data;
using FeatureForge.Tensors;

namespace FeatureForge.Clustering;

/// <summary>One level and grain of a set, ready to be searched by several threads at once.</summary>
public sealed class OpenTable
{
    private readonly SearchIndex? _index;
    private readonly string[] _items = [];
    private readonly int[] _spans = [];
    private readonly float[] _vectors = [];
    private readonly VectorMetric _metric;
    private readonly Lazy<Dictionary<string, long>> _rowOf;
    private readonly RemovedItems _removed;

    private OpenTable(SetManifest set, SetTable table, RemovedItems removed, SearchIndex? index, string[] items, int[] spans, float[] vectors)
    {
        (Set, Table, _removed, _index, _items, _spans, _vectors) = (set, table, removed, index, items, spans, vectors);
        _metric = VectorMetrics.Parse(table.Metric);
        _rowOf = new(Rows);
    }

    public SetManifest Set { get; }
    public SetTable Table { get; }

    /// <summary>Bytes in memory, about.</summary>
    public long Weight => _index is not null ? Table.Rows * 60 : Table.Rows * (Table.Dimension * sizeof(float) + 100L);

    /// <param name="mostBytes">Of vectors that are read into memory where there is no index.</param>
    /// <exception cref="BadRequestException">There is no such table, or it is too large to be searched without an index.</exception>
    public static OpenTable Open(Store store, string set, string level, Grain grain, long mostBytes, CancellationToken stop)
    {
        var (manifest, table) = SetSearch.TableOf(store, set, level, grain);
        var removed = RemovedItems.Of(store, manifest.Corpus);
        if (SearchIndex.Find(store, set, level, grain) is { } index) return new(manifest, table, removed, index, [], [], []);
        if (table.Rows * table.Dimension * sizeof(float) > mostBytes)
            throw new BadRequestException($"Embedding set '{set}' holds {table.Rows} vectors of level {level}, too many to be searched without an index; build one: featureforge index --set {set} --level {level} --grain {grain.ToString().ToLowerInvariant()}.");
        var (items, spans, vectors) = (new string[table.Rows], new int[table.Rows], new float[table.Rows * table.Dimension]);
        var row = 0;
        foreach (var block in SetSearch.Blocks(store, manifest, table))
        {
            stop.ThrowIfCancellationRequested();
            for (var i = 0; i < block.Rows; i++) (items[row + i], spans[row + i]) = (block.ItemIds[i], block.SpanIndex[i]);
            block.Vectors.CopyTo(vectors, (long)row * table.Dimension);
            row += block.Rows;
        }
        if (VectorMetrics.Parse(table.Metric) == VectorMetric.Cosine)
            for (var i = 0; i < row; i++) RowProducts.ToUnitLength(vectors.AsSpan(i * table.Dimension, table.Dimension));
        return new(manifest, table, removed, null, items, spans, vectors);
    }

    /// <summary>The vector of an item's first span; null when the table has none.</summary>
    public float[]? VectorOf(string itemId) => !_rowOf.Value.TryGetValue(itemId, out var row) ? null
        : _index is not null ? _index.Vector(row).ToArray() : _vectors.AsSpan((int)row * Table.Dimension, Table.Dimension).ToArray();

    /// <summary>The nearest vectors, nearest first.</summary>
    /// <exception cref="BadRequestException">The query has another number of values.</exception>
    public SearchAnswer Search(ReadOnlySpan<float> query, int k, bool exact, ItemIdSet? allowed)
    {
        SetSearch.RequireDimension(Set, Table, query);
        return _index is not null ? SetSearch.Indexed(_index, query, k, exact, allowed, _removed) : Compared(query, k, allowed);
    }

    private SearchAnswer Compared(ReadOnlySpan<float> query, int k, ItemIdSet? allowed)
    {
        var clock = Stopwatch.GetTimestamp();
        var asked = query.ToArray();
        if (_metric == VectorMetric.Cosine) RowProducts.ToUnitLength(asked);
        var best = new NearestRows((int)Math.Min(k, Math.Max(1, Table.Rows)));
        for (var row = 0; row < _items.Length; row++)
        {
            if ((allowed is not null && !allowed.Contains(_items[row])) || _removed.Contains(_items[row])) continue;
            best.Offer(row, SetSearch.Distance(asked, _vectors.AsSpan(row * Table.Dimension, Table.Dimension), _metric));
        }
        return new([.. best.Sorted().Select(pair => new SearchHit(_items[pair.Row], _spans[pair.Row], pair.Distance))], 1, _items.Length, Stopwatch.GetElapsedTime(clock).TotalMilliseconds);
    }

    private Dictionary<string, long> Rows()
    {
        var rows = new Dictionary<string, long>(StringComparer.Ordinal);
        for (long row = Table.Rows - 1; row >= 0; row--)
        {
            var (item, span) = _index is not null ? _index.Item(row) : (_items[row], _spans[row]);
            if (span == 0) rows[item] = row;
        }
        return rows;
    }
}
