// Search in an embedding set: by its index when there is a current one, else by comparing every vector, streamed from Parquet.
using System.Diagnostics;
using FeatureForge.Data;
using FeatureForge.Tensors;

namespace FeatureForge.Clustering;

/// <summary>Finds the neighbours of a vector or of an item in one level and grain of a set.</summary>
public static class SetSearch
{
    /// <param name="encoderId">Of the encoder that made the query; null when it comes from the set itself.</param>
    /// <param name="exact">Compare with every vector even when there is an index.</param>
    /// <param name="allowed">Items that may be found; null: all.</param>
    /// <exception cref="BadRequestException">The set has no such vectors, or they are of another encoder than the query.</exception>
    public static SearchAnswer Of(Store store, string set, string level, Grain grain, ReadOnlySpan<float> query, int k, string? encoderId = null, bool exact = false,
        ItemIdSet? allowed = null, CancellationToken stop = default)
    {
        var (manifest, table) = TableOf(store, set, level, grain);
        if (encoderId is not null && encoderId != manifest.EncoderId)
            throw new BadRequestException($"The query is of encoder {encoderId}, but embedding set '{set}' is of encoder {manifest.EncoderId}; vectors of different encoders cannot be compared.");
        RequireDimension(manifest, table, query);
        if (k < 1) throw new BadRequestException($"{k} neighbours were asked for; expected at least 1.");
        using var index = SearchIndex.Find(store, set, level, grain);
        var removed = RemovedItems.Of(store, manifest.Corpus);
        return index is null ? Streamed(store, manifest, table, query.ToArray(), k, allowed, removed, stop) : Indexed(index, query, k, exact, allowed, removed);
    }

    internal static void RequireDimension(SetManifest set, SetTable table, ReadOnlySpan<float> query)
    {
        if (query.Length != table.Dimension) throw new BadRequestException($"The query has {query.Length} values; vectors of embedding set '{set.Name}', level {table.Level}, have {table.Dimension}.");
    }

    // The index may be older than a removal: more are asked for until enough are left.
    internal static SearchAnswer Indexed(SearchIndex index, ReadOnlySpan<float> query, int k, bool exact, ItemIdSet? allowed, RemovedItems removed)
    {
        for (var asked = k; ; asked *= 2)
        {
            var answer = index.Search(query, asked, exact: exact, allowed: allowed);
            var hits = answer.Hits.Where(hit => !removed.Contains(hit.ItemId)).Take(k).ToList();
            if (hits.Count == k || answer.Hits.Count < asked || asked > int.MaxValue / 2) return answer with { Hits = hits };
        }
    }

    /// <summary>The vector of an item (span 0) in the set.</summary>
    /// <exception cref="BadRequestException">The set has no vector of the item.</exception>
    public static float[] VectorOf(Store store, string set, string level, Grain grain, string itemId, CancellationToken stop = default)
    {
        var (manifest, table) = TableOf(store, set, level, grain);
        foreach (var block in Blocks(store, manifest, table))
        {
            stop.ThrowIfCancellationRequested();
            for (var row = 0; row < block.Rows; row++)
                if (block.ItemIds[row] == itemId) return block.Vectors.AsSpan(row * block.Dimension, block.Dimension).ToArray();
        }
        throw new BadRequestException($"Embedding set '{set}' holds no vector of item '{itemId}' at level {level} and grain {grain.ToString().ToLowerInvariant()}. `featureforge peek embeddings/{set}/level={level}/grain={grain.ToString().ToLowerInvariant()}` shows ids.");
    }

    internal static (SetManifest Set, SetTable Table) TableOf(Store store, string set, string level, Grain grain)
    {
        var manifest = store.Set(set);
        var table = manifest.Tables.FirstOrDefault(table => table.Level == level && table.Grain == grain)
            ?? throw new BadRequestException($"Embedding set '{set}' has no vectors of level {level} and grain {grain.ToString().ToLowerInvariant()}; it has: {string.Join(", ", manifest.Tables.Select(table => $"{table.Level}/{table.Grain.ToString().ToLowerInvariant()}"))}.");
        return (manifest, table);
    }

    /// <summary>The table's row groups, one in memory at a time.</summary>
    internal static IEnumerable<EmbeddingBlock> Blocks(Store store, SetManifest set, SetTable table)
    {
        foreach (var path in table.Parts.Select(part => store.FileOf(store.SetFolder(set.Name), part)))
        {
            var header = EmbeddingTable.ReadHeader(path);
            if (header.EncoderId != set.EncoderId)
                throw new BadRequestException($"Embedding set '{set.Name}' is of encoder {set.EncoderId}, but {path} holds vectors of encoder {header.EncoderId}; vectors of different encoders cannot be compared. Extract the set again.");
            foreach (var block in EmbeddingTable.Read(path)) yield return block;
        }
    }

    /// <summary>Between rows that are of unit length for cosine (or zero).</summary>
    internal static float Distance(ReadOnlySpan<float> a, ReadOnlySpan<float> b, VectorMetric metric) => metric == VectorMetric.Cosine
        ? Math.Clamp(1 - RowProducts.Dot(a, b), 0, 2)
        : MathF.Sqrt(RowProducts.SquaredDistance(a, b));

    private static SearchAnswer Streamed(Store store, SetManifest set, SetTable table, float[] query, int k, ItemIdSet? allowed, RemovedItems removed, CancellationToken stop)
    {
        var clock = Stopwatch.GetTimestamp();
        var metric = VectorMetrics.Parse(table.Metric);
        if (metric == VectorMetric.Cosine) RowProducts.ToUnitLength(query);
        var best = new NearestRows((int)Math.Min(k, Math.Max(1, table.Rows)));
        var items = new Dictionary<long, (string Item, int Span)>();
        long first = 0;
        foreach (var block in Blocks(store, set, table))
        {
            stop.ThrowIfCancellationRequested();
            for (var row = 0; row < block.Rows; row++)
            {
                if (removed.Contains(block.ItemIds[row]) || (allowed is not null && !allowed.Contains(block.ItemIds[row]))) continue;
                var vector = block.Vectors.AsSpan(row * block.Dimension, block.Dimension);
                if (metric == VectorMetric.Cosine) RowProducts.ToUnitLength(vector);
                best.Offer(first + row, Distance(query, vector, metric));
            }
            foreach (var (row, _) in best.Sorted())
                if (row >= first) items[row] = (block.ItemIds[(int)(row - first)], block.SpanIndex[(int)(row - first)]);
            first += block.Rows;
        }
        var hits = best.Sorted().Select(pair => new SearchHit(items[pair.Row].Item, items[pair.Row].Span, pair.Distance)).ToList();
        return new(hits, 1, first, Stopwatch.GetElapsedTime(clock).TotalMilliseconds);
    }
}
