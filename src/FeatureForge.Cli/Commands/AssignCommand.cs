// `assign`: new vectors into an existing tree of clusters.
using System.CommandLine;
using FeatureForge.Clustering;
using FeatureForge.Data;

namespace FeatureForge.Cli;

internal static class AssignCommand
{
    internal static Command Create()
    {
        var clustering = new Option<string>("--clustering") { Description = "The clustering; it stays as it is.", Required = true };
        var set = new Option<string>("--set") { Description = "An embedding set of the same encoder.", Required = true };
        var device = SharedOptions.Device();
        var shards = SharedOptions.Shards();
        return new Command("assign", "Put new vectors into an existing tree of clusters.").With(clustering, set, device, shards)
            .Does((parsed, options, stop) =>
            {
                var spec = new AssignSpec { Clustering = parsed.GetRequiredValue(clustering), Set = parsed.GetRequiredValue(set), Device = parsed.GetValue(device)! };
                return parsed.GetValue(shards) is { } count ? SharedOptions.ExecuteAsync(spec.InShards(count), options.OpenStore, options, stop)
                    : SharedOptions.ExecuteAsync(RunKind.Assign, spec, options.OpenStore, options, stop);
            });
    }
}
