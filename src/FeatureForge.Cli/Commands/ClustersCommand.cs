// `clusters`: look at the clusters of a clustering, and change them by hand: list, rename, merge, split.
using System.CommandLine;
using System.Globalization;
using FeatureForge.Clustering;
using FeatureForge.Data;

namespace FeatureForge.Cli;

internal static class ClustersCommand
{
    internal static Command Create() => new Command("clusters", "Look at clusters and change them: list, rename, merge, split.").With(List(), Rename(), Merge(), Split());

    private static Option<string> Clustering() => new("--clustering") { Description = "The clustering.", Required = true };

    private static Option<string> Author() => SharedOptions.Author("Who does it.");

    private static Command List()
    {
        var clustering = Clustering();
        return new Command("list", "List the clusters of a clustering.").With(clustering).Does(async (parsed, options, stop) =>
        {
            var store = options.OpenStore();
            var manifest = store.Clustering(parsed.GetRequiredValue(clustering));
            var rows = new List<ClusterRow>();
            foreach (var part in manifest.ClusterParts)
                await foreach (var row in ClustersTable.ReadAsync(store.FileOf(store.ClusteringFolder(manifest.Name), part), stop)) rows.Add(row);
            if (options.Json)
                Verb.PrintJson(new { Clustering = manifest.Name, Clusters = rows.Select(row => new { row.ClusterId, row.ParentId, row.Depth, row.Size, row.Name, row.NameSource, row.Keywords, row.Stability, row.Cohesion, row.NearestSiblingId, row.ExemplarIds, row.BoundaryIds }) });
            else Console.Out.WriteLine(TextTable.Format(["CLUSTER", "SIZE", "STABILITY", "NAME"], rows.Select(row => (IReadOnlyList<string>)
                [row.ClusterId, row.Size.ToString("N0", CultureInfo.InvariantCulture), row.Stability?.ToString("0.00", CultureInfo.InvariantCulture) ?? "", new string(' ', 2 * row.Depth) + row.Name])));
            return ExitCode.Done;
        });
    }

    private static Command Rename()
    {
        var (clustering, author) = (Clustering(), Author());
        var cluster = new Option<string>("--cluster") { Description = "Its id, or its name.", Required = true };
        var name = new Option<string>("--name") { Description = "The name to give.", Required = true };
        return new Command("rename", "Give a cluster a name that later runs keep.").With(clustering, cluster, name, author)
            .Does((parsed, options, stop) => Run(new()
            {
                Clustering = parsed.GetRequiredValue(clustering),
                Kind = "rename",
                Clusters = [parsed.GetRequiredValue(cluster)],
                Name = parsed.GetRequiredValue(name),
                Author = parsed.GetValue(author)!,
            }, options, stop));
    }

    private static Command Merge()
    {
        var (clustering, author) = (Clustering(), Author());
        var clusters = new Argument<string[]>("CLUSTER") { Description = "Two or more clusters, by id or name.", Arity = ArgumentArity.OneOrMore };
        var name = new Option<string?>("--name") { Description = "Name of the merged cluster. Default: a suggested one." };
        return new Command("merge", "Make one leaf of several clusters.").With(clustering, clusters, name, author)
            .Does((parsed, options, stop) => Run(new()
            {
                Clustering = parsed.GetRequiredValue(clustering),
                Kind = "merge",
                Clusters = parsed.GetRequiredValue(clusters),
                Name = parsed.GetValue(name),
                Author = parsed.GetValue(author)!,
            }, options, stop));
    }

    private static Command Split()
    {
        var (clustering, author) = (Clustering(), Author());
        var cluster = new Option<string>("--cluster") { Description = "A leaf, by id or name.", Required = true };
        var parts = new Option<int>("--parts") { Description = "Parts to make.", DefaultValueFactory = _ => 2 };
        return new Command("split", "Divide a leaf.").With(clustering, cluster, parts, author)
            .Does((parsed, options, stop) => Run(new()
            {
                Clustering = parsed.GetRequiredValue(clustering),
                Kind = "split",
                Clusters = [parsed.GetRequiredValue(cluster)],
                Parts = parsed.GetValue(parts),
                Author = parsed.GetValue(author)!,
            }, options, stop));
    }

    private static Task<int> Run(EditSpec spec, GlobalOptions options, CancellationToken stop) => SharedOptions.ExecuteAsync(RunKind.Edit, spec, options.OpenStore, options, stop);
}
