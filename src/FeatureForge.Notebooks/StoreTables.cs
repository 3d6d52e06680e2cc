// From a store to what a notebook works with. Reads finished tables only; streams row groups and keeps what was asked for.
using FeatureForge.Data;

namespace FeatureForge.Notebooks;

/// <summary>Tables of a store as objects that compute (data frames, matrices) and show themselves (pictures, plots).</summary>
/// <remarks>Every method throws <see cref="BadRequestException"/> for a name that the store does not have; the message lists those it has.</remarks>
public static class StoreTables
{
    /// <summary>The first <paramref name="take"/> items, without their bytes: for computing.</summary>
    public static async Task<CorpusItems> ItemsAsync(this Store store, string corpus, int take = 100_000, CancellationToken stop = default)
    {
        var manifest = store.Corpus(corpus);
        return new(corpus, await RowsOf(store, manifest, withContent: false, stop).Take(take).ToListAsync(stop), manifest.TotalItems);
    }

    /// <summary>The first <paramref name="take"/> items with their bytes, at most 48: to be looked at.</summary>
    public static async Task<CorpusItems> LookAsync(this Store store, string corpus, int take = 24, CancellationToken stop = default)
    {
        var manifest = store.Corpus(corpus);
        return new(corpus, await RowsOf(store, manifest, withContent: true, stop).Take(Math.Min(take, CorpusItems.MostShown)).ToListAsync(stop), manifest.TotalItems);
    }

    /// <summary>These items with their bytes, in the order of the ids; ids that the corpus does not hold are left out.</summary>
    public static async Task<CorpusItems> LookAsync(this Store store, string corpus, IReadOnlyCollection<string> itemIds, CancellationToken stop = default)
    {
        var manifest = store.Corpus(corpus);
        var found = await FindAsync(store, manifest, itemIds, stop);
        return new(corpus, [.. itemIds.Distinct().Where(found.ContainsKey).Select(id => found[id])], manifest.TotalItems);
    }

    /// <summary>Vectors of one level and grain, at most <paramref name="take"/>; those of removed items are left out.</summary>
    public static SetVectors Vectors(this Store store, string set, string level = Level.High, Grain grain = Grain.Item, int take = 100_000)
    {
        var manifest = store.Set(set);
        var table = manifest.Tables.FirstOrDefault(table => table.Level == level && table.Grain == grain)
            ?? throw new BadRequestException($"Embedding set '{set}' has no level {level} of grain {grain.ToString().ToLowerInvariant()}; it has: {string.Join(", ", manifest.Tables.Select(table => $"{table.Level} {table.Grain.ToString().ToLowerInvariant()}"))}.");
        var removed = RemovedItems.Of(store, manifest.Corpus);
        var blocks = new List<EmbeddingBlock>();
        var rows = 0;
        foreach (var block in table.Parts.SelectMany(part => EmbeddingTable.Read(store.FileOf(store.SetFolder(set), part))).Select(removed.Without))
        {
            if (rows >= take) break;
            blocks.Add(Head(block, take - rows));
            rows += blocks[^1].Rows;
        }
        var header = new EmbeddingHeader(manifest.Modality, manifest.EncoderId, manifest.PreprocessingId, level, grain, table.Dimension, table.Metric, manifest.Dtype);
        return new(manifest, header, table.Rows, blocks);
    }

    /// <summary>The tree with the exemplars of every leaf, at most <paramref name="exemplars"/> each.</summary>
    public static async Task<ClusterTree> TreeAsync(this Store store, string clustering, int exemplars = 8, CancellationToken stop = default)
    {
        var manifest = store.Clustering(clustering);
        var clusters = await Parts(store, store.ClusteringFolder(clustering), manifest.ClusterParts, path => ClustersTable.ReadAsync(path, stop)).Select(row => row with { ExemplarIds = [.. row.ExemplarIds.Take(exemplars)] }).ToListAsync(stop);
        var parents = clusters.Select(cluster => cluster.ParentId).ToHashSet();
        var wanted = clusters.Where(cluster => !parents.Contains(cluster.ClusterId)).SelectMany(cluster => cluster.ExemplarIds).ToHashSet(StringComparer.Ordinal);
        var corpus = store.FindSet(manifest.Set) is { } set ? store.FindCorpus(set.Corpus) : null;
        return new(manifest, clusters, corpus is null ? new Dictionary<string, ItemRow>() : await FindAsync(store, corpus, wanted, stop));
    }

    /// <summary>Places on the map with the leaf of each, at most <paramref name="take"/>.</summary>
    public static async Task<ClusterMap> MapAsync(this Store store, string clustering, int take = 100_000, CancellationToken stop = default)
    {
        var manifest = store.Clustering(clustering);
        if (manifest.MapParts.Count == 0) throw new BadRequestException($"Clustering '{clustering}' has no map; `featureforge map --set {manifest.Set} --clustering {clustering}` makes one.");
        var folder = store.ClusteringFolder(clustering);
        var leaves = new Dictionary<(string, int), string?>();
        await foreach (var row in Parts(store, folder, manifest.MembershipParts, path => MembershipsTable.ReadAsync(path, stop))) leaves[(row.ItemId, row.SpanIndex)] = row.ClusterId;
        var places = await Parts(store, folder, manifest.MapParts, path => MapTable.ReadAsync(path, stop)).Take(take)
            .Select(row => new MapPlace(row.ItemId, row.SpanIndex, row.X, row.Y, leaves.GetValueOrDefault((row.ItemId, row.SpanIndex)))).ToListAsync(stop);
        var names = await Parts(store, folder, manifest.ClusterParts, path => ClustersTable.ReadAsync(path, stop)).ToDictionaryAsync(row => row.ClusterId, row => row.Name, cancellationToken: stop);
        return new(manifest, places, names);
    }

    /// <summary>What training reported.</summary>
    public static async Task<TrainingCurves> CurvesAsync(this Store store, string encoder, CancellationToken stop = default) =>
        new(encoder, await Parts(store, store.EncoderFolder(encoder), store.Encoder(encoder).MetricParts, path => MetricsTable.ReadAsync(path, stop)).ToListAsync(stop));

    /// <summary>The labels in force.</summary>
    public static async Task<IReadOnlyList<LabelRow>> LabelsAsync(this Store store, string labelSet, CancellationToken stop = default) =>
        (await LabelLog.Existing(store, labelSet).ReadAsync(stop)).Active;

    private static IAsyncEnumerable<ItemRow> RowsOf(Store store, CorpusManifest corpus, bool withContent, CancellationToken stop) =>
        RemovedItems.Of(store, corpus).Without(Parts(store, store.CorpusFolder(corpus.Name), corpus.ItemParts, path => ItemsTable.ReadAsync(path, withContent, stop)));

    /// <summary>Reads the row groups that hold these items, and no others, with content.</summary>
    private static async Task<Dictionary<string, ItemRow>> FindAsync(Store store, CorpusManifest corpus, IReadOnlyCollection<string> itemIds, CancellationToken stop)
    {
        var wanted = itemIds.ToHashSet(StringComparer.Ordinal);
        var removed = RemovedItems.Of(store, corpus);
        var found = new Dictionary<string, ItemRow>(StringComparer.Ordinal);
        foreach (var path in corpus.ItemParts.Select(part => store.FileOf(store.CorpusFolder(corpus.Name), part)))
        {
            var group = 0;
            await foreach (var keys in ItemsTable.ReadKeysAsync(path, stop))
            {
                if (found.Count == wanted.Count) return found;
                if (keys.Any(key => wanted.Contains(key.ItemId)))
                {
                    foreach (var row in await ItemsTable.ReadGroupAsync(path, group, withContent: true, stop))
                        if (wanted.Contains(row.ItemId) && !removed.Contains(row.ItemId)) found[row.ItemId] = row;
                }
                group++;
            }
        }
        return found;
    }

    private static async IAsyncEnumerable<TRow> Parts<TRow>(Store store, string folder, IReadOnlyList<PartFile> parts, Func<string, IAsyncEnumerable<TRow>> read)
    {
        foreach (var part in parts)
            await foreach (var row in read(store.FileOf(folder, part))) yield return row;
    }

    private static EmbeddingBlock Head(EmbeddingBlock block, int rows) => block.Rows <= rows ? block
        : new([.. block.ItemIds.Take(rows)], [.. block.SpanIndex.Take(rows)], [.. block.Spans.Take(rows)], block.Vectors[..(rows * block.Dimension)], block.Dimension);
}
