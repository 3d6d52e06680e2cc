// What exports of a corpus share: its items with bytes that other tools can open, and the label of each that counts.
using FeatureForge.Data;
using FeatureForge.Ingest;
using FeatureForge.Labelling;

namespace FeatureForge.Cli;

/// <summary>An item ready to leave.</summary>
/// <param name="Bytes">The item's own, or a PNG of raw pixels.</param>
/// <param name="Extension">Of a file with these bytes, without the dot.</param>
/// <param name="Label">Null when the item has none.</param>
internal sealed record LeavingItem(ItemRow Row, byte[] Bytes, string Extension, string? Label);

internal static class CorpusExport
{
    /// <summary>Items of one part with their bytes; null stands for an item that was kept by reference.</summary>
    internal static async IAsyncEnumerable<LeavingItem?> ReadAsync(Store store, CorpusManifest corpus, PartFile part, IReadOnlyDictionary<string, string> labels, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken stop)
    {
        await foreach (var row in RemovedItems.Of(store, corpus).Without(ItemsTable.ReadAsync(store.FileOf(store.CorpusFolder(corpus.Name), part), withContent: true, stop)))
        {
            var label = labels.GetValueOrDefault(row.ItemId);
            if (row.Modality == Modality.Text && row.Text is not null) yield return new(row, System.Text.Encoding.UTF8.GetBytes(row.Text), "txt", label);
            else if (row.Content is null) yield return null;
            else if (row.MediaType == "application/x-idx-ubyte" && MediaPreview.Thumbnail(row, Math.Max(row.Width!.Value, row.Height!.Value)) is { } picture) yield return new(row, picture.Bytes, picture.MediaType["image/".Length..], label);
            else yield return new(row, row.Content, Extension(row), label);
        }
    }

    /// <summary>item_id to label, by the rule that decides among several.</summary>
    internal static async Task<IReadOnlyDictionary<string, string>> LabelsAsync(Store store, string? labelSet, CancellationToken stop) => labelSet is null ? new Dictionary<string, string>()
        : LabelDecisions.OfItems(await LabelLog.Existing(store, labelSet).ReadAsync(stop)).ToDictionary(pair => pair.Key, pair => pair.Value.Name);

    /// <summary>The file's own extension when it has a plain one, else by media type.</summary>
    private static string Extension(ItemRow row)
    {
        var own = Path.GetExtension(row.Path).TrimStart('.').ToLowerInvariant();
        return own.Length is > 0 and <= 5 && own.All(char.IsAsciiLetterOrDigit) ? own : row.MediaType.Split('/')[^1].Replace("x-", "", StringComparison.Ordinal);
    }
}
