// A run of rows of an embeddings table, as host arrays.
namespace FeatureForge.Data;

/// <summary>What every row of one embeddings file shares; also the file's key-values.</summary>
/// <param name="Dtype">float32 or float16.</param>
public sealed record EmbeddingHeader(Modality Modality, string EncoderId, string PreprocessingId, string Level, Grain Grain,
    int Dimension, string Metric, string Dtype = "float32");

/// <summary>Rows of one embeddings table, in the order (item_id, span_index). Vectors are row-major: [rows, dimension].</summary>
public sealed record EmbeddingBlock
{
    public EmbeddingBlock(IReadOnlyList<string> itemIds, IReadOnlyList<int> spanIndex, IReadOnlyList<ItemSpan> spans, float[] vectors, int dimension)
    {
        if (spanIndex.Count != itemIds.Count || spans.Count != itemIds.Count || vectors.Length != (long)itemIds.Count * dimension)
            throw new ArgumentException($"Expected {itemIds.Count} spans and {itemIds.Count} x {dimension} values, found {spans.Count} spans and {vectors.Length} values.");
        (ItemIds, SpanIndex, Spans, Vectors, Dimension) = (itemIds, spanIndex, spans, vectors, dimension);
    }

    public IReadOnlyList<string> ItemIds { get; }
    /// <summary>0 for the item grain; 0, 1, 2… along the item for the others.</summary>
    public IReadOnlyList<int> SpanIndex { get; }
    public IReadOnlyList<ItemSpan> Spans { get; }
    public float[] Vectors { get; }
    public int Dimension { get; }
    public int Rows => ItemIds.Count;
}
