// A tree of clusters with the items that show best what each is.
using System.Text;
using FeatureForge.Data;
using Microsoft.Data.Analysis;
using Microsoft.DotNet.Interactive.Formatting;

namespace FeatureForge.Notebooks;

/// <summary>The tree of one clustering. Shown as nested clusters with a grid of exemplars in each leaf.</summary>
[TypeFormatterSource(typeof(RenderedSource<ClusterTree>))]
public sealed class ClusterTree : IRendered
{
    private readonly ILookup<string?, ClusterRow> _children;
    private readonly IReadOnlyDictionary<string, ItemRow> _exemplars;

    internal ClusterTree(ClusteringManifest clustering, IReadOnlyList<ClusterRow> clusters, IReadOnlyDictionary<string, ItemRow> exemplars)
    {
        (Clustering, Clusters, _exemplars) = (clustering, clusters, exemplars);
        _children = clusters.ToLookup(cluster => cluster.ParentId);
    }

    /// <summary>The clustering's manifest.</summary>
    public ClusteringManifest Clustering { get; }
    /// <summary>All nodes; the root has no parent.</summary>
    public IReadOnlyList<ClusterRow> Clusters { get; }
    /// <summary>Nodes without children.</summary>
    public IReadOnlyList<ClusterRow> Leaves => [.. Clusters.Where(cluster => !_children.Contains(cluster.ClusterId))];

    /// <summary>The nodes below a node, the largest first.</summary>
    public IReadOnlyList<ClusterRow> ChildrenOf(string clusterId) => [.. _children[clusterId].OrderByDescending(child => child.Size)];

    /// <summary>The items that show best what a leaf is; empty for other nodes.</summary>
    public IReadOnlyList<ItemRow> ExemplarsOf(ClusterRow cluster) => [.. cluster.ExemplarIds.Where(_exemplars.ContainsKey).Select(id => _exemplars[id])];

    /// <summary>One row per node: cluster_id, parent_id, depth, size, name, keywords (separated by blanks), stability, cohesion. Also an IDataView.</summary>
    public DataFrame ToDataFrame() => new(
        new StringDataFrameColumn("cluster_id", Clusters.Select(row => row.ClusterId)),
        new StringDataFrameColumn("parent_id", Clusters.Select(row => row.ParentId)),
        new Int32DataFrameColumn("depth", Clusters.Select(row => row.Depth)),
        new Int64DataFrameColumn("size", Clusters.Select(row => row.Size)),
        new StringDataFrameColumn("name", Clusters.Select(row => row.Name)),
        new StringDataFrameColumn("keywords", Clusters.Select(row => string.Join(' ', row.Keywords))),
        new SingleDataFrameColumn("stability", Clusters.Select(row => row.Stability)),
        new SingleDataFrameColumn("cohesion", Clusters.Select(row => row.Cohesion)));

    /// <inheritdoc/>
    public string ToHtml()
    {
        var text = new StringBuilder($"<div><b>{Html.Text(Clustering.Name)}</b>: {Clustering.Vectors} vectors in {Clustering.Leaves} clusters, level {Html.Text(Clustering.Level)}</div>");
        foreach (var root in _children[null]) Append(text, root);
        return text.ToString();
    }

    private void Append(StringBuilder text, ClusterRow cluster)
    {
        var children = ChildrenOf(cluster.ClusterId);
        text.Append($"<details{(cluster.Depth < 2 ? " open" : "")} style=\"margin-left:{(cluster.Depth == 0 ? 0 : 16)}px\"><summary><b>{Html.Text(cluster.Name)}</b> · {cluster.Size}{(cluster.Keywords.Count > 0 ? $" · {Html.Text(string.Join(", ", cluster.Keywords))}" : "")}</summary>");
        if (children.Count == 0) text.Append("<div>").AppendJoin("", ExemplarsOf(cluster).Select(ItemPicture.Of)).Append("</div>");
        foreach (var child in children) Append(text, child);
        text.Append("</details>");
    }
}
