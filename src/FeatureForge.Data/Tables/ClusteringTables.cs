// clusterings/NAME/{clusters,memberships,map}/part-NNNNN.parquet and encoders/NAME/metrics/part-NNNNN.parquet.
namespace FeatureForge.Data;

/// <summary>The nodes of a tree of clusters.</summary>
public static class ClustersTable
{
    private static readonly RowTable<ClusterRow> _table = new("clusters", 1,
    [
        new TextColumn<ClusterRow>("cluster_id", row => row.ClusterId),
        new TextColumn<ClusterRow>("parent_id", row => row.ParentId, nullable: true),
        new NumberColumn<ClusterRow, int>("depth", row => row.Depth),
        new NumberColumn<ClusterRow, long>("size", row => row.Size),
        new TextColumn<ClusterRow>("name", row => row.Name),
        new ListColumn<ClusterRow, string>("keywords", row => row.Keywords),
        new ListColumn<ClusterRow, string>("exemplar_ids", row => row.ExemplarIds),
        new ListColumn<ClusterRow, string>("boundary_ids", row => row.BoundaryIds),
        new NumberColumn<ClusterRow, float>("stability", row => row.Stability, nullable: true),
        new NumberColumn<ClusterRow, float>("cohesion", row => row.Cohesion),
        new ListColumn<ClusterRow, float>("centroid", row => row.Centroid),
        new TextColumn<ClusterRow>("nearest_sibling_id", row => row.NearestSiblingId, nullable: true),
        new TextColumn<ClusterRow>("name_source", row => row.NameSource, nullable: true),
    ],
    values => new()
    {
        ClusterId = values.Text("cluster_id"),
        ParentId = values.TextOrNull("parent_id"),
        Depth = values.Number<int>("depth"),
        Size = values.Number<long>("size"),
        Name = values.Text("name"),
        Keywords = values.List<string>("keywords"),
        ExemplarIds = values.List<string>("exemplar_ids"),
        BoundaryIds = values.List<string>("boundary_ids"),
        Stability = values.NumberOrNull<float>("stability"),
        Cohesion = values.Number<float>("cohesion"),
        Centroid = [.. values.List<float>("centroid")],
        NearestSiblingId = values.TextOrNull("nearest_sibling_id"),
        NameSource = values.TextOrNull("name_source"),
    });

    public static Task WriteAsync(string path, IReadOnlyList<ClusterRow> rows, CancellationToken stop) => _table.WriteAsync(path, rows, _ => 0, stop);
    public static IAsyncEnumerable<ClusterRow> ReadAsync(string path, CancellationToken stop) => _table.ReadAsync(path, withHeavy: true, stop);
    internal static Task HashAsync(string path, TableHash hash, CancellationToken stop) => _table.HashAsync(path, hash, stop);
}

/// <summary>Vector to cluster, with strength.</summary>
public static class MembershipsTable
{
    private static readonly RowTable<MembershipRow> _table = new("memberships", 1,
    [
        new TextColumn<MembershipRow>("item_id", row => row.ItemId),
        new NumberColumn<MembershipRow, int>("span_index", row => row.SpanIndex),
        new TextColumn<MembershipRow>("cluster_id", row => row.ClusterId, nullable: true),
        new ListColumn<MembershipRow, string>("cluster_path", row => row.ClusterPath),
        new NumberColumn<MembershipRow, float>("strength", row => row.Strength),
        new NumberColumn<MembershipRow, float>("distance", row => row.Distance),
        new TextColumn<MembershipRow>("nearest_cluster_id", row => row.NearestClusterId, nullable: true),
    ],
    values => new(values.Text("item_id"), values.Number<int>("span_index"), values.TextOrNull("cluster_id"), values.List<string>("cluster_path"),
        values.Number<float>("strength"), values.Number<float>("distance"), values.TextOrNull("nearest_cluster_id")));

    public static Task WriteAsync(string path, IReadOnlyList<MembershipRow> rows, CancellationToken stop) => _table.WriteAsync(path, rows, _ => 0, stop);
    public static IAsyncEnumerable<MembershipRow> ReadAsync(string path, CancellationToken stop) => _table.ReadAsync(path, withHeavy: true, stop);
    internal static Task HashAsync(string path, TableHash hash, CancellationToken stop) => _table.HashAsync(path, hash, stop);
}

/// <summary>Vectors that were put into an existing tree.</summary>
public static class AssignmentsTable
{
    private static readonly RowTable<AssignmentRow> _table = new("assignments", 1,
    [
        new TextColumn<AssignmentRow>("item_id", row => row.ItemId),
        new NumberColumn<AssignmentRow, int>("span_index", row => row.SpanIndex),
        new TextColumn<AssignmentRow>("cluster_id", row => row.ClusterId, nullable: true),
        new TextColumn<AssignmentRow>("nearest_cluster_id", row => row.NearestClusterId),
        new ListColumn<AssignmentRow, string>("cluster_path", row => row.ClusterPath),
        new NumberColumn<AssignmentRow, float>("strength", row => row.Strength),
        new NumberColumn<AssignmentRow, float>("distance", row => row.Distance),
        new NumberColumn<AssignmentRow, float>("novelty", row => row.Novelty),
        new NumberColumn<AssignmentRow, bool>("out_of_distribution", row => row.OutOfDistribution),
        new NumberColumn<AssignmentRow, float>("x", row => row.X, nullable: true),
        new NumberColumn<AssignmentRow, float>("y", row => row.Y, nullable: true),
    ],
    values => new(values.Text("item_id"), values.Number<int>("span_index"), values.TextOrNull("cluster_id"), values.Text("nearest_cluster_id"), values.List<string>("cluster_path"),
        values.Number<float>("strength"), values.Number<float>("distance"), values.Number<float>("novelty"), values.Number<bool>("out_of_distribution"),
        values.NumberOrNull<float>("x"), values.NumberOrNull<float>("y")));

    public static Task WriteAsync(string path, IReadOnlyList<AssignmentRow> rows, CancellationToken stop) => _table.WriteAsync(path, rows, _ => 0, stop);
    public static IAsyncEnumerable<AssignmentRow> ReadAsync(string path, CancellationToken stop) => _table.ReadAsync(path, withHeavy: true, stop);
    internal static Task HashAsync(string path, TableHash hash, CancellationToken stop) => _table.HashAsync(path, hash, stop);
}

/// <summary>What people changed in a clustering.</summary>
public static class ClusterEditsTable
{
    private static readonly RowTable<ClusterEditRow> _table = new("cluster_edits", 1,
    [
        new TextColumn<ClusterEditRow>("edit_id", row => row.EditId) { Volatile = true },
        new TextColumn<ClusterEditRow>("kind", row => row.Kind),
        new ListColumn<ClusterEditRow, string>("cluster_ids", row => row.ClusterIds),
        new ListColumn<ClusterEditRow, string>("result_ids", row => row.ResultIds),
        new TextColumn<ClusterEditRow>("name", row => row.Name, nullable: true),
        new TextColumn<ClusterEditRow>("author", row => row.Author),
        new NumberColumn<ClusterEditRow, DateTime>("at", row => row.At.UtcDateTime) { Volatile = true },
    ],
    values => new()
    {
        EditId = values.Text("edit_id"),
        Kind = values.Text("kind"),
        ClusterIds = values.List<string>("cluster_ids"),
        ResultIds = values.List<string>("result_ids"),
        Name = values.TextOrNull("name"),
        Author = values.Text("author"),
        At = values.Time("at"),
    });

    public static Task WriteAsync(string path, IReadOnlyList<ClusterEditRow> rows, CancellationToken stop) => _table.WriteAsync(path, rows, _ => 0, stop);
    public static IAsyncEnumerable<ClusterEditRow> ReadAsync(string path, CancellationToken stop) => _table.ReadAsync(path, withHeavy: true, stop);
    internal static Task HashAsync(string path, TableHash hash, CancellationToken stop) => _table.HashAsync(path, hash, stop);
}

/// <summary>Vector to place on the 2-D map.</summary>
public static class MapTable
{
    private static readonly RowTable<MapRow> _table = new("map", 1,
    [
        new TextColumn<MapRow>("item_id", row => row.ItemId),
        new NumberColumn<MapRow, int>("span_index", row => row.SpanIndex),
        new NumberColumn<MapRow, float>("x", row => row.X),
        new NumberColumn<MapRow, float>("y", row => row.Y),
    ],
    values => new(values.Text("item_id"), values.Number<int>("span_index"), values.Number<float>("x"), values.Number<float>("y")));

    public static Task WriteAsync(string path, IReadOnlyList<MapRow> rows, CancellationToken stop) => _table.WriteAsync(path, rows, _ => 0, stop);
    public static IAsyncEnumerable<MapRow> ReadAsync(string path, CancellationToken stop) => _table.ReadAsync(path, withHeavy: true, stop);
    internal static Task HashAsync(string path, TableHash hash, CancellationToken stop) => _table.HashAsync(path, hash, stop);
}

/// <summary>Numbers over the steps of a training run.</summary>
public static class MetricsTable
{
    private static readonly RowTable<MetricRow> _table = new("metrics", 1,
    [
        new NumberColumn<MetricRow, long>("step", row => row.Step),
        new TextColumn<MetricRow>("name", row => row.Name),
        new NumberColumn<MetricRow, double>("value", row => row.Value),
    ],
    values => new(values.Number<long>("step"), values.Text("name"), values.Number<double>("value")));

    public static Task WriteAsync(string path, IReadOnlyList<MetricRow> rows, CancellationToken stop) => _table.WriteAsync(path, rows, _ => 0, stop);
    public static IAsyncEnumerable<MetricRow> ReadAsync(string path, CancellationToken stop) => _table.ReadAsync(path, withHeavy: true, stop);

    /// <summary>Speeds and waits differ between equal runs; they stay out of the content hash.</summary>
    internal static async Task HashAsync(string path, TableHash hash, CancellationToken stop)
    {
        var encoder = new CanonicalEncoder();
        await foreach (var row in ReadAsync(path, stop))
        {
            if (IsTiming(row.Name)) continue;
            encoder.Add<long>(row.Step);
            encoder.Add(row.Name);
            encoder.Add<double>(row.Value);
            hash.Add(encoder);
        }
    }

    private static bool IsTiming(string name) =>
        name.EndsWith("_per_second", StringComparison.Ordinal) || name.EndsWith("seconds", StringComparison.Ordinal) || name.EndsWith("data_wait", StringComparison.Ordinal);
}
