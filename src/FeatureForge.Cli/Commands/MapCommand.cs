// `map`: two-dimensional coordinates for the vectors of a clustering.
using System.CommandLine;
using FeatureForge.Clustering;
using FeatureForge.Data;

namespace FeatureForge.Cli;

internal static class MapCommand
{
    internal static Command Create()
    {
        var set = new Option<string>("--set") { Description = "The embedding set.", Required = true };
        var clustering = new Option<string?>("--clustering") { Description = "The clustering to lay out. Default: the set's only one." };
        var seed = new Option<int>("--seed") { Description = "Of every random draw." };
        var device = SharedOptions.Device();
        return new Command("map", "Lay a clustering out in two dimensions.").With(set, clustering, seed, device)
            .Does((parsed, options, stop) => SharedOptions.ExecuteAsync(RunKind.Map, new MapSpec
            {
                Set = parsed.GetRequiredValue(set),
                Clustering = parsed.GetValue(clustering),
                Seed = parsed.GetValue(seed),
                Device = parsed.GetValue(device)!,
            }, options.OpenStore, options, stop));
    }
}
