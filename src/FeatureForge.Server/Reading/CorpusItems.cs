// Where each item of a corpus lies in its Parquet parts: ids and modalities only, 17 bytes an item.
using FeatureForge.Data;

namespace FeatureForge.Server;

/// <summary>A row of an items part: part number in the manifest, row group, row in the group.</summary>
public readonly record struct ItemPlace(int Part, int Group, int Row);

/// <summary>The ids of one corpus version, in part order. Immutable.</summary>
public sealed class CorpusItems
{
    /// <summary>Stands for the modality of an item that was removed from the corpus.</summary>
    private const byte RemovedItem = byte.MaxValue;

    private readonly IReadOnlyList<PartIds> _parts;

    private CorpusItems(IReadOnlyList<PartIds> parts) => _parts = parts;

    /// <summary>Bytes this index holds.</summary>
    public long Weight => _parts.Sum(part => 17L * part.Ids.Length + 200);

    /// <summary>Reads the id and modality columns of every part.</summary>
    public static async Task<CorpusItems> LoadAsync(Store store, CorpusManifest corpus, CancellationToken stop)
    {
        var parts = new List<PartIds>();
        var removed = RemovedItems.Of(store, corpus);
        foreach (var part in corpus.ItemParts)
        {
            var ids = new List<UInt128>();
            var modalities = new List<byte>();
            var groupStarts = new List<int>();
            await foreach (var group in ItemsTable.ReadKeysAsync(store.FileOf(store.CorpusFolder(corpus.Name), part), stop))
            {
                groupStarts.Add(ids.Count);
                foreach (var (id, modality) in group)
                {
                    var key = ItemIdSet.Key(id);
                    ids.Add(key);
                    modalities.Add(removed.Contains(key) ? RemovedItem : (byte)modality);
                }
            }
            parts.Add(new([.. ids], [.. modalities], groupStarts));
        }
        return new(parts);
    }

    /// <summary>Where the item lies, or null when the corpus has no such item.</summary>
    public ItemPlace? Find(string itemId)
    {
        var id = ItemIdSet.Key(itemId);
        for (var part = 0; part < _parts.Count; part++)
        {
            var row = Array.BinarySearch(_parts[part].Ids, id);
            if (row >= 0 && _parts[part].Modalities[row] != RemovedItem) return _parts[part].Place(part, row);
        }
        return null;
    }

    /// <summary>Items of one modality (of all when null) among those allowed (all when null).</summary>
    public long Count(Modality? modality, ItemIdSet? allowed) => _parts.Sum(part => (long)Enumerable.Range(0, part.Ids.Length).Count(row => Shows(part, row, modality, allowed)));

    /// <summary>Those items [first, first + count), in part order.</summary>
    public IReadOnlyList<ItemPlace> Page(Modality? modality, ItemIdSet? allowed, long first, int count)
    {
        var page = new List<ItemPlace>(count);
        for (var part = 0; part < _parts.Count && page.Count < count; part++)
        {
            for (var row = 0; row < _parts[part].Ids.Length && page.Count < count; row++)
            {
                if (!Shows(_parts[part], row, modality, allowed)) continue;
                if (first-- <= 0) page.Add(_parts[part].Place(part, row));
            }
        }
        return page;
    }

    private static bool Shows(PartIds part, int row, Modality? modality, ItemIdSet? allowed) =>
        part.Modalities[row] != RemovedItem && (modality is null || part.Modalities[row] == (byte)modality) && allowed?.Contains(part.Ids[row]) != false;

    private sealed record PartIds(UInt128[] Ids, byte[] Modalities, List<int> GroupStarts)
    {
        internal ItemPlace Place(int part, int row)
        {
            var group = GroupStarts.BinarySearch(row);
            if (group < 0) group = ~group - 1;
            return new(part, group, row - GroupStarts[group]);
        }
    }
}
