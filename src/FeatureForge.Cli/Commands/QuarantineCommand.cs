// `quarantine`: which files could not become items, and why.
using System.CommandLine;
using System.Globalization;
using FeatureForge.Data;
using FeatureForge.Ingest;

namespace FeatureForge.Cli;

internal static class QuarantineCommand
{
    internal static Command Create()
    {
        var corpus = new Option<string?>("--corpus") { Description = "Default: all corpora." };
        var code = new Option<string?>("--code") { Description = "Only this reason, for instance truncated." };
        var paths = new Option<string[]>("--path") { Description = "Only paths that match this glob (* any characters, ? one); may be repeated." };
        var take = new Option<int>("--take") { Description = "Rows to show.", DefaultValueFactory = _ => 100 };
        var list = new Command("list", "List files in quarantine, with the reason.").With(corpus, code, paths, take).Does(async (parsed, options, stop) =>
        {
            var store = options.OpenStore();
            var corpora = parsed.GetValue(corpus) is { } name ? [store.Corpus(name)] : store.Corpora();
            var selection = new RetrySelection { Codes = parsed.GetValue(code) is { } wanted ? [CodeOf(wanted)] : [], Paths = parsed.GetValue(paths) ?? [] };
            var rows = new List<(string Corpus, Rejection Row)>();
            foreach (var manifest in corpora)
                foreach (var part in manifest.QuarantineParts)
                    await foreach (var row in QuarantineTable.ReadAsync(store.FileOf(store.CorpusFolder(manifest.Name), part), stop))
                        if (selection.Matches(row)) rows.Add((manifest.Name, row));
            Print(rows, parsed.GetValue(take), options);
            return ExitCode.Done;
        });
        return new Command("quarantine", "Look after files that could not become items: list, retry.").With(list, Retry());
    }

    private static Command Retry()
    {
        var corpus = new Option<string>("--corpus") { Description = "The corpus.", Required = true };
        var codes = new Option<string[]>("--code") { Description = "Only these reasons, for instance too_large." };
        var paths = new Option<string[]>("--path") { Description = "Only paths that match this glob (* any characters, ? one); may be repeated." };
        var maxPixels = new Option<long?>("--max-pixels") { Description = "Another limit than at the last ingest: largest picture, width times height." };
        var maxSeconds = new Option<double?>("--max-seconds") { Description = "Longest recording." };
        var maxCharacters = new Option<int?>("--max-characters") { Description = "Longest document." };
        var maxFileBytes = new Option<long?>("--max-file-bytes") { Description = "Largest file." };
        var secondsPerFile = new Option<double?>("--seconds-per-file") { Description = "Longest decoding of a file." };
        return new Command("retry", "Try quarantined files again, after a fix at the source or with another limit. What becomes an item leaves the quarantine.")
            .With(corpus, codes, paths, maxPixels, maxSeconds, maxCharacters, maxFileBytes, secondsPerFile).Does((parsed, options, stop) =>
            {
                var store = options.OpenStore();
                var selection = new RetrySelection { Codes = [.. Verb.List(parsed.GetValue(codes)).Select(CodeOf)], Paths = parsed.GetValue(paths) ?? [] };
                var spec = selection.Of(store.Corpus(parsed.GetRequiredValue(corpus)));
                var limits = spec.Limits;
                spec = spec with
                {
                    Limits = limits with
                    {
                        ImagePixels = parsed.GetValue(maxPixels) ?? limits.ImagePixels,
                        AudioSeconds = parsed.GetValue(maxSeconds) ?? limits.AudioSeconds,
                        TextCharacters = parsed.GetValue(maxCharacters) ?? limits.TextCharacters,
                        FileBytes = parsed.GetValue(maxFileBytes) ?? limits.FileBytes,
                        SecondsPerFile = parsed.GetValue(secondsPerFile) ?? limits.SecondsPerFile,
                    },
                };
                BadRequestException.ThrowIfAny(spec.Problems());
                return SharedOptions.ExecuteAsync(RunKind.Ingest, spec, () => store, options, stop);
            });
    }

    private static RejectionCode CodeOf(string name) => RetrySelection.CodeOf(name)
        ?? throw new BadRequestException($"--code '{name}' is unknown; expected {string.Join(", ", Enum.GetValues<RejectionCode>().Select(QuarantineTable.CodeName))}.");

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
