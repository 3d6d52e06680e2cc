// Reads items for pages and media: row groups of the items table through one bounded cache.
using FeatureForge.Clustering;
using FeatureForge.Data;

namespace FeatureForge.Server;

/// <summary>Items by id and by page. Thread-safe; memory is bounded however large the corpora are.</summary>
public sealed class ItemReader(Store store)
{
    private readonly BoundedCache<(string Corpus, string RunId, int Version), CorpusItems> _indexes = new(256L << 20, index => index.Weight);
    private readonly BoundedCache<(string Corpus, string RunId, int Version, string Where), ItemIdSet> _filtered = new(64L << 20, ids => 40L * ids.Count + 1000);
    private readonly BoundedCache<GroupKey, IReadOnlyList<ItemRow>> _groups = new(256L << 20, rows => rows.Sum(Weight));

    /// <summary>The item, or null when the corpus has none with this id.</summary>
    public async Task<ItemRow?> FindAsync(CorpusManifest corpus, string itemId, bool withContent, CancellationToken stop)
    {
        var index = await IndexAsync(corpus, stop);
        return index.Find(itemId) is { } place ? await RowAsync(corpus, place, withContent, stop) : null;
    }

    /// <summary>The items that exist, in the order of the ids.</summary>
    public async Task<IReadOnlyList<ItemRow>> FindAllAsync(CorpusManifest corpus, IEnumerable<string> itemIds, CancellationToken stop)
    {
        var index = await IndexAsync(corpus, stop);
        var rows = new List<ItemRow>();
        foreach (var id in itemIds)
            if (index.Find(id) is { } place) rows.Add(await RowAsync(corpus, place, withContent: false, stop));
        return rows;
    }

    /// <summary>The ids for which a condition holds, as <see cref="ItemFilter"/> reads it; null when there is none.</summary>
    /// <exception cref="BadRequestException">It cannot be understood, or names a selection that does not exist.</exception>
    public async Task<ItemIdSet?> FilterAsync(CorpusManifest corpus, string? where, CancellationToken stop)
    {
        if (string.IsNullOrWhiteSpace(where)) return null;
        var filter = ItemFilter.Parse(where);
        return await _filtered.GetAsync((corpus.Name, corpus.RunId, corpus.Version, where + filter.Versions(store)), async () => await filter.ItemsAsync(store, corpus.Name, CancellationToken.None), stop);
    }

    /// <summary>Items of a modality (of all when null) among those allowed (all when null).</summary>
    public async Task<long> CountAsync(CorpusManifest corpus, Modality? modality, ItemIdSet? allowed, CancellationToken stop) => (await IndexAsync(corpus, stop)).Count(modality, allowed);

    /// <summary>Those items [first, first + count), without content.</summary>
    public async Task<IReadOnlyList<ItemRow>> PageAsync(CorpusManifest corpus, Modality? modality, ItemIdSet? allowed, long first, int count, CancellationToken stop)
    {
        var index = await IndexAsync(corpus, stop);
        var rows = new List<ItemRow>(count);
        foreach (var place in index.Page(modality, allowed, first, count)) rows.Add(await RowAsync(corpus, place, withContent: false, stop));
        return rows;
    }

    /// <summary>Path of the items part that holds the item, as its manifest has it; null when there is no such item.</summary>
    public async Task<string?> PartOfAsync(CorpusManifest corpus, string itemId, CancellationToken stop)
    {
        var index = await IndexAsync(corpus, stop);
        return index.Find(itemId) is { } place ? corpus.ItemParts[place.Part].Path : null;
    }

    private Task<CorpusItems> IndexAsync(CorpusManifest corpus, CancellationToken stop) => _indexes.GetAsync(
        (corpus.Name, corpus.RunId, corpus.Version), () => CorpusItems.LoadAsync(store, corpus, CancellationToken.None), stop);

    private async Task<ItemRow> RowAsync(CorpusManifest corpus, ItemPlace place, bool withContent, CancellationToken stop)
    {
        var part = corpus.ItemParts[place.Part];
        var path = store.FileOf(store.CorpusFolder(corpus.Name), part);
        var group = await _groups.GetAsync(new(corpus.Name, part.Sha256, place.Group, withContent),
            () => ItemsTable.ReadGroupAsync(path, place.Group, withContent, CancellationToken.None), stop);
        return group[place.Row];
    }

    private static long Weight(ItemRow row) => 600 + (row.Content?.Length ?? 0) + 2L * ((row.Text?.Length ?? 0) + row.Path.Length + row.Metadata.Length);

    private sealed record GroupKey(string Corpus, string PartSha256, int Group, bool WithContent);
}
