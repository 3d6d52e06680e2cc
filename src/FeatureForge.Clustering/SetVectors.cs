// All vectors of one level and grain of an embedding set, in the order (item_id, span_index) whatever the parts; what names them is in memory, 200 bytes
// a row, the values are too unless they are larger than that allows.
using FeatureForge.Data;
using FeatureForge.Tensors;

namespace FeatureForge.Clustering;

/// <summary>
/// The rows to cluster or map. For the cosine metric they are scaled to unit length; for l2 they are left as they are,
/// since the level's own metric says how they compare.
/// </summary>
internal sealed record SetVectors(SetManifest Set, string Level, Grain Grain, VectorMetric Metric, int Dimension,
    string[] ItemIds, int[] SpanIndex, ItemSpan[] Spans, VectorRows Values)
{
    internal int Rows => ItemIds.Length;

    /// <summary>Items with vectors that are not finite: such vectors compare with nothing and are left out.</summary>
    internal IReadOnlyList<string> LeftOut { get; private init; } = [];

    internal void SayWhatIsLeftOut(RunContext context)
    {
        if (LeftOut.Count > 0)
            context.Warning($"{LeftOut.Count} vectors of level {Level} are not finite and are left out, of items {string.Join(", ", LeftOut.Take(5))}{(LeftOut.Count > 5 ? ", ..." : "")}. Extract set '{Set.Name}' again.");
    }

    /// <summary>Some rows, ascending.</summary>
    internal SetVectors Of(int[] rows) => this with
    {
        ItemIds = Array.ConvertAll(rows, row => ItemIds[row]),
        SpanIndex = Array.ConvertAll(rows, row => SpanIndex[row]),
        Spans = Array.ConvertAll(rows, row => Spans[row]),
        Values = new(Values.Gather(rows), Dimension),
    };

    internal ReadOnlySpan<float> this[int row] => Values[row];

    /// <param name="scratch">A folder for values that are more than memory allows; null: they must fit.</param>
    /// <param name="metric">How they are to compare; null: as the level says.</param>
    /// <exception cref="BadRequestException">No such set, level or grain; nothing in it; or too much for one machine's memory.</exception>
    internal static SetVectors Read(Store store, string setName, string level, Grain grain, CancellationToken stop, string? scratch = null, VectorMetric? metric = null)
    {
        if (level.Contains('+', StringComparison.Ordinal)) return SideBySide(level, [.. level.Split('+').Select(one => Read(store, setName, one, grain, stop, scratch, metric))], scratch);
        var set = store.Set(setName);
        var table = set.Tables.FirstOrDefault(table => table.Level == level && table.Grain == grain)
            ?? throw new BadRequestException($"Embedding set '{setName}' has no vectors of level {level} and grain {Word(grain)}; it has: {string.Join(", ", set.Tables.Select(table => $"{table.Level}/{Word(table.Grain)}"))}.");
        if (table.Rows == 0) throw new BadRequestException($"Embedding set '{setName}' holds no vectors of level {level} and grain {Word(grain)}; there is nothing to cluster.");
        if (scratch is null ? table.Rows * table.Dimension > Array.MaxLength : table.Rows > Array.MaxLength)
            throw new BadRequestException($"Embedding set '{setName}' holds {table.Rows} vectors of {table.Dimension} values; expected at most {Array.MaxLength / (scratch is null ? table.Dimension : 1)} vectors. Cluster the item grain, or a part of the corpus.");

        var itemIds = new List<string>((int)table.Rows);
        var spanIndex = new List<int>((int)table.Rows);
        var spans = new List<ItemSpan>((int)table.Rows);
        var leftOut = new List<string>();
        var compared = metric ?? VectorMetrics.Parse(table.Metric);
        var row = new float[table.Dimension];
        using var values = new VectorRows.Writer(table.Rows, table.Dimension, scratch);
        var (removed, read) = (RemovedItems.Of(store, set.Corpus), 0L);
        foreach (var part in table.Parts)
        {
            var path = store.FileOf(store.SetFolder(setName), part);
            RequireSameEncoder(set, path);
            foreach (var stored in EmbeddingTable.Read(path))
            {
                stop.ThrowIfCancellationRequested();
                read += stored.Rows;
                var block = removed.Without(stored);
                for (var i = 0; i < block.Rows; i++)
                {
                    block.Vectors.AsSpan(i * table.Dimension, table.Dimension).CopyTo(row);
                    if (row.AsSpan().IndexOfAnyExceptInRange(float.MinValue, float.MaxValue) >= 0)
                    {
                        leftOut.Add(block.ItemIds[i]);
                        continue;
                    }
                    if (compared == VectorMetric.Cosine) Geometry.ToUnitLength(row);
                    values.Add(row);
                    itemIds.Add(block.ItemIds[i]);
                    spanIndex.Add(block.SpanIndex[i]);
                    spans.Add(block.Spans[i]);
                }
            }
        }
        if (read != table.Rows)
            throw new InvalidDataException($"Embedding set '{setName}', level {level}: the manifest lists {table.Rows} vectors, its parts hold {read}. Run `featureforge store verify`.");
        if (itemIds.Count == 0 && leftOut.Count > 0) throw new BadRequestException($"Embedding set '{setName}', level {level}: none of its {leftOut.Count} vectors is finite. Extract the set again.");
        if (itemIds.Count == 0) throw new BadRequestException($"Embedding set '{setName}': every item of it has been removed from corpus '{set.Corpus}'; there is nothing to cluster.");
        return Ordered(new(set, level, grain, compared, table.Dimension, [.. itemIds], [.. spanIndex], [.. spans], values.ToRows()) { LeftOut = [.. leftOut.Order(StringComparer.Ordinal)] });
    }

    // Each level is scaled to a mean squared length of 1 / levels: all have the same say, whatever their dimension and scale.
    private static SetVectors SideBySide(string level, SetVectors[] levels, string? scratch)
    {
        var first = levels[0];
        var numbers = levels.Select(one => Enumerable.Range(0, one.Rows).ToDictionary(row => (one.ItemIds[row], one.SpanIndex[row]))).ToArray();
        var rows = Enumerable.Range(0, first.Rows).Where(row => numbers.All(number => number.ContainsKey((first.ItemIds[row], first.SpanIndex[row])))).ToArray();
        if (rows.Length == 0) throw new BadRequestException($"Embedding set '{first.Set.Name}': levels {level} have no vector in common. Extract the set again.");
        var dimension = levels.Sum(one => one.Dimension);
        var metric = levels.All(one => one.Metric == VectorMetric.Cosine) ? VectorMetric.Cosine : VectorMetric.L2;
        var scales = levels.Select(one =>
        {
            double squares = 0;
            for (var row = 0; row < one.Rows; row++) squares += Geometry.Dot(one[row], one[row]);
            return squares > 0 ? (float)Math.Sqrt(one.Rows / squares / levels.Length) : 1;
        }).ToArray();
        var together = new float[dimension];
        using var values = new VectorRows.Writer(rows.Length, dimension, scratch);
        foreach (var row in rows)
        {
            var offset = 0;
            for (var l = 0; l < levels.Length; l++)
            {
                var from = levels[l][numbers[l][(first.ItemIds[row], first.SpanIndex[row])]];
                for (var d = 0; d < from.Length; d++) together[offset + d] = from[d] * scales[l];
                offset += from.Length;
            }
            if (metric == VectorMetric.Cosine) Geometry.ToUnitLength(together);
            values.Add(together);
        }
        return new(first.Set, level, first.Grain, metric, dimension, Array.ConvertAll(rows, row => first.ItemIds[row]), Array.ConvertAll(rows, row => first.SpanIndex[row]),
            Array.ConvertAll(rows, row => first.Spans[row]), values.ToRows())
        { LeftOut = [.. levels.SelectMany(one => one.LeftOut).Distinct()] };
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
        return read with
        {
            ItemIds = [.. order.Select(row => read.ItemIds[row])],
            SpanIndex = [.. order.Select(row => read.SpanIndex[row])],
            Spans = [.. order.Select(row => read.Spans[row])],
            Values = read.Values.InOrder(order),
        };
    }
}
