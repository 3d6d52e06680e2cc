// `search`: the nearest items of a set to one of its items, to a file or to a text.
using System.CommandLine;
using System.Globalization;
using FeatureForge.Clustering;
using FeatureForge.Data;

namespace FeatureForge.Cli;

internal static class SearchCommand
{
    internal static Command Create()
    {
        var set = new Option<string>("--set") { Description = "The embedding set.", Required = true };
        var item = new Option<string?>("--item") { Description = "Id of an item of the set." };
        var file = new Option<string?>("--file") { Description = "A file, encoded by the set's encoder." };
        var text = new Option<string?>("--text") { Description = "A text, encoded by the set's encoder." };
        var top = new Option<int>("--top") { Description = "Neighbours to find.", DefaultValueFactory = _ => 10 };
        var where = new Option<string?>("--where") { Description = "Which items may be found: COLUMN OP VALUE, joined by and / or; columns of the items table or metadata.KEY; OP = != < <= > >= like, is [not] null; words in 'quotes'." };
        var exact = new Option<bool>("--exact") { Description = "Compare with every vector, index or not." };
        var level = new Option<string>("--level") { Description = "raw, low, mid or high.", DefaultValueFactory = _ => Level.High };
        var grain = new Option<string>("--grain") { Description = "item, segment or patch.", DefaultValueFactory = _ => "item" };
        return new Command("search", "Find the nearest neighbours of an item, a file or a text.").With(set, item, file, text, top, where, exact, level, grain).Does(async (parsed, options, stop) =>
        {
            var (itemId, path, words) = (parsed.GetValue(item), parsed.GetValue(file), parsed.GetValue(text));
            if (new[] { itemId, path, words }.Count(given => given is not null) != 1) throw new BadRequestException("Say what to search for by exactly one of --item ID, --file F and --text T.");
            if (parsed.GetValue(top) < 1) throw new BadRequestException($"--top is {parsed.GetValue(top)}; expected at least 1.");
            var store = options.OpenStore();
            var (name, ofLevel, ofGrain) = (parsed.GetRequiredValue(set), parsed.GetValue(level)!, Verb.Words<Grain>("--grain", [parsed.GetValue(grain)!])[0]);
            var manifest = store.Set(name);
            var filter = parsed.GetValue(where) is { } condition ? ItemFilter.Parse(condition) : null;
            var allowed = filter is null ? null : await filter.ItemsAsync(store, manifest.Corpus, stop);

            var query = itemId is not null
                ? SetSearch.VectorOf(store, name, ofLevel, ofGrain, itemId, stop)
                : await QueryVector.OfAsync(store, manifest, ofLevel, path, words, stop);
            // The item itself is no neighbour: one more is asked for.
            var asked = parsed.GetValue(top) + (itemId is null ? 0 : 1);
            var answer = SetSearch.Of(store, name, ofLevel, ofGrain, query, asked, itemId is null ? manifest.EncoderId : null, parsed.GetValue(exact), allowed, stop);
            var hits = answer.Hits.Where(hit => hit.ItemId != itemId || hit.SpanIndex != 0).Take(parsed.GetValue(top)).ToList();
            var paths = await PathsAsync(store, manifest.Corpus, [.. hits.Select(hit => hit.ItemId)], stop);
            if (options.Json)
                Verb.PrintJson(new { Set = name, Level = ofLevel, Neighbours = hits.Select(hit => new { hit.ItemId, hit.SpanIndex, hit.Distance, Path = paths.GetValueOrDefault(hit.ItemId) }), answer.Recall, answer.Compared, answer.Milliseconds });
            else
            {
                foreach (var hit in hits)
                    Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{hit.Distance:F4}  {hit.ItemId}  {(ofGrain == Grain.Item ? "" : $"#{hit.SpanIndex}  ")}{paths.GetValueOrDefault(hit.ItemId)}"));
                Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{answer.Compared} vectors compared in {answer.Milliseconds:F1} ms; recall {answer.Recall:P1}{(answer.Recall < 1 ? " (measured when the index was built; --exact compares all)" : "")}."));
            }
            return ExitCode.Done;
        });
    }

    private static async Task<Dictionary<string, string>> PathsAsync(Store store, string corpus, HashSet<string> wanted, CancellationToken stop)
    {
        var paths = new Dictionary<string, string>(StringComparer.Ordinal);
        if (store.FindCorpus(corpus) is not { } manifest) return paths;
        foreach (var part in manifest.ItemParts)
            await foreach (var row in ItemsTable.ReadAsync(store.FileOf(store.CorpusFolder(corpus), part), withContent: false, stop))
                if (wanted.Contains(row.ItemId)) paths[row.ItemId] = row.Path;
        return paths;
    }
}
