// `cluster`: a tree of clusters over one level and grain of an embedding set.
using System.CommandLine;
using FeatureForge.Clustering;
using FeatureForge.Data;

namespace FeatureForge.Cli;

internal static class ClusterCommand
{
    internal static Command Create()
    {
        var set = new Option<string>("--set") { Description = "The embedding set.", Required = true };
        var clustering = new Option<string?>("--clustering") { Description = "Name of the clustering. Default: the set's name." };
        var level = new Option<string>("--level") { Description = "raw, low, mid or high, or several joined by + (mid+high).", DefaultValueFactory = _ => Level.High };
        var refine = new Option<string?>("--refine") { Description = "A level on which the leaves are divided further, for instance mid." };
        var grain = new Option<string>("--grain") { Description = "item, segment or patch.", DefaultValueFactory = _ => "item" };
        var method = new Option<string>("--method") { Description = $"{string.Join(" or ", ClusterSpec.Methods)}.", DefaultValueFactory = _ => "tree" };
        var k = new Option<int?>("--k") { Description = "Number of clusters (kmeans)." };
        var minClusterSize = new Option<int?>("--min-cluster-size") { Description = "Fewest vectors of a cluster (hdbscan). Default: 5, or one in 2,000." };
        var minSamples = new Option<int?>("--min-samples") { Description = "Which neighbour says how dense it is, the vector itself not counted (hdbscan). Default: --min-cluster-size, else 5." };
        var selection = new Option<string>("--selection") { Description = "eom or leaf (hdbscan).", DefaultValueFactory = _ => "eom" };
        var seed = new Option<int>("--seed") { Description = "Of every random draw." };
        var device = SharedOptions.Device();
        var shards = SharedOptions.Shards();
        return new Command("cluster", "Cluster an embedding set into a tree.").With(set, clustering, level, refine, grain, method, k, minClusterSize, minSamples, selection, seed, device, shards)
            .Does((parsed, options, stop) =>
            {
                var grains = Verb.Words<Grain>("--grain", [parsed.GetValue(grain)!]);
                if (grains.Count != 1) throw new BadRequestException($"--grain '{parsed.GetValue(grain)}': expected one grain.");
                var spec = new ClusterSpec
                {
                    Set = parsed.GetRequiredValue(set),
                    Clustering = parsed.GetValue(clustering),
                    Level = parsed.GetValue(level)!,
                    Refine = parsed.GetValue(refine),
                    Grain = grains[0],
                    Method = parsed.GetValue(method)!,
                    K = parsed.GetValue(k),
                    MinClusterSize = parsed.GetValue(minClusterSize),
                    MinSamples = parsed.GetValue(minSamples),
                    Selection = parsed.GetValue(selection)!,
                    Seed = parsed.GetValue(seed),
                    Device = parsed.GetValue(device)!,
                };
                return parsed.GetValue(shards) is { } count ? SharedOptions.ExecuteAsync(spec.InShards(count), options.OpenStore, options, stop)
                    : SharedOptions.ExecuteAsync(RunKind.Cluster, spec, options.OpenStore, options, stop);
            });
    }
}
