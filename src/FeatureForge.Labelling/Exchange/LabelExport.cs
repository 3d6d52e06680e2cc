// `label export`: the labels in force as a file of another tool's format, or ours. Written beside and renamed, so a file is whole or absent.
using FeatureForge.Data;

namespace FeatureForge.Labelling;

/// <summary>Writes labels out.</summary>
public static class LabelExport
{
    /// <param name="format">One of <see cref="LabelFormats.All"/>.</param>
    /// <param name="decided">One label an item, the one that decides, instead of all labels in force. Regions are kept either way.</param>
    /// <param name="all">Label Studio only: tasks for unlabelled items of the corpus as well, to be labelled there.</param>
    /// <param name="corpus">Whose unlabelled items; null = all corpora.</param>
    /// <exception cref="BadRequestException">No such label set or format.</exception>
    public static async Task<LabelExportResult> RunAsync(Store store, string labelSet, string format, string path, bool decided, bool all, string? corpus, CancellationToken stop)
    {
        if (!LabelFormats.All.Contains(format)) throw new BadRequestException($"Format '{format}' is unknown; expected {string.Join(", ", LabelFormats.All)}.");
        var state = await LabelLog.Existing(store, labelSet).ReadAsync(stop);
        IReadOnlyList<LabelRow> rows = decided ? Decided(state) : state.Active;
        var byItem = rows.Where(row => row.Target == LabelTarget.Item).GroupBy(row => row.TargetId, StringComparer.Ordinal).ToDictionary(group => group.Key, group => (IReadOnlyList<LabelRow>)[.. group], StringComparer.Ordinal);
        var clusters = rows.Where(row => row.Target == LabelTarget.Cluster).ToList();
        var known = await KnownItems.ReadAsync(store, corpus, all ? null : byItem.ContainsKey, stop);
        var items = (all ? known.Keys.Union(byItem.Keys) : byItem.Keys).Order(StringComparer.Ordinal)
            .Select(id => (known.GetValueOrDefault(id) ?? new(id, "", Modality.Text, id, "", null, null, null, null, null), byItem.GetValueOrDefault(id) ?? [])).ToList();
        var leftOut = new List<string>();
        if (clusters.Count > 0 && format is "label-studio" or "coco") leftOut.Add($"{clusters.Count} labels of clusters: {format} knows items only.");

        var temporary = $"{path}.{Environment.ProcessId}.tmp";
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        if (format == "parquet") await LabelsTable.WriteAsync(temporary, rows, stop);
        else
            await using (var stream = File.Create(temporary))
            {
                if (format == "csv") LabelTables.WriteCsv(stream, items, clusters);
                else if (format == "jsonl") LabelTables.WriteJsonLines(stream, items, clusters);
                else if (format == "label-studio") LabelStudio.Write(stream, items, leftOut.Add);
                else Coco.Write(stream, items, leftOut.Add);
            }
        DurableFile.MoveInto(temporary, path);
        return new(labelSet, format, path, rows.Count, byItem.Count, leftOut);
    }

    private static List<LabelRow> Decided(LabelState state)
    {
        var decisions = LabelDecisions.OfItems(state);
        var whole = state.Active.Where(row => row.Target == LabelTarget.Item && row.Region is null && decisions[row.TargetId] is var decision && decision.Name == row.Name && decision.Source == row.Source)
            .GroupBy(row => row.TargetId, StringComparer.Ordinal).Select(group => group.OrderBy(row => row.At).Last());
        return [.. whole, .. state.Active.Where(row => row.Target == LabelTarget.Cluster || row.Region is not null)];
    }
}
