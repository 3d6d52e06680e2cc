// One item's prepared form: decoded when it was ingested, so nothing foreign is decoded here.
using FeatureForge.Data;

namespace FeatureForge.Server;

/// <summary>An open prepared part and an item's number in it. Dispose it.</summary>
public sealed class PreparedItem : IDisposable
{
    private readonly PreparedCorpus _part;
    private readonly int _number;

    private PreparedItem(PreparedCorpus part, int number) => (_part, _number) = (part, number);

    public PreparationSpec Preparation => _part.Preparation;
    public int SampleCount => _part.SampleCount(_number);

    /// <summary>Copies samples from <paramref name="start"/> on.</summary>
    public void ReadSamples(int start, Span<short> target) => _part.ReadSamples(_number, start, target);

    /// <summary>Maps the one prepared part that was made from the item's part; null when the item was not prepared.</summary>
    /// <param name="itemsPart">Path of the items part in its manifest.</param>
    public static PreparedItem? Open(Store store, CorpusManifest corpus, Modality modality, string itemsPart, string itemId)
    {
        if (!corpus.Preparations.TryGetValue(modality, out var preparation)) return null;
        if (PreparedCorpus.FindManifest(store, corpus.Name, preparation) is not { } manifest) return null;
        var parts = manifest.Parts.Where(part => PreparedCorpus.NumberOf(part.Path) == PreparedCorpus.NumberOf(itemsPart)).ToList();
        if (parts.Count == 0) return null;
        var open = PreparedCorpus.Open(part => store.FileOf(PreparedCorpus.Folder(store, corpus.Name, preparation), part), manifest with { Parts = parts });
        var number = Find(open, itemId);
        if (number >= 0) return new(open, number);
        open.Dispose();
        return null;
    }

    public void Dispose() => _part.Dispose();

    // Parts are sorted by item_id.
    private static int Find(PreparedCorpus part, string itemId)
    {
        var (low, high) = (0, part.Count - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            var order = string.CompareOrdinal(part.ItemId(middle), itemId);
            if (order == 0) return middle;
            if (order < 0) low = middle + 1;
            else high = middle - 1;
        }
        return -1;
    }
}
