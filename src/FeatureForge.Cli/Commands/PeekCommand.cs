// `peek TABLE`: the first rows of a table of the store, without another tool.
using System.CommandLine;
using System.Runtime.CompilerServices;
using System.Text.Json;
using FeatureForge.Data;

namespace FeatureForge.Cli;

internal static class PeekCommand
{
    private const int ShownValues = 8;

    internal static Command Create()
    {
        var table = new Argument<string>("TABLE") { Description = "As `store hash` names it: corpora/NAME/items, embeddings/SET/level=high/grain=item, clusterings/NAME/clusters …" };
        var take = new Option<int>("--rows") { Description = "Rows to show.", DefaultValueFactory = _ => 10 };
        return new Command("peek", "Show the first rows of a table.").With(table, take).Does(async (parsed, options, stop) =>
        {
            var name = parsed.GetRequiredValue(table).Trim('/');
            var rows = new List<object>();
            await foreach (var row in RowsAsync(options.OpenStore(), name, stop))
            {
                if (rows.Count == parsed.GetValue(take)) break;
                rows.Add(row);
            }
            if (options.Json) Verb.PrintJson(new { Table = name, Rows = rows });
            else
                foreach (var row in rows) Console.Out.WriteLine(JsonSerializer.Serialize(row, SpecJson.Line));
            return ExitCode.Done;
        });
    }

    private static IAsyncEnumerable<object> RowsAsync(Store store, string table, CancellationToken stop)
    {
        var words = table.Split('/');
        return words switch
        {
            ["corpora", var name, "items"] => Parts(store.CorpusFolder(name), store.Corpus(name).ItemParts, path => RemovedItems.Of(store, name).Without(ItemsTable.ReadAsync(path, withContent: false, stop)), stop),
            ["corpora", var name, "quarantine"] => Parts(store.CorpusFolder(name), store.Corpus(name).QuarantineParts, path => QuarantineTable.ReadAsync(path, stop), stop),
            ["encoders", var name, "metrics"] => Parts(store.EncoderFolder(name), store.Encoder(name).MetricParts, path => MetricsTable.ReadAsync(path, stop), stop),
            ["clusterings", var name, "clusters"] => Parts(store.ClusteringFolder(name), store.Clustering(name).ClusterParts, path => ClustersTable.ReadAsync(path, stop).Select(row => row with { Centroid = row.Centroid[..Math.Min(ShownValues, row.Centroid.Length)] }), stop),
            ["clusterings", var name, "memberships"] => Parts(store.ClusteringFolder(name), store.Clustering(name).MembershipParts, path => MembershipsTable.ReadAsync(path, stop), stop),
            ["clusterings", var name, "map"] => Parts(store.ClusteringFolder(name), store.Clustering(name).MapParts, path => MapTable.ReadAsync(path, stop), stop),
            ["embeddings", var name, var level, var grain] => Vectors(store, name, level, grain).ToAsyncEnumerable(),
            _ => throw new BadRequestException($"There is no table '{table}'; expected corpora/NAME/items or /quarantine, encoders/NAME/metrics, embeddings/SET/level=LEVEL/grain=GRAIN, or clusterings/NAME/clusters, /memberships or /map."),
        };
    }

    private static async IAsyncEnumerable<object> Parts<TRow>(string folder, IReadOnlyList<PartFile> parts, Func<string, IAsyncEnumerable<TRow>> read, [EnumeratorCancellation] CancellationToken stop) where TRow : class
    {
        foreach (var part in parts)
            await foreach (var row in read(Path.Combine(folder, part.Path)).WithCancellation(stop)) yield return row;
    }

    private static IEnumerable<object> Vectors(Store store, string name, string level, string grain)
    {
        var set = store.Set(name);
        var table = set.Tables.FirstOrDefault(table => level == $"level={table.Level}" && grain == $"grain={table.Grain.ToString().ToLowerInvariant()}")
            ?? throw new BadRequestException($"Embedding set '{name}' has no {level}/{grain}; it has: {string.Join(", ", set.Tables.Select(table => $"level={table.Level}/grain={table.Grain.ToString().ToLowerInvariant()}"))}.");
        return table.Parts.SelectMany(part => EmbeddingTable.Read(Path.Combine(store.SetFolder(name), part.Path))).SelectMany(block =>
            Enumerable.Range(0, block.Rows).Select(row => (object)new
            {
                ItemId = block.ItemIds[row],
                SpanIndex = block.SpanIndex[row],
                Span = block.Spans[row],
                block.Dimension,
                FirstValues = block.Vectors.Skip(row * block.Dimension).Take(ShownValues),
            }));
    }
}
