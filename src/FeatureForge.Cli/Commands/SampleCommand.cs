// `sample`: a corpus for training that is balanced over a tree of clusters.
using System.CommandLine;
using FeatureForge.Clustering;
using FeatureForge.Data;

namespace FeatureForge.Cli;

internal static class SampleCommand
{
    internal static Command Create()
    {
        var clustering = new Option<string>("--clustering") { Description = "The clustering to balance over.", Required = true };
        var items = new Option<int>("--items") { Description = "Items to choose.", Required = true };
        var corpus = new Option<string>("--corpus") { Description = "The corpus to make.", Required = true };
        var seed = new Option<int>("--seed") { Description = "Of every random draw." };
        return new Command("sample", "Make a corpus of items spread evenly over a tree of clusters.").With(clustering, items, corpus, seed)
            .Does((parsed, options, stop) => SharedOptions.ExecuteAsync(RunKind.Sample, new SampleSpec
            {
                Clustering = parsed.GetRequiredValue(clustering),
                Items = parsed.GetRequiredValue(items),
                Corpus = parsed.GetRequiredValue(corpus),
                Seed = parsed.GetValue(seed),
            }, options.OpenStore, options, stop));
    }
}
