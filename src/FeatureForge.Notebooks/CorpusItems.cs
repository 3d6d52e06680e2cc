// Items of a corpus: rows for computing, pictures, players and texts for looking.
using FeatureForge.Data;
using Microsoft.Data.Analysis;
using Microsoft.DotNet.Interactive.Formatting;

namespace FeatureForge.Notebooks;

/// <summary>Items of one corpus. Shown as pictures, audio players and texts.</summary>
[TypeFormatterSource(typeof(RenderedSource<CorpusItems>))]
public sealed class CorpusItems : IRendered
{
    internal const int MostShown = 48;

    internal CorpusItems(string title, IReadOnlyList<ItemRow> rows, long total) => (Title, Rows, Total) = (title, rows, total);

    /// <summary>What these items are.</summary>
    public string Title { get; }

    /// <summary>The items that were asked for, in the order of the corpus; with their bytes when they were read to be looked at.</summary>
    public IReadOnlyList<ItemRow> Rows { get; }

    /// <summary>Items in the corpus.</summary>
    public long Total { get; }

    /// <summary>
    /// One row per item: item_id, modality, path, media_type, byte_size, width, height, channels, duration_ms, sample_rate, characters,
    /// language, near_duplicate_of, text, and quality.NAME for every score. A <see cref="DataFrame"/> is also an IDataView.
    /// </summary>
    public DataFrame ToDataFrame()
    {
        var scores = Rows.SelectMany(row => row.Quality.Keys).Distinct().Order(StringComparer.Ordinal);
        return new(
        [
            new StringDataFrameColumn("item_id", Rows.Select(row => row.ItemId)),
            new StringDataFrameColumn("modality", Rows.Select(row => row.Modality.ToString().ToLowerInvariant())),
            new StringDataFrameColumn("path", Rows.Select(row => row.Path)),
            new StringDataFrameColumn("media_type", Rows.Select(row => row.MediaType)),
            new Int64DataFrameColumn("byte_size", Rows.Select(row => row.ByteSize)),
            new Int32DataFrameColumn("width", Rows.Select(row => row.Width)),
            new Int32DataFrameColumn("height", Rows.Select(row => row.Height)),
            new Int32DataFrameColumn("channels", Rows.Select(row => row.Channels)),
            new Int32DataFrameColumn("duration_ms", Rows.Select(row => row.DurationMs)),
            new Int32DataFrameColumn("sample_rate", Rows.Select(row => row.SampleRate)),
            new Int32DataFrameColumn("characters", Rows.Select(row => row.Characters)),
            new StringDataFrameColumn("language", Rows.Select(row => row.Language)),
            new StringDataFrameColumn("near_duplicate_of", Rows.Select(row => row.NearDuplicateOf)),
            new StringDataFrameColumn("text", Rows.Select(row => row.Text)),
            .. scores.Select(name => new SingleDataFrameColumn($"quality.{name}", Rows.Select(row => row.Quality.TryGetValue(name, out var score) ? score : (float?)null))),
        ]);
    }

    /// <inheritdoc/>
    public string ToHtml() => $"<div><b>{Html.Text(Title)}</b>: {Rows.Count} of {Total} items</div><div>{string.Concat(Rows.Take(MostShown).Select(ItemPicture.Of))}</div>";
}
