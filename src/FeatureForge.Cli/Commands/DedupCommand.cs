// `dedup`: a corpus, or a list, without items that mean the same as another.
using System.CommandLine;
using FeatureForge.Clustering;
using FeatureForge.Data;

namespace FeatureForge.Cli;

internal static class DedupCommand
{
    internal static Command Create()
    {
        var set = new Option<string>("--set") { Description = "The embedding set whose items are compared.", Required = true };
        var threshold = new Option<double>("--threshold") { Description = "Cosine similarity from which two items are duplicates.", DefaultValueFactory = _ => 0.95 };
        var level = new Option<string>("--level") { Description = "raw, low, mid or high.", DefaultValueFactory = _ => Level.High };
        var corpus = new Option<string?>("--corpus") { Description = "The corpus to make of what is kept." };
        var list = new Option<string?>("--list") { Description = "A CSV file to write: item_id, duplicate_of, similarity." };
        var device = SharedOptions.Device();
        return new Command("dedup", "Leave out items that mean the same as another.").With(set, threshold, level, corpus, list, device)
            .Does((parsed, options, stop) => SharedOptions.ExecuteAsync(RunKind.Dedup, new DedupSpec
            {
                Set = parsed.GetRequiredValue(set),
                Threshold = parsed.GetValue(threshold),
                Level = parsed.GetValue(level)!,
                Corpus = parsed.GetValue(corpus),
                List = parsed.GetValue(list),
                Device = parsed.GetValue(device)!,
            }, options.OpenStore, options, stop));
    }
}
