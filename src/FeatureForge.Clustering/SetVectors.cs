// All vectors of one level and grain of an embedding set in memory, in the order (item_id, span_index) whatever the parts.
using FeatureForge.Data;
using FeatureForge.Tensors;

namespace FeatureForge.Clustering;

/// <summary>
/// The rows to cluster or map. For the cosine metric they are scaled to unit length; for l2 they are left as they are,
/// since the level's own metric says how they compare.
/// </summary>
internal sealed record SetVectors(SetManifest Set, string Level, Grain Grain, VectorMetric Metric, int Dimension,
    string[] ItemIds, int[] SpanIndex, ItemSpan[] Spans, float[] Values)
{
    internal int Rows => ItemIds.Length;

    internal ReadOnlySpan<float> this[int row] => Values.AsSpan(row * Dimension, Dimension);

    /// <exception cref="BadRequestException">No such set, level or grain; nothing in it; or too much for one machine's memory.</exception>
    internal static SetVectors Read(Store store, string setName, string level, Grain grain, CancellationToken stop)
    {
        var set = store.Set(setName);
        var table = set.Tables.FirstOrDefault(table => table.Level == level && table.Grain == grain)
            ?? throw new BadRequestException($"Embedding set '{setName}' has no vectors of level {level} and grain {Word(grain)}; it has: {string.Join(", ", set.Tables.Select(table => $"{table.Level}/{Word(table.Grain)}"))}.");
        if (table.Rows == 0) throw new BadRequestException($"Embedding set '{setName}' holds no vectors of level {level} and grain {Word(grain)}; there is nothing to cluster.");
        if (table.Rows * table.Dimension > Array.MaxLength)
            throw new BadRequestException($"Embedding set '{setName}' holds {table.Rows} vectors of {table.Dimension} values; expected at most {Array.MaxLength / table.Dimension} vectors. Cluster the item grain, or a part of the corpus.");

        var itemIds = new List<string>((int)table.Rows);
        var spanIndex = new List<int>((int)table.Rows);
        var spans = new List<ItemSpan>((int)table.Rows);
        var values = new float[table.Rows * table.Dimension];
        foreach (var part in table.Parts)
        {
            var path = Path.Combine(store.SetFolder(setName), part.Path);
            RequireSameEncoder(set, path);
            foreach (var block in EmbeddingTable.Read(path))
            {
                stop.ThrowIfCancellationRequested();
                block.Vectors.CopyTo(values, itemIds.Count * table.Dimension);
                itemIds.AddRange(block.ItemIds);
                spanIndex.AddRange(block.SpanIndex);
                spans.AddRange(block.Spans);
            }
        }
        if (itemIds.Count != table.Rows)
            throw new InvalidDataException($"Embedding set '{setName}', level {level}: the manifest lists {table.Rows} vectors, its parts hold {itemIds.Count}. Run `featureforge store verify`.");
        var metric = VectorMetrics.Parse(table.Metric);
        return Ordered(new(set, level, grain, metric, table.Dimension, [.. itemIds], [.. spanIndex], [.. spans], values));
    }

    private static string Word(Grain grain) => grain.ToString().ToLowerInvariant();

    private static void RequireSameEncoder(SetManifest set, string path)
    {
        var header = EmbeddingTable.ReadHeader(path);
        if (header.EncoderId != set.EncoderId)
            throw new BadRequestException($"Embedding set '{set.Name}' is of encoder {set.EncoderId}, but {path} holds vectors of encoder {header.EncoderId}; vectors of different encoders cannot be compared. Extract the set again.");
    }

    private static SetVectors Ordered(SetVectors read)
    {
        var order = Enumerable.Range(0, read.Rows).ToArray();
        Array.Sort(order, (a, b) =>
        {
            var byItem = string.CompareOrdinal(read.ItemIds[a], read.ItemIds[b]);
            return byItem != 0 ? byItem : read.SpanIndex[a].CompareTo(read.SpanIndex[b]);
        });
        var values = new float[read.Values.Length];
        for (var row = 0; row < order.Length; row++)
        {
            var target = values.AsSpan(row * read.Dimension, read.Dimension);
            read[order[row]].CopyTo(target);
            if (read.Metric == VectorMetric.Cosine) Geometry.ToUnitLength(target);
        }
        return read with
        {
            ItemIds = [.. order.Select(row => read.ItemIds[row])],
            SpanIndex = [.. order.Select(row => read.SpanIndex[row])],
            Spans = [.. order.Select(row => read.Spans[row])],
            Values = values,
        };
    }
}
