// The item vectors of one level of an embedding set in memory, in the order of item_id; what queue, propagation and heads compute on.
using FeatureForge.Data;
using FeatureForge.Tensors;

namespace FeatureForge.Labelling;

/// <summary>Vectors by item. For the cosine metric they are scaled to unit length. Values are row-major: [items, dimension].</summary>
public sealed class LabelVectors
{
    private readonly Dictionary<string, int> _rowOf;

    internal LabelVectors(string set, string encoderId, string level, VectorMetric metric, int dimension, string[] itemIds, float[] values)
    {
        (Set, EncoderId, Level, Metric, Dimension, ItemIds, Values) = (set, encoderId, level, metric, dimension, itemIds, values);
        _rowOf = new(itemIds.Length, StringComparer.Ordinal);
        for (var row = 0; row < itemIds.Length; row++) _rowOf[itemIds[row]] = row;
        if (metric == VectorMetric.Cosine)
            for (var row = 0; row < itemIds.Length; row++) ToUnitLength(values.AsSpan(row * dimension, dimension));
    }

    public string Set { get; }
    public string EncoderId { get; }
    public string Level { get; }
    public VectorMetric Metric { get; }
    public int Dimension { get; }
    public IReadOnlyList<string> ItemIds { get; }
    internal float[] Values { get; }
    public int Rows => ItemIds.Count;

    internal ReadOnlySpan<float> this[int row] => Values.AsSpan(row * Dimension, Dimension);

    /// <summary>The item's row, or -1.</summary>
    public int RowOf(string itemId) => _rowOf.GetValueOrDefault(itemId, -1);

    /// <summary>Reads the item grain of a level.</summary>
    /// <exception cref="BadRequestException">No such set or level; nothing in it; vectors of another encoder; or too much for memory.</exception>
    public static LabelVectors Read(Store store, string setName, string level, CancellationToken stop)
    {
        var set = store.Set(setName);
        var table = set.Tables.FirstOrDefault(table => table.Level == level && table.Grain == Grain.Item)
            ?? throw new BadRequestException($"Embedding set '{setName}' has no vectors of level {level} and grain item, which labelling works on; it has: {string.Join(", ", set.Tables.Select(table => $"{table.Level}/{table.Grain.ToString().ToLowerInvariant()}"))}. Extract it with --grains item.");
        if (table.Rows == 0) throw new BadRequestException($"Embedding set '{setName}' holds no vectors of level {level}; there is nothing to label.");
        if (table.Rows * table.Dimension > Array.MaxLength)
            throw new BadRequestException($"Embedding set '{setName}' holds {table.Rows} vectors of {table.Dimension} values; expected at most {Array.MaxLength / table.Dimension} vectors.");
        var itemIds = new List<string>((int)table.Rows);
        var values = new float[table.Rows * table.Dimension];
        var (removed, read) = (RemovedItems.Of(store, set.Corpus), 0L);
        foreach (var part in table.Parts)
        {
            var path = store.FileOf(store.SetFolder(setName), part);
            if (EmbeddingTable.ReadHeader(path).EncoderId is var stamp && stamp != set.EncoderId)
                throw new BadRequestException($"Embedding set '{setName}' is of encoder {set.EncoderId}, but {path} holds vectors of encoder {stamp}; vectors of different encoders cannot be compared. Extract the set again.");
            foreach (var stored in EmbeddingTable.Read(path))
            {
                stop.ThrowIfCancellationRequested();
                read += stored.Rows;
                var block = removed.Without(stored);
                block.Vectors.CopyTo(values, itemIds.Count * table.Dimension);
                itemIds.AddRange(block.ItemIds);
            }
        }
        if (read != table.Rows)
            throw new InvalidDataException($"Embedding set '{setName}', level {level}: the manifest lists {table.Rows} vectors, its parts hold {read}. Run `featureforge store verify`.");
        if (itemIds.Count < table.Rows) Array.Resize(ref values, itemIds.Count * table.Dimension);
        return Of(setName, set.EncoderId, level, VectorMetrics.Parse(table.Metric), table.Dimension, itemIds, values);
    }

    /// <summary>Vectors in any order become vectors in the order of item_id.</summary>
    internal static LabelVectors Of(string set, string encoderId, string level, VectorMetric metric, int dimension, IReadOnlyList<string> itemIds, float[] values)
    {
        var order = Enumerable.Range(0, itemIds.Count).ToArray();
        Array.Sort(order, (a, b) => string.CompareOrdinal(itemIds[a], itemIds[b]));
        var sorted = new float[values.Length];
        for (var row = 0; row < order.Length; row++) values.AsSpan(order[row] * dimension, dimension).CopyTo(sorted.AsSpan(row * dimension));
        return new(set, encoderId, level, metric, dimension, [.. order.Select(row => itemIds[row])], sorted);
    }

    /// <summary>Some of the rows, in the order given.</summary>
    internal float[] Gather(IReadOnlyList<int> rows)
    {
        var values = new float[(long)rows.Count * Dimension];
        for (var i = 0; i < rows.Count; i++) this[rows[i]].CopyTo(values.AsSpan(i * Dimension, Dimension));
        return values;
    }

    private static void ToUnitLength(Span<float> vector)
    {
        double squares = 0;
        foreach (var value in vector) squares += (double)value * value;
        if (squares < 1e-24 || !double.IsFinite(squares)) return;
        var scale = (float)(1 / Math.Sqrt(squares));
        for (var d = 0; d < vector.Length; d++) vector[d] *= scale;
    }
}
