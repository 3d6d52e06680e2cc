// Some items of a corpus as a corpus of their own, rows copied whole: bytes where the corpus holds them, else their place.
using FeatureForge.Data;

namespace FeatureForge.Clustering;

internal static class SubsetCorpus
{
    private const long PartBytes = 128L << 20;

    /// <exception cref="BadRequestException">The name is taken by a corpus that another run made.</exception>
    internal static void Check(Store store, string name, string runId)
    {
        if (store.FindCorpus(name) is { } there && there.RunId != runId)
            throw new BadRequestException($"Corpus '{name}' exists already; expected a new name for the items chosen. Choose another name.");
    }

    /// <summary>Publishes the corpus; preparations are those of the source, their forms are made when training first needs them.</summary>
    internal static async Task<CorpusManifest> PublishAsync(RunContext context, CorpusManifest source, string name, IReadOnlySet<string> itemIds, CancellationToken stop)
    {
        if (context.Store.FindCorpus(name) is { } done && done.RunId == context.RunId) return done;
        Directory.CreateDirectory(context.StagingFolder);
        var publication = new Publication(context);
        var (folder, parts, counts) = (context.Store.CorpusFolder(name), new List<PartFile>(), new SortedDictionary<Modality, long>());
        var meter = new ProgressMeter(context, "copy", "items", itemIds.Count);
        var (rows, bytes) = (new List<ItemRow>(), 0L);
        var removed = RemovedItems.Of(context.Store, source);
        foreach (var part in source.ItemParts)
            await foreach (var row in removed.Without(ItemsTable.ReadAsync(context.Store.FileOf(context.Store.CorpusFolder(source.Name), part), withContent: true, stop)))
            {
                if (!itemIds.Contains(row.ItemId)) continue;
                rows.Add(row);
                bytes += (row.Content?.Length ?? 0) + 2L * (row.Text?.Length ?? 0);
                counts[row.Modality] = counts.GetValueOrDefault(row.Modality) + 1;
                meter.Add(1);
                if (bytes >= PartBytes) await FlushAsync();
            }
        if (rows.Count > 0 || parts.Count == 0) await FlushAsync();
        var quarantine = Path.Combine(context.StagingFolder, "quarantine.parquet");
        await QuarantineTable.WriteAsync(quarantine, [], stop);
        var manifest = new CorpusManifest
        {
            Name = name,
            Version = 1,
            RunId = context.RunId,
            UpdatedAt = context.Time.GetUtcNow(),
            Items = counts,
            Quarantined = 0,
            Sources = source.Sources,
            ItemParts = parts,
            QuarantineParts = [publication.Add(quarantine, folder, "quarantine/part-00000.parquet", 0)],
            Preparations = source.Preparations.Where(pair => counts.ContainsKey(pair.Key)).ToDictionary(),
        };
        publication.Commit(Path.Combine(folder, "corpus.json"), manifest);
        return manifest;

        async Task FlushAsync()
        {
            var staged = Path.Combine(context.StagingFolder, $"items-{parts.Count:D5}.parquet");
            await ItemsTable.WriteAsync(staged, [.. rows.OrderBy(row => row.ItemId, StringComparer.Ordinal)], stop);
            parts.Add(publication.Add(staged, folder, $"items/part-{parts.Count:D5}.parquet", rows.Count));
            (rows, bytes) = ([], 0);
        }
    }
}
