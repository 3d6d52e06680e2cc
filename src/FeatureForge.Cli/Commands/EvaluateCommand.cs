// `evaluate`: scores of an embedding set against labels, beside a random encoder and raw features.
using System.CommandLine;
using FeatureForge.Data;
using FeatureForge.Learning;

namespace FeatureForge.Cli;

internal static class EvaluateCommand
{
    internal static Command Create()
    {
        var set = new Option<string>("--set") { Description = "The embedding set.", Required = true };
        var labels = new Option<string>("--labels") { Description = "CSV with the columns path, label, split.", Required = true };
        var clustering = new Option<string?>("--clustering") { Description = "A clustering of the set to score as well." };
        var seed = new Option<int>("--seed") { Description = "Of every random draw." };
        var device = SharedOptions.Device();
        return new Command("evaluate", "Score an embedding set against labels, beside a random encoder and raw features.").With(set, labels, clustering, seed, device)
            .Does((parsed, options, stop) => SharedOptions.ExecuteAsync(RunKind.Evaluate, new EvaluateSpec
            {
                Set = parsed.GetRequiredValue(set),
                LabelsPath = Path.GetFullPath(parsed.GetRequiredValue(labels)),
                Clustering = parsed.GetValue(clustering),
                Seed = parsed.GetValue(seed),
                Device = parsed.GetValue(device)!,
            }, options.OpenStore, options, stop));
    }
}
