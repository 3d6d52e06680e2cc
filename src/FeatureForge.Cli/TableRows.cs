// The rows of any table of a store, named as `store hash` names it: what `peek` shows and `export table` writes.
using System.Runtime.CompilerServices;
using FeatureForge.Data;

namespace FeatureForge.Cli;

internal static class TableRows
{
    internal const string Names = "corpora/NAME/items, /quarantine or /removals, encoders/NAME/metrics, embeddings/SET/level=LEVEL/grain=GRAIN, clusterings/NAME/clusters, /memberships, /map or /edits, selections/NAME, or labels/LABEL SET";

    /// <summary>Rows in the order of the table, one row group in memory at a time; items without those removed, and without their bytes.</summary>
    /// <param name="mostValues">Values of a vector or centroid that are kept.</param>
    /// <exception cref="BadRequestException">There is no such table.</exception>
    internal static IAsyncEnumerable<object> ReadAsync(Store store, string table, int mostValues, CancellationToken stop) => table.Trim('/').Split('/') switch
    {
        ["corpora", var name, "items"] => Parts(store, store.CorpusFolder(name), store.Corpus(name).ItemParts, path => RemovedItems.Of(store, name).Without(ItemsTable.ReadAsync(path, withContent: false, stop)), stop),
        ["corpora", var name, "quarantine"] => Parts(store, store.CorpusFolder(name), store.Corpus(name).QuarantineParts, path => QuarantineTable.ReadAsync(path, stop), stop),
        ["corpora", var name, "removals"] => Parts(store, store.CorpusFolder(name), store.Corpus(name).RemovalParts, path => RemovalsTable.ReadAsync(path, stop), stop),
        ["encoders", var name, "metrics"] => Parts(store, store.EncoderFolder(name), store.Encoder(name).MetricParts, path => MetricsTable.ReadAsync(path, stop), stop),
        ["clusterings", var name, "clusters"] => Parts(store, store.ClusteringFolder(name), store.Clustering(name).ClusterParts, path => ClustersTable.ReadAsync(path, stop).Select(row => row with { Centroid = row.Centroid[..Math.Min(mostValues, row.Centroid.Length)] }), stop),
        ["clusterings", var name, "memberships"] => Parts(store, store.ClusteringFolder(name), store.Clustering(name).MembershipParts, path => MembershipsTable.ReadAsync(path, stop), stop),
        ["clusterings", var name, "map"] => Parts(store, store.ClusteringFolder(name), store.Clustering(name).MapParts, path => MapTable.ReadAsync(path, stop), stop),
        ["clusterings", var name, "edits"] => Parts(store, store.ClusteringFolder(name), store.Clustering(name).EditParts, path => ClusterEditsTable.ReadAsync(path, stop), stop),
        ["selections", var name] => Parts(store, store.SelectionFolder(name), store.Selection(name).ItemParts, path => SelectionsTable.ReadAsync(path, stop), stop),
        ["labels", var name] => Labels(store, name, stop),
        ["embeddings", var name, var level, var grain] => Vectors(store, name, level, grain, mostValues).ToAsyncEnumerable(),
        _ => throw new BadRequestException($"There is no table '{table}'; expected {Names}."),
    };

    private static async IAsyncEnumerable<object> Parts<TRow>(Store store, string folder, IReadOnlyList<PartFile> parts, Func<string, IAsyncEnumerable<TRow>> read, [EnumeratorCancellation] CancellationToken stop) where TRow : class
    {
        foreach (var part in parts)
            await foreach (var row in read(store.FileOf(folder, part)).WithCancellation(stop)) yield return row;
    }

    private static async IAsyncEnumerable<object> Labels(Store store, string labelSet, [EnumeratorCancellation] CancellationToken stop)
    {
        foreach (var row in (await LabelLog.Existing(store, labelSet).ReadAsync(stop)).All) yield return row;
    }

    private static IEnumerable<object> Vectors(Store store, string name, string level, string grain, int mostValues)
    {
        var set = store.Set(name);
        var table = set.Tables.FirstOrDefault(table => level == $"level={table.Level}" && grain == $"grain={table.Grain.ToString().ToLowerInvariant()}")
            ?? throw new BadRequestException($"Embedding set '{name}' has no {level}/{grain}; it has: {string.Join(", ", set.Tables.Select(table => $"level={table.Level}/grain={table.Grain.ToString().ToLowerInvariant()}"))}.");
        return table.Parts.SelectMany(part => EmbeddingTable.Read(store.FileOf(store.SetFolder(name), part))).SelectMany(block =>
            Enumerable.Range(0, block.Rows).Select(row => (object)Columns(set.Modality, block, row, mostValues)));
    }

    /// <summary>The columns of the Parquet file, in its order.</summary>
    private static Dictionary<string, object> Columns(Modality modality, EmbeddingBlock block, int row, int mostValues)
    {
        var span = block.Spans[row];
        var columns = new Dictionary<string, object> { ["item_id"] = block.ItemIds[row], ["span_index"] = block.SpanIndex[row] };
        if (modality == Modality.Image) (columns["x"], columns["y"], columns["width"], columns["height"]) = (span.X, span.Y, span.Width, span.Height);
        else if (modality == Modality.Audio) (columns["start_ms"], columns["end_ms"]) = (span.Start, span.End);
        else (columns["start_char"], columns["end_char"]) = (span.Start, span.End);
        columns["vector"] = block.Vectors.AsSpan(row * block.Dimension, Math.Min(mostValues, block.Dimension)).ToArray();
        return columns;
    }
}
