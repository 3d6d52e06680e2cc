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
    ],
    values => new(values.Text("item_id"), values.Number<int>("span_index"), values.TextOrNull("cluster_id"), values.List<string>("cluster_path"),
        values.Number<float>("strength"), values.Number<float>("distance")));

    public static Task WriteAsync(string path, IReadOnlyList<MembershipRow> rows, CancellationToken stop) => _table.WriteAsync(path, rows, _ => 0, stop);
    public static IAsyncEnumerable<MembershipRow> ReadAsync(string path, CancellationToken stop) => _table.ReadAsync(path, withHeavy: true, stop);
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
