// The vectors of a set as Arrow record batches: item_id, span_index, vector. Items that were removed from the corpus are left out.
using Apache.Arrow;
using Apache.Arrow.Types;
using FeatureForge.Data;

namespace FeatureForge.Server;

/// <summary>One table of an embedding set, to be sent elsewhere.</summary>
internal sealed class VectorBatches
{
    // Clients of gRPC refuse messages of more than 4 MB unless they are told otherwise.
    private const int BytesPerBatch = 2 << 20;

    private readonly Store _store;
    private readonly SetManifest _set;
    private readonly RemovedItems _removed;

    private VectorBatches(Store store, SetManifest set, SetTable table)
    {
        (_store, _set, Table, _removed) = (store, set, table, RemovedItems.Of(store, set.Corpus));
        Schema = new([new("item_id", StringType.Default, false), new("span_index", Int32Type.Default, false), new("vector", new FixedSizeListType(new Field("element", FloatType.Default, false), table.Dimension), false)],
            new Dictionary<string, string> { ["featureforge.encoder_id"] = set.EncoderId, ["featureforge.level"] = table.Level, ["featureforge.metric"] = table.Metric });
    }

    internal SetTable Table { get; }
    internal Schema Schema { get; }

    /// <summary>Rows in all batches together; null when some are left out.</summary>
    internal long? Rows => _removed.Count == 0 ? Table.Rows : null;

    /// <summary>Null: there is no such set.</summary>
    /// <exception cref="BadRequestException">The set has no such level and grain.</exception>
    internal static VectorBatches? Find(Store store, string name, string level, Grain grain)
    {
        if (Names.Problem("set", name) is not null || store.FindSet(name) is not { } set) return null;
        return new(store, set, set.Tables.FirstOrDefault(table => table.Level == level && table.Grain == grain)
            ?? throw new BadRequestException($"Embedding set '{name}' has no vectors of level {level} and grain {grain.ToString().ToLowerInvariant()}."));
    }

    internal static IEnumerable<VectorBatches> All(Store store, SetManifest set) => set.Tables.Select(table => new VectorBatches(store, set, table));

    /// <summary>The batches of some parts, in order; whoever takes one disposes of it.</summary>
    internal IEnumerable<RecordBatch> Read(IEnumerable<PartFile> parts)
    {
        var most = Math.Max(1, BytesPerBatch / (Table.Dimension * sizeof(float)));
        foreach (var block in parts.SelectMany(part => EmbeddingTable.Read(_store.FileOf(_store.SetFolder(_set.Name), part))).Select(_removed.Without))
            for (var first = 0; first < block.Rows; first += most)
                yield return Batch(block, first, Math.Min(most, block.Rows - first));
    }

    private RecordBatch Batch(EmbeddingBlock block, int first, int rows)
    {
        var ids = new StringArray.Builder();
        var spans = new Int32Array.Builder();
        for (var row = first; row < first + rows; row++)
        {
            ids.Append(block.ItemIds[row]);
            spans.Append(block.SpanIndex[row]);
        }
        var bytes = System.Runtime.InteropServices.MemoryMarshal.AsBytes(block.Vectors.AsSpan(first * block.Dimension, rows * block.Dimension)).ToArray();
        var values = new FloatArray(new ArrowBuffer(bytes), ArrowBuffer.Empty, rows * block.Dimension, 0, 0);
        var vectors = new FixedSizeListArray(new ArrayData(Schema.GetFieldByName("vector").DataType, rows, 0, 0, [ArrowBuffer.Empty], [values.Data]));
        return new(Schema, [ids.Build(), spans.Build(), vectors], rows);
    }
}
