// Item ids that need no second decoding: the corpus's own and those accepted earlier in the run, in source order.
using FeatureForge.Data;

namespace FeatureForge.Ingest;

/// <summary>Read by decoding threads while the run's own thread adds.</summary>
internal sealed class AcceptedItems
{
    private readonly KnownCorpus _before;
    private readonly KeySet _accepted = new();

    public AcceptedItems(KnownCorpus before, IEnumerable<UInt128> staged)
    {
        _before = before;
        foreach (var id in staged) _accepted.Add(id);
    }

    public bool Has(string itemId) => _before.HasItem(itemId) || _accepted.Contains(ItemIdSet.Key(itemId));

    public bool WasRemoved(string itemId) => _before.IsRemoved(itemId);

    public bool WasThereBefore(string itemId) => _before.HasItem(itemId);

    /// <summary>False when an earlier file has the same bytes.</summary>
    public bool Add(string itemId) => _accepted.Add(ItemIdSet.Key(itemId));
}
