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
        Values = [.. rows.SelectMany(row => Values[(row * Dimension)..((row + 1) * Dimension)])],
    };

    internal ReadOnlySpan<float> this[int row] => Values.AsSpan(row * Dimension, Dimension);

    /// <exception cref="BadRequestException">No such set, level or grain; nothing in it; or too much for one machine's memory.</exception>
    internal static SetVectors Read(Store store, string setName, string level, Grain grain, CancellationToken stop)
    {
        if (level.Contains('+', StringComparison.Ordinal)) return SideBySide(level, [.. level.Split('+').Select(one => Read(store, setName, one, grain, stop))]);
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
                block.Vectors.CopyTo(values, itemIds.Count * table.Dimension);
                itemIds.AddRange(block.ItemIds);
                spanIndex.AddRange(block.SpanIndex);
                spans.AddRange(block.Spans);
            }
        }
        if (read != table.Rows)
            throw new InvalidDataException($"Embedding set '{setName}', level {level}: the manifest lists {table.Rows} vectors, its parts hold {read}. Run `featureforge store verify`.");
        if (itemIds.Count == 0) throw new BadRequestException($"Embedding set '{setName}': every item of it has been removed from corpus '{set.Corpus}'; there is nothing to cluster.");
        if (itemIds.Count < table.Rows) Array.Resize(ref values, itemIds.Count * table.Dimension);
        var metric = VectorMetrics.Parse(table.Metric);
        return Ordered(new(set, level, grain, metric, table.Dimension, [.. itemIds], [.. spanIndex], [.. spans], values));
    }

    // Each level is scaled to a mean squared length of 1 / levels: all have the same say, whatever their dimension and scale.
    private static SetVectors SideBySide(string level, SetVectors[] levels)
    {
        var first = levels[0];
        var numbers = levels.Select(one => Enumerable.Range(0, one.Rows).ToDictionary(row => (one.ItemIds[row], one.SpanIndex[row]))).ToArray();
        var rows = Enumerable.Range(0, first.Rows).Where(row => numbers.All(number => number.ContainsKey((first.ItemIds[row], first.SpanIndex[row])))).ToArray();
        if (rows.Length == 0) throw new BadRequestException($"Embedding set '{first.Set.Name}': levels {level} have no vector in common. Extract the set again.");
        var dimension = levels.Sum(one => one.Dimension);
        var values = new float[(long)rows.Length * dimension];
        var offset = 0;
        for (var l = 0; l < levels.Length; l++)
        {
            var one = levels[l];
            double squares = 0;
            for (var row = 0; row < one.Rows; row++) squares += Geometry.Dot(one[row], one[row]);
            var scale = squares > 0 ? (float)Math.Sqrt(one.Rows / squares / levels.Length) : 1;
            for (var i = 0; i < rows.Length; i++)
            {
                var from = one[numbers[l][(first.ItemIds[rows[i]], first.SpanIndex[rows[i]])]];
                var to = values.AsSpan(i * dimension + offset, one.Dimension);
                for (var d = 0; d < to.Length; d++) to[d] = from[d] * scale;
            }
            offset += one.Dimension;
        }
        var metric = levels.All(one => one.Metric == VectorMetric.Cosine) ? VectorMetric.Cosine : VectorMetric.L2;
        if (metric == VectorMetric.Cosine)
            for (var row = 0; row < rows.Length; row++) Geometry.ToUnitLength(values.AsSpan(row * dimension, dimension));
        return new(first.Set, level, first.Grain, metric, dimension, Array.ConvertAll(rows, row => first.ItemIds[row]), Array.ConvertAll(rows, row => first.SpanIndex[row]),
            Array.ConvertAll(rows, row => first.Spans[row]), values)
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
        var leftOut = order.Where(row => read[row].IndexOfAnyExceptInRange(float.MinValue, float.MaxValue) >= 0).ToHashSet();
        if (leftOut.Count > 0) order = [.. order.Where(row => !leftOut.Contains(row))];
        if (order.Length == 0) throw new BadRequestException($"Embedding set '{read.Set.Name}', level {read.Level}: none of its {read.Rows} vectors is finite. Extract the set again.");
        var values = new float[order.Length * read.Dimension];
        for (var row = 0; row < order.Length; row++)
        {
            var target = values.AsSpan(row * read.Dimension, read.Dimension);
            read[order[row]].CopyTo(target);
            if (read.Metric == VectorMetric.Cosine) Geometry.ToUnitLength(target);
        }
        return read with
        {
            LeftOut = [.. leftOut.Order().Select(row => read.ItemIds[row])],
            ItemIds = [.. order.Select(row => read.ItemIds[row])],
            SpanIndex = [.. order.Select(row => read.SpanIndex[row])],
            Spans = [.. order.Select(row => read.Spans[row])],
            Values = values,
        };
    }
}
