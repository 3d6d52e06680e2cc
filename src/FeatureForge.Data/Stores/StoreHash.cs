// `store hash`: one content hash per published table, independent of part boundaries, row order and timestamps.
// Two stores that were filled by the same requests with the same seeds print the same lines.
namespace FeatureForge.Data;

/// <summary>One table's content hash.</summary>
/// <param name="Table">For instance "corpora/calls/items" or "embeddings/calls/level=high/grain=item".</param>
/// <param name="Hash">64 hex characters; of the rows as a multiset.</param>
public sealed record TableContent(string Table, long Rows, string Hash);

/// <summary>Hashes the content of everything a store has published.</summary>
public static class StoreHash
{
    /// <summary>All tables, in a fixed order.</summary>
    public static async Task<IReadOnlyList<TableContent>> ComputeAsync(Store store, CancellationToken stop)
    {
        var tables = new List<TableContent>();
        foreach (var corpus in store.Corpora())
        {
            var folder = store.CorpusFolder(corpus.Name);
            tables.Add(await HashAsync(store, $"corpora/{corpus.Name}/items", folder, corpus.ItemParts, ItemsTable.HashAsync, stop));
            tables.Add(await HashAsync(store, $"corpora/{corpus.Name}/quarantine", folder, corpus.QuarantineParts, QuarantineTable.HashAsync, stop));
            if (corpus.RemovalParts.Count > 0) tables.Add(await HashAsync(store, $"corpora/{corpus.Name}/removals", folder, corpus.RemovalParts, RemovalsTable.HashAsync, stop));
        }
        foreach (var encoder in store.Encoders())
        {
            tables.Add(new($"encoders/{encoder.Name}", 1, ContentId.Sha256(System.Text.Encoding.UTF8.GetBytes(encoder.EncoderId))));
            tables.Add(await HashAsync(store, $"encoders/{encoder.Name}/metrics", store.EncoderFolder(encoder.Name), encoder.MetricParts, MetricsTable.HashAsync, stop));
        }
        foreach (var set in store.Sets())
        {
            foreach (var table in set.Tables.OrderBy(table => table.Level, StringComparer.Ordinal).ThenBy(table => table.Grain))
                tables.Add(await HashAsync(store, $"embeddings/{set.Name}/level={table.Level}/grain={table.Grain.ToString().ToLowerInvariant()}",
                    store.SetFolder(set.Name), table.Parts, HashEmbeddingsAsync, stop));
        }
        foreach (var clustering in store.Clusterings())
        {
            var folder = store.ClusteringFolder(clustering.Name);
            tables.Add(await HashAsync(store, $"clusterings/{clustering.Name}/clusters", folder, clustering.ClusterParts, ClustersTable.HashAsync, stop));
            tables.Add(await HashAsync(store, $"clusterings/{clustering.Name}/memberships", folder, clustering.MembershipParts, MembershipsTable.HashAsync, stop));
            if (clustering.EditParts.Count > 0) tables.Add(await HashAsync(store, $"clusterings/{clustering.Name}/edits", folder, clustering.EditParts, ClusterEditsTable.HashAsync, stop));
            if (clustering.AssignmentParts.Count > 0) tables.Add(await HashAsync(store, $"clusterings/{clustering.Name}/assignments", folder, clustering.AssignmentParts, AssignmentsTable.HashAsync, stop));
            if (clustering.MapParts.Count > 0)
                tables.Add(await HashAsync(store, $"clusterings/{clustering.Name}/map", folder, clustering.MapParts, MapTable.HashAsync, stop));
        }
        foreach (var selection in store.Selections()) tables.Add(await HashAsync(store, $"selections/{selection.Name}", store.SelectionFolder(selection.Name), selection.ItemParts, SelectionsTable.HashAsync, stop));
        // The labels in force: an undone label leaves no trace here, as if it had never been given.
        foreach (var labelSet in store.LabelSets()) tables.Add(await LabelLog.Of(store, labelSet).HashAsync(stop));
        return tables;
    }

    private static async Task<TableContent> HashAsync(Store store, string table, string folder, IReadOnlyList<PartFile> parts,
        Func<string, TableHash, CancellationToken, Task> addFile, CancellationToken stop)
    {
        var hash = new TableHash();
        foreach (var part in parts) await addFile(store.FileOf(folder, part), hash, stop);
        return new(table, hash.Rows, hash.ToString());
    }

    private static Task HashEmbeddingsAsync(string path, TableHash hash, CancellationToken stop)
    {
        stop.ThrowIfCancellationRequested();
        EmbeddingTable.Hash(path, hash);
        return Task.CompletedTask;
    }
}
