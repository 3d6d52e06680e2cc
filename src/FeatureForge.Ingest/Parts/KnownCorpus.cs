// What the corpus holds before a run: item ids and quarantined bad files, so that only what is new is ingested.
using FeatureForge.Data;

namespace FeatureForge.Ingest;

internal sealed class KnownCorpus
{
    private readonly KeySet _ids = new();
    private readonly KeySet _bad = new();

    private readonly List<Rejection> _retried = [];
    private RemovedItems? _removed;

    private KnownCorpus(CorpusManifest? manifest) => Manifest = manifest;

    /// <summary>Null before the first ingest.</summary>
    public CorpusManifest? Manifest { get; }

    /// <summary>Rows of its quarantine that count as unknown; null when the run retries nothing.</summary>
    public RetriedRows? Retried { get; private set; }

    public static async Task<KnownCorpus> LoadAsync(Store store, string corpus, RetrySelection? retry, CancellationToken stop)
    {
        var known = new KnownCorpus(store.FindCorpus(corpus));
        var folder = store.CorpusFolder(corpus);
        foreach (var part in known.Manifest?.ItemParts ?? [])
        {
            await foreach (var group in ItemsTable.ReadKeysAsync(store.FileOf(folder, part), stop))
            {
                foreach (var (id, _) in group) known._ids.Add(ItemIdSet.Key(id));
            }
        }
        foreach (var part in known.Manifest?.QuarantineParts ?? [])
        {
            await foreach (var row in QuarantineTable.ReadAsync(store.FileOf(folder, part), stop))
            {
                if (retry?.Matches(row) == true) known._retried.Add(row);
                else known._bad.Add(Key(row.Path, row.ContentSha256));
            }
        }
        if (known.Manifest is { } manifest) known._removed = RemovedItems.Of(store, manifest);
        if (retry != null) known.Retried = new(known._retried);
        return known;
    }

    public bool HasItem(string itemId) => HasItem(ItemIdSet.Key(itemId));

    public bool HasItem(UInt128 key) => _ids.Contains(key);

    public bool IsRemoved(string itemId) => _removed?.Contains(itemId) ?? false;

    public bool HasRejection(string path, string? sha256) => _bad.Contains(Key(path, sha256));

    private static UInt128 Key(string path, string? sha256) => StagedPart.ShortKey($"{path}\n{sha256}");
}
