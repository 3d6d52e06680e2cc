// `corpus`: which corpora there are, and what one holds.
using System.CommandLine;
using System.Globalization;
using FeatureForge.Clustering;
using FeatureForge.Data;
using FeatureForge.Ingest;

namespace FeatureForge.Cli;

internal static class CorpusCommand
{
    internal static Command Create()
    {
        var name = new Argument<string>("NAME") { Description = "The corpus." };
        var list = new Command("list", "List the corpora of the store.").Does((_, options, _) =>
        {
            var corpora = options.OpenStore().Corpora();
            if (options.Json) Verb.PrintJson(new { Corpora = corpora.Select(Json) });
            else Console.Out.WriteLine(TextTable.Format(["CORPUS", "VERSION", "ITEMS", "QUARANTINED", "UPDATED"], corpora.Select(corpus => (IReadOnlyList<string>)
            [
                corpus.Name, Number(corpus.Version), Items(corpus), Number(corpus.Quarantined),
                corpus.UpdatedAt.UtcDateTime.ToString("yyyy-MM-dd HH:mm'Z'", CultureInfo.InvariantCulture),
            ])));
            return Task.FromResult(ExitCode.Done);
        });
        var threshold = new Option<string[]>("--threshold") { Description = "Another threshold for a quality issue, as NAME=VALUE; may be repeated." };
        var show = new Command("show", "Show what a corpus holds and what is wrong with it.").With(name, threshold).Does(async (parsed, options, stop) =>
        {
            var thresholds = new QualityThresholds().With(Verb.List(parsed.GetValue(threshold)));
            var store = options.OpenStore();
            var corpus = store.Corpus(parsed.GetRequiredValue(name));
            var report = await CorpusReport.ReadAsync(store, corpus, thresholds, stop);
            if (options.Json) Verb.PrintJson(CorpusReportText.Json(corpus, report));
            else Console.Out.WriteLine(CorpusReportText.Of(store, corpus, report));
            return ExitCode.Done;
        });
        return new Command("corpus", "Look after corpora: list, show, rm, restore.").With(list, show,
            Remove("rm", "Take items out of a corpus. They stay out when they are ingested again; restore brings them back.", isRestore: false),
            Remove("restore", "Bring removed items back into a corpus.", isRestore: true));
    }

    private static Command Remove(string verb, string description, bool isRestore)
    {
        var name = new Argument<string>("NAME") { Description = "The corpus." };
        var items = new Option<string[]>("--item") { Description = "Item ids." };
        var paths = new Option<string[]>("--path") { Description = "Paths that match this glob (* any characters, ? one); may be repeated." };
        var where = new Option<string?>("--where") { Description = "Items for which a condition holds, for instance \"duration_ms < 500 and language is null\"." };
        return new Command(verb, description).With(name, items, paths, where).Does((parsed, options, stop) =>
        {
            var spec = new RemoveSpec
            {
                Corpus = parsed.GetRequiredValue(name),
                Items = Verb.List(parsed.GetValue(items)),
                Paths = parsed.GetValue(paths) ?? [],
                Where = parsed.GetValue(where),
                Restore = isRestore,
            };
            BadRequestException.ThrowIfAny(spec.Problems());
            return SharedOptions.ExecuteAsync(RunKind.Remove, spec, options.OpenStore, options, stop);
        });
    }

    private static object Json(CorpusManifest corpus) => new
    {
        corpus.Name,
        corpus.Version,
        Items = corpus.TotalItems,
        ItemsByModality = corpus.Items.ToDictionary(pair => pair.Key.ToString().ToLowerInvariant(), pair => pair.Value),
        corpus.Quarantined,
        corpus.Removed,
        corpus.Sources,
        corpus.UpdatedAt,
    };

    private static string Items(CorpusManifest corpus) => string.Join(", ", corpus.Items.Select(pair => $"{Number(pair.Value)} {pair.Key.ToString().ToLowerInvariant()}"));

    private static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
