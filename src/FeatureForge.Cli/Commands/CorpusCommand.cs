// `corpus`: which corpora there are, and what one holds.
using System.CommandLine;
using System.Globalization;
using FeatureForge.Data;

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
        var show = new Command("show", "Show one corpus.").With(name).Does((parsed, options, _) =>
        {
            var store = options.OpenStore();
            var corpus = store.Corpus(parsed.GetRequiredValue(name));
            if (options.Json) Verb.PrintJson(Json(corpus));
            else Console.Out.WriteLine($"""
                Corpus {corpus.Name}, version {corpus.Version}: {Items(corpus)}; {Number(corpus.Quarantined)} files in quarantine.
                Sources: {string.Join(", ", corpus.Sources)}
                In {store.CorpusFolder(corpus.Name)}: {corpus.ItemParts.Count} item files, {Number(corpus.ItemParts.Sum(part => part.Bytes))} bytes.
                """);
            return Task.FromResult(ExitCode.Done);
        });
        return new Command("corpus", "Look at corpora: list, show.").With(list, show);
    }

    private static object Json(CorpusManifest corpus) => new
    {
        corpus.Name,
        corpus.Version,
        Items = corpus.TotalItems,
        ItemsByModality = corpus.Items.ToDictionary(pair => pair.Key.ToString().ToLowerInvariant(), pair => pair.Value),
        corpus.Quarantined,
        corpus.Sources,
        corpus.UpdatedAt,
    };

    private static string Items(CorpusManifest corpus) => string.Join(", ", corpus.Items.Select(pair => $"{Number(pair.Value)} {pair.Key.ToString().ToLowerInvariant()}"));

    private static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
