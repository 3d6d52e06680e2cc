// The 2-D map of a clustering: where every vector lies, and in which cluster.
using FeatureForge.Data;
using Microsoft.Data.Analysis;
using Microsoft.DotNet.Interactive.Formatting;

namespace FeatureForge.Notebooks;

/// <summary>One vector's place and cluster.</summary>
/// <param name="ClusterId">The leaf; null = noise.</param>
public sealed record MapPlace(string ItemId, int SpanIndex, float X, float Y, string? ClusterId);

/// <summary>Places of the vectors of one clustering. Shown as a plot, one colour a leaf.</summary>
[TypeFormatterSource(typeof(RenderedSource<ClusterMap>))]
public sealed class ClusterMap : IRendered
{
    private const int MostDrawn = 5_000;
    private readonly IReadOnlyDictionary<string, string> _names;

    internal ClusterMap(ClusteringManifest clustering, IReadOnlyList<MapPlace> places, IReadOnlyDictionary<string, string> names) => (Clustering, Places, _names) = (clustering, places, names);

    /// <summary>The clustering's manifest.</summary>
    public ClusteringManifest Clustering { get; }
    /// <summary>One per vector that was asked for.</summary>
    public IReadOnlyList<MapPlace> Places { get; }

    /// <summary>One row per vector: item_id, span_index, x, y, cluster_id, cluster (its name). Also an IDataView.</summary>
    public DataFrame ToDataFrame() => new(
        new StringDataFrameColumn("item_id", Places.Select(place => place.ItemId)),
        new Int32DataFrameColumn("span_index", Places.Select(place => place.SpanIndex)),
        new SingleDataFrameColumn("x", Places.Select(place => place.X)),
        new SingleDataFrameColumn("y", Places.Select(place => place.Y)),
        new StringDataFrameColumn("cluster_id", Places.Select(place => place.ClusterId)),
        new StringDataFrameColumn("cluster", Places.Select(place => place.ClusterId is { } id ? _names.GetValueOrDefault(id) : null)));

    /// <inheritdoc/>
    public string ToHtml()
    {
        // The largest leaves get the legend's first places.
        var leaves = Places.Where(place => place.ClusterId is not null).CountBy(place => place.ClusterId!).OrderByDescending(leaf => leaf.Value).ThenBy(leaf => leaf.Key, StringComparer.Ordinal).Select(leaf => leaf.Key).ToList();
        var numbers = leaves.Select((leaf, number) => (leaf, number)).ToDictionary(pair => pair.leaf, pair => pair.number);
        var every = Math.Max(1, (Places.Count + MostDrawn - 1) / MostDrawn);
        var points = Places.Where((_, index) => index % every == 0).Select(place => (place.X, place.Y, place.ClusterId is { } id ? numbers[id] : -1)).ToList();
        return $"<div><b>{Html.Text(Clustering.Name)}</b>: {points.Count} of {Places.Count} places</div>{Plot.Points(points, [.. leaves.Select(leaf => _names.GetValueOrDefault(leaf, leaf))])}";
    }
}
