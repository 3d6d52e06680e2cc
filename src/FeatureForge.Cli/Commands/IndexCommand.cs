// `index`: makes search in a set fast, and says how much of the truth it finds.
using System.CommandLine;
using System.Globalization;
using FeatureForge.Clustering;
using FeatureForge.Data;

namespace FeatureForge.Cli;

internal static class IndexCommand
{
    internal static Command Create()
    {
        var set = new Option<string>("--set") { Description = "The embedding set.", Required = true };
        var level = new Option<string>("--level") { Description = "raw, low, mid or high.", DefaultValueFactory = _ => Level.High };
        var grain = new Option<string>("--grain") { Description = "item, segment or patch.", DefaultValueFactory = _ => "item" };
        var cells = new Option<int?>("--cells") { Description = "Cells of the index. Default: four times the square root of the vectors." };
        var recall = new Option<double>("--recall") { Description = "Share of the true ten nearest that a search should find.", DefaultValueFactory = _ => 0.98 };
        var seed = new Option<int>("--seed") { Description = "Of every random draw." };
        return new Command("index", "Build the search index of a set's level.").With(set, level, grain, cells, recall, seed).Does((parsed, options, stop) =>
        {
            var lastPhase = "";
            var built = SearchIndexBuild.Execute(new()
            {
                Set = parsed.GetRequiredValue(set),
                Level = parsed.GetValue(level)!,
                Grain = Verb.Words<Grain>("--grain", [parsed.GetValue(grain)!])[0],
                Cells = parsed.GetValue(cells),
                Recall = parsed.GetValue(recall),
                Seed = parsed.GetValue(seed),
            }, options.OpenStore(), TimeProvider.System, (phase, done, total) =>
            {
                if (options.Quiet || phase == lastPhase) return;
                lastPhase = phase;
                Console.Error.WriteLine($"{phase} …");
            }, stop);
            if (options.Json) Verb.PrintJson(built);
            else Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"Index of {built.Set}/{built.Level}: {built.Rows} vectors in {built.Cells} cells. Looking into {built.Probes} of them finds {built.Recall:P1} of the true {built.RecallNeighbours} nearest (measured on {built.RecallQueries} queries), {built.Measured.LastOrDefault()?.Milliseconds ?? 0:F2} ms each."));
            return Task.FromResult(ExitCode.Done);
        });
    }
}
