// The corpus report for people and, with the same content, as JSON.
using System.Globalization;
using System.Text;
using FeatureForge.Data;
using FeatureForge.Ingest;

namespace FeatureForge.Cli;

internal static class CorpusReportText
{
    internal static object Json(CorpusManifest corpus, CorpusReport report) => new
    {
        corpus.Name,
        corpus.Version,
        Items = corpus.TotalItems,
        ItemsByModality = corpus.Items.ToDictionary(pair => Word(pair.Key), pair => pair.Value),
        corpus.Quarantined,
        corpus.Sources,
        corpus.UpdatedAt,
        report.Totals,
        report.Issues,
        report.ExactDuplicates,
        report.LargestExactGroups,
        report.NearDuplicates,
        report.NearDuplicateGroups,
        report.LargestGroups,
        report.Quarantine,
        report.Languages,
    };

    internal static string Of(Store store, CorpusManifest corpus, CorpusReport report)
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"Corpus {corpus.Name}, version {corpus.Version}, in {store.PlaceOf(store.CorpusFolder(corpus.Name))}");
        text.AppendLine(CultureInfo.InvariantCulture, $"{corpus.ItemParts.Count} item files, {corpus.ItemParts.Sum(part => part.Bytes):N0} bytes; sources: {string.Join(", ", corpus.Sources)}").AppendLine();
        text.AppendLine(TextTable.Format(["MODALITY", "ITEMS", "BYTES", "LENGTH"], report.Totals.Select(total => (IReadOnlyList<string>)[Word(total.Modality), Number(total.Items), Number(total.Bytes), Length(total)])));
        if (report.Languages.Count > 0) text.AppendLine(CultureInfo.InvariantCulture, $"Languages: {string.Join(", ", report.Languages.Take(12).Select(language => $"{language.Key} {Number(language.Value)}"))}{(report.Languages.Count > 12 ? $" and {report.Languages.Count - 12} more" : "")}");
        AppendIssues(text, report);
        AppendDuplicates(text, report);
        AppendQuarantine(text, report);
        return text.ToString().TrimEnd();
    }

    private static void AppendIssues(StringBuilder text, CorpusReport report)
    {
        text.AppendLine();
        if (report.Issues.Count == 0)
        {
            text.AppendLine("No quality issues.");
            return;
        }
        text.AppendLine(TextTable.Format(["ISSUE", "ITEMS", "SHARE", "THRESHOLD", "WORST"], report.Issues.Select(issue => (IReadOnlyList<string>)
        [
            issue.Issue, Number(issue.Items), Share(issue.Items, issue.Measured), $"{(issue.Below ? "<" : ">")} {Score(issue.Threshold)}",
            string.Join(", ", issue.Examples.Take(3).Select(example => $"{example.Path} ({Score(example.Score)})")),
        ])));
    }

    private static void AppendDuplicates(StringBuilder text, CorpusReport report)
    {
        text.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"{report.ExactDuplicates:N0} files are exact duplicates; {report.NearDuplicates:N0} items in {report.NearDuplicateGroups:N0} groups nearly equal another.");
        foreach (var group in report.LargestExactGroups.Take(3)) text.AppendLine(CultureInfo.InvariantCulture, $"  {group.Copies + 1,6:N0} equal  item {group.ItemId}: {string.Join(", ", group.Paths)}{More(group.Copies, group.Paths.Count)}");
        foreach (var group in report.LargestGroups.Take(5)) text.AppendLine(CultureInfo.InvariantCulture, $"  {group.Items,6:N0} alike  {group.Path ?? $"item {group.ItemId}, removed"}: {string.Join(", ", group.Paths)}{More(group.Items - 1, group.Paths.Count)}");
    }

    private static void AppendQuarantine(StringBuilder text, CorpusReport report)
    {
        text.AppendLine();
        if (report.Quarantine.Count == 0)
        {
            text.AppendLine("Nothing in quarantine.");
            return;
        }
        text.AppendLine(TextTable.Format(["QUARANTINE", "FILES", "FOR INSTANCE"], report.Quarantine.Select(code => (IReadOnlyList<string>)[QuarantineTable.CodeName(code.Code), Number(code.Files), $"{code.Examples[0].Path}: {code.Examples[0].Reason}"])));
    }

    private static string Length(ModalityTotals total) => total.Modality switch
    {
        Modality.Audio => string.Create(CultureInfo.InvariantCulture, $"{TimeSpan.FromSeconds(total.Seconds):d\\.hh\\:mm\\:ss}"),
        Modality.Text => $"{Number(total.Characters)} characters",
        _ => string.Create(CultureInfo.InvariantCulture, $"{total.Pixels / 1e6:N1} megapixels"),
    };

    private static string More(long all, int shown) => all > shown ? string.Create(CultureInfo.InvariantCulture, $" and {all - shown:N0} more") : "";

    private static string Share(long items, long all) => ((double)items / all).ToString("P1", CultureInfo.InvariantCulture);

    private static string Score(float score) => score.ToString("0.###", CultureInfo.InvariantCulture);

    private static string Word(Modality modality) => modality.ToString().ToLowerInvariant();

    private static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
