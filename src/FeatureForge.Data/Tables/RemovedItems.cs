// Which items of a corpus are removed, and the one place that leaves them out: of rows, of vectors, and (through
// PreparedCorpus) of what training and extraction read.
namespace FeatureForge.Data;

/// <summary>The tombstones of one corpus version. Immutable; 16 bytes an id.</summary>
public sealed class RemovedItems
{
    private readonly ItemIdSet _ids;

    private RemovedItems(ItemIdSet ids) => _ids = ids;

    public int Count => _ids.Count;

    /// <summary>Those of the corpus as it is now; none when there is no such corpus.</summary>
    public static RemovedItems Of(Store store, string corpus) => store.FindCorpus(corpus) is { } manifest ? Of(store, manifest) : new(ItemIdSet.None);

    public static RemovedItems Of(Store store, CorpusManifest corpus) => new(ItemIdSet.Read(corpus.RemovalParts.Select(part => store.FileOf(store.CorpusFolder(corpus.Name), part))));

    public bool Contains(string itemId) => _ids.Contains(itemId);

    /// <param name="key">See <see cref="ItemIdSet.Key"/>.</param>
    public bool Contains(UInt128 key) => _ids.Contains(key);

    /// <summary>Rows of items that are not removed.</summary>
    public IAsyncEnumerable<ItemRow> Without(IAsyncEnumerable<ItemRow> rows) => _ids.Count == 0 ? rows : rows.Where(row => !Contains(row.ItemId));

    /// <summary>The block without vectors of removed items: itself when it has none.</summary>
    public EmbeddingBlock Without(EmbeddingBlock block)
    {
        if (_ids.Count == 0) return block;
        var kept = Enumerable.Range(0, block.Rows).Where(row => !Contains(block.ItemIds[row])).ToArray();
        if (kept.Length == block.Rows) return block;
        var vectors = new float[kept.Length * block.Dimension];
        for (var i = 0; i < kept.Length; i++) block.Vectors.AsSpan(kept[i] * block.Dimension, block.Dimension).CopyTo(vectors.AsSpan(i * block.Dimension));
        return new([.. kept.Select(row => block.ItemIds[row])], [.. kept.Select(row => block.SpanIndex[row])], [.. kept.Select(row => block.Spans[row])], vectors, block.Dimension);
    }
}
