// `selection`: items of a corpus under a name, for the queue, for conditions (selection = 'NAME') and for other programs.
using System.CommandLine;
using System.Globalization;
using FeatureForge.Clustering;
using FeatureForge.Data;
using FeatureForge.Labelling;

namespace FeatureForge.Cli;

internal static class SelectionCommand
{
    private static readonly Argument<string> _name = new("NAME") { Description = "The selection." };

    internal static Command Create() => new Command("selection", "Put items together under a name: list, show, create, add, replace, take, rm.").With(List(), Show(),
        Change("create", SelectionChange.Create, "Make a selection of some items of a corpus."), Change("add", SelectionChange.Add, "Put more items into a selection."),
        Change("replace", SelectionChange.Replace, "Make other items the selection's."), Change("take", SelectionChange.Remove, "Take items out of a selection."), Remove());

    private static Command List() => new Command("list", "List the selections of the store.").Does((_, options, _) =>
    {
        var selections = options.OpenStore().Selections();
        if (options.Json) Verb.PrintJson(new { Selections = selections.Select(Json) });
        else Console.Out.WriteLine(TextTable.Format(["SELECTION", "CORPUS", "ITEMS", "BY", "CHANGED", "NOTE"], selections.Select(one => (IReadOnlyList<string>)
            [one.Name, one.Corpus, one.Items.ToString("N0", CultureInfo.InvariantCulture), one.Author, one.UpdatedAt.UtcDateTime.ToString("yyyy-MM-dd HH:mm'Z'", CultureInfo.InvariantCulture), one.Note])));
        return Task.FromResult(ExitCode.Done);
    });

    private static Command Show() => new Command("show", "Print the ids of a selection's items, a line each.").With(_name).Does((parsed, options, _) =>
    {
        var store = options.OpenStore();
        var selection = store.Selection(parsed.GetRequiredValue(_name));
        var ids = SelectionDesk.ReadIds(store, selection).Ids;
        if (options.Json) Verb.PrintJson(new { Selection = Json(selection), ItemIds = ids });
        else foreach (var id in ids) Console.Out.WriteLine(id);
        return Task.FromResult(ExitCode.Done);
    });

    private static Command Change(string verb, SelectionChange change, string description)
    {
        var corpus = new Option<string?>("--corpus") { Description = change == SelectionChange.Create ? "The corpus." : "The corpus. Default: the selection's." };
        var items = new Option<string[]>("--item") { Description = "Items, by id or path; repeat it or separate with commas.", AllowMultipleArgumentsPerToken = true };
        var file = new Option<string?>("--ids") { Description = "A file with an item id on each line; - for standard input. A first line item_id is skipped." };
        var where = new Option<string?>("--where") { Description = "Items for which a condition holds, for instance \"duration_ms < 500 and language is null\"." };
        var author = SharedOptions.Author("Who does it.");
        var note = new Option<string?>("--note") { Description = "What it is for." };
        return new Command(verb, description).With(_name, corpus, items, file, where, author, note).Does(async (parsed, options, stop) =>
        {
            var store = options.OpenStore();
            var name = parsed.GetRequiredValue(_name);
            var of = parsed.GetValue(corpus) ?? (change == SelectionChange.Create ? throw new BadRequestException("--corpus is missing: name the corpus that the items are of.") : store.Selection(name).Corpus);
            store.Corpus(of);
            var condition = parsed.GetValue(where);
            string[] ids =
            [
                .. await LabelDesk.ItemsAsync(store, Verb.List(parsed.GetValue(items)), of, stop),
                .. await ReadAsync(parsed.GetValue(file), stop),
                .. condition is null ? [] : (await ItemFilter.Parse(condition).ItemsAsync(store, of, stop)).Ids,
            ];
            if (ids.Length == 0) throw new BadRequestException(condition is null ? "Nothing says which items; give --item, --ids or --where." : $"Corpus '{of}' holds no item where {condition}.");
            var made = await new SelectionDesk(store, TimeProvider.System).ChangeAsync(new()
            {
                Name = name,
                Corpus = of,
                ItemIds = ids,
                Change = change,
                Author = parsed.GetValue(author)!,
                Note = parsed.GetValue(note) ?? (condition is null ? null : $"where {condition}"),
            }, stop);
            if (options.Json) Verb.PrintJson(Json(made));
            else Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Selection {made.Name}: {made.Items:N0} items of corpus {made.Corpus}."));
            return ExitCode.Done;
        });
    }

    private static async Task<IEnumerable<string>> ReadAsync(string? file, CancellationToken stop)
    {
        if (file is null) return [];
        try
        {
            var lines = file == "-" ? (await Console.In.ReadToEndAsync(stop)).Split('\n') : await File.ReadAllLinesAsync(file, stop);
            return lines.Select(line => line.Trim()).Where((line, number) => line.Length > 0 && !(number == 0 && line == "item_id"));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException) { throw new BadRequestException($"--ids {file} cannot be read: {error.Message}"); }
    }

    private static Command Remove() => new Command("rm", "Remove a selection. Its items stay in the corpus.").With(_name).Does(async (parsed, options, stop) =>
    {
        var name = parsed.GetRequiredValue(_name);
        await new SelectionDesk(options.OpenStore(), TimeProvider.System).RemoveAsync(name, stop);
        if (options.Json) Verb.PrintJson(new { Selection = name, Removed = true });
        else Console.Out.WriteLine($"Selection {name} is removed.");
        return ExitCode.Done;
    });

    private static object Json(SelectionManifest selection) => new { selection.Name, selection.Corpus, selection.Items, selection.Version, selection.Author, selection.Note, selection.CreatedAt, selection.UpdatedAt };
}
