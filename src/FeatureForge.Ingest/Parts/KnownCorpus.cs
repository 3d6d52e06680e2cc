// What the corpus holds before a run: item ids and quarantined bad files, so that only what is new is ingested.
using FeatureForge.Data;

namespace FeatureForge.Ingest;

internal sealed class KnownCorpus
{
    private readonly HashSet<Guid> _ids = [];
    private readonly HashSet<(string Path, string? Sha256)> _bad = [];

    private KnownCorpus(CorpusManifest? manifest) => Manifest = manifest;

    /// <summary>Null before the first ingest.</summary>
    public CorpusManifest? Manifest { get; }

    public static async Task<KnownCorpus> LoadAsync(Store store, string corpus, CancellationToken stop)
    {
        var known = new KnownCorpus(store.FindCorpus(corpus));
        var folder = store.CorpusFolder(corpus);
        foreach (var part in known.Manifest?.ItemParts ?? [])
        {
            await foreach (var row in ItemsTable.ReadAsync(Path.Combine(folder, part.Path), withContent: false, stop)) known._ids.Add(Key(row.ItemId));
        }
        foreach (var part in known.Manifest?.QuarantineParts ?? [])
        {
            await foreach (var row in QuarantineTable.ReadAsync(Path.Combine(folder, part.Path), stop)) known._bad.Add((row.Path, row.ContentSha256));
        }
        return known;
    }

    public bool HasItem(string itemId) => _ids.Contains(Key(itemId));

    public bool HasRejection(string path, string? sha256) => _bad.Contains((path, sha256));

    /// <summary>An item id in 16 bytes.</summary>
    public static Guid Key(string itemId) => Guid.ParseExact(itemId, "N");
}
