// Items by id and by path, from the items tables of all corpora or of one.
using FeatureForge.Data;

namespace FeatureForge.Labelling;

/// <summary>What labelling needs to know of an item. Sizes are null where the modality has none.</summary>
internal sealed record KnownItem(string ItemId, string Corpus, Modality Modality, string Path, string SourceUri, string? NearDuplicateOf, int? Width, int? Height, int? DurationMs, string? Text);

internal static class KnownItems
{
    /// <summary>Which of these ids some corpus holds.</summary>
    internal static async Task<HashSet<string>> FindAsync(Store store, HashSet<string> itemIds, CancellationToken stop)
    {
        var found = new HashSet<string>(StringComparer.Ordinal);
        foreach (var corpus in store.Corpora())
            foreach (var part in corpus.ItemParts)
                await foreach (var group in ItemsTable.ReadKeysAsync(store.FileOf(store.CorpusFolder(corpus.Name), part), stop))
                    found.UnionWith(group.Where(key => itemIds.Contains(key.ItemId)).Select(key => key.ItemId));
        return found;
    }

    /// <summary>The items that <paramref name="wanted"/> accepts; null = all.</summary>
    internal static async Task<Dictionary<string, KnownItem>> ReadAsync(Store store, string? corpusName, Func<string, bool>? wanted, CancellationToken stop)
    {
        var items = new Dictionary<string, KnownItem>(StringComparer.Ordinal);
        foreach (var corpus in corpusName is null ? store.Corpora() : [store.Corpus(corpusName)])
        {
            var removed = RemovedItems.Of(store, corpus);
            foreach (var part in corpus.ItemParts)
                await foreach (var row in removed.Without(ItemsTable.ReadAsync(store.FileOf(store.CorpusFolder(corpus.Name), part), withContent: false, stop)))
                    if (wanted?.Invoke(row.ItemId) ?? true)
                        items.TryAdd(row.ItemId, new(row.ItemId, corpus.Name, row.Modality, row.Path, row.SourceUri, row.NearDuplicateOf, row.Width, row.Height, row.DurationMs, row.Text));
        }
        return items;
    }
}
