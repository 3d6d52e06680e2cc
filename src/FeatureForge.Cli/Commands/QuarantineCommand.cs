// `quarantine`: which files could not become items, and why.
using System.CommandLine;
using System.Globalization;
using FeatureForge.Data;

namespace FeatureForge.Cli;

internal static class QuarantineCommand
{
    internal static Command Create()
    {
        var corpus = new Option<string?>("--corpus") { Description = "Default: all corpora." };
        var code = new Option<string?>("--code") { Description = "Only this reason, for instance truncated." };
        var take = new Option<int>("--take") { Description = "Rows to show.", DefaultValueFactory = _ => 100 };
        var list = new Command("list", "List files in quarantine, with the reason.").With(corpus, code, take).Does(async (parsed, options, stop) =>
        {
            var store = options.OpenStore();
            var corpora = parsed.GetValue(corpus) is { } name ? [store.Corpus(name)] : store.Corpora();
            var rows = new List<(string Corpus, Rejection Row)>();
            foreach (var manifest in corpora)
                foreach (var part in manifest.QuarantineParts)
                    await foreach (var row in QuarantineTable.ReadAsync(Path.Combine(store.CorpusFolder(manifest.Name), part.Path), stop))
                        if (parsed.GetValue(code) is not { } wanted || QuarantineTable.CodeName(row.Code) == wanted) rows.Add((manifest.Name, row));
            Print(rows, parsed.GetValue(take), options);
            return ExitCode.Done;
        });
        return new Command("quarantine", "Look at files that could not become items: list.").With(list);
    }

    private static void Print(List<(string Corpus, Rejection Row)> rows, int take, GlobalOptions options)
    {
        var shown = rows.Take(take);
        if (options.Json)
        {
            Verb.PrintJson(new { Total = rows.Count, Rows = shown.Select(row => new { row.Corpus, row.Row.Path, row.Row.SourceUri, row.Row.ByteSize, row.Row.Stage, row.Row.Code, row.Row.Reason, row.Row.Attempts, row.Row.At }) });
            return;
        }
        Console.Out.WriteLine(TextTable.Format(["CORPUS", "CODE", "PATH", "REASON"], shown.Select(row => (IReadOnlyList<string>)[row.Corpus, QuarantineTable.CodeName(row.Row.Code), row.Row.Path, row.Row.Reason])));
        foreach (var group in rows.GroupBy(row => row.Row.Code).OrderByDescending(group => group.Count()))
            Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{group.Count(),8:N0} {QuarantineTable.CodeName(group.Key)}"));
    }
}
