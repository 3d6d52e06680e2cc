// The vectors of one table of an embedding set, as one matrix and as a data frame.
using System.Globalization;
using FeatureForge.Data;
using Microsoft.Data.Analysis;
using Microsoft.DotNet.Interactive.Formatting;
using Microsoft.ML.Data;

namespace FeatureForge.Notebooks;

/// <summary>Vectors of one level and grain, in the order (item_id, span_index).</summary>
[TypeFormatterSource(typeof(RenderedSource<SetVectors>))]
public sealed class SetVectors : IRendered
{
    internal SetVectors(SetManifest set, EmbeddingHeader header, long total, IReadOnlyList<EmbeddingBlock> blocks)
    {
        (Set, Header, Total) = (set, header, total);
        ItemIds = [.. blocks.SelectMany(block => block.ItemIds)];
        SpanIndex = [.. blocks.SelectMany(block => block.SpanIndex)];
        Spans = [.. blocks.SelectMany(block => block.Spans)];
        Values = new float[(long)ItemIds.Count * header.Dimension];
        var at = 0;
        foreach (var block in blocks)
        {
            block.Vectors.CopyTo(Values, at);
            at += block.Vectors.Length;
        }
    }

    /// <summary>The embedding set's manifest.</summary>
    public SetManifest Set { get; }
    /// <summary>Which encoder, level, grain, dimension and metric.</summary>
    public EmbeddingHeader Header { get; }
    /// <summary>Vectors in the table; there are fewer here when fewer were asked for.</summary>
    public long Total { get; }
    /// <summary>[N]</summary>
    public IReadOnlyList<string> ItemIds { get; }
    /// <summary>[N]</summary>
    public IReadOnlyList<int> SpanIndex { get; }
    /// <summary>[N], in native units.</summary>
    public IReadOnlyList<ItemSpan> Spans { get; }
    /// <summary>[N, D], row-major.</summary>
    public float[] Values { get; }

    /// <summary>Vector number <paramref name="row"/>: [D].</summary>
    public ReadOnlySpan<float> this[int row] => Values.AsSpan(row * Header.Dimension, Header.Dimension);

    /// <summary>The rows nearest to a row by the level's metric, nearest first, itself left out.</summary>
    public IReadOnlyList<int> Nearest(int row, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(row);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(row, ItemIds.Count);
        return [.. Enumerable.Range(0, ItemIds.Count).Where(other => other != row).Select(other => (Distance: Distance(this[row], this[other]), other)).Order().Take(count).Select(pair => pair.other)];
    }

    // In the order of the metric, not its value: the norm of a is the same for all.
    private double Distance(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double product = 0, squares = 0, norm = 0;
        for (var i = 0; i < a.Length; i++)
        {
            product += (double)a[i] * b[i];
            squares += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
            norm += (double)b[i] * b[i];
        }
        return Header.Metric == "cosine" ? -product / Math.Sqrt(Math.Max(norm, 1e-30)) : squares;
    }

    /// <summary>One row per vector: item_id, span_index, vector (a vector of float32). Also an IDataView, as ML.NET's trainers take it.</summary>
    public DataFrame ToDataFrame()
    {
        var vectors = new VBufferDataFrameColumn<float>("vector", Enumerable.Range(0, ItemIds.Count).Select(row => new VBuffer<float>(Header.Dimension, this[row].ToArray())));
        return new(new StringDataFrameColumn("item_id", ItemIds), new Int32DataFrameColumn("span_index", SpanIndex), vectors);
    }

    /// <inheritdoc/>
    public string ToHtml() => $"<div><b>{Html.Text(Set.Name)}</b>, level {Html.Text(Header.Level)}, grain {Html.Text(Header.Grain.ToString().ToLowerInvariant())}: {ItemIds.Count} of {Total} vectors of {Header.Dimension} values ({Html.Text(Header.Metric)}), encoder {Html.Text(Header.EncoderId)}</div>"
        + Html.Table(["item_id", "span_index", "vector"], Enumerable.Range(0, Math.Min(5, ItemIds.Count)).Select(row => (IReadOnlyList<object?>)[ItemIds[row], SpanIndex[row], FirstValues(row)]));

    private string FirstValues(int row) => string.Join(" ", this[row][..Math.Min(8, Header.Dimension)].ToArray().Select(value => value.ToString("0.000", CultureInfo.InvariantCulture))) + " …";
}
