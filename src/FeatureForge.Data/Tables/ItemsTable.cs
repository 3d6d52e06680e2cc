namespace FeatureForge.Data;

public static class ItemsTable
{
    public static Task WriteAsync(string path, IReadOnlyList<ItemRow> rows, CancellationToken stop) => throw new NotImplementedException();
    public static IAsyncEnumerable<ItemRow> ReadAsync(string path, bool withContent, CancellationToken stop) => throw new NotImplementedException();
}

public static class QuarantineTable
{
    public static Task WriteAsync(string path, IReadOnlyList<Rejection> rows, CancellationToken stop) => throw new NotImplementedException();
    public static IAsyncEnumerable<Rejection> ReadAsync(string path, CancellationToken stop) => throw new NotImplementedException();
}

public static class ClustersTable
{
    public static Task WriteAsync(string path, IReadOnlyList<ClusterRow> rows, CancellationToken stop) => throw new NotImplementedException();
    public static IAsyncEnumerable<ClusterRow> ReadAsync(string path, CancellationToken stop) => throw new NotImplementedException();
}

public static class MembershipsTable
{
    public static Task WriteAsync(string path, IReadOnlyList<MembershipRow> rows, CancellationToken stop) => throw new NotImplementedException();
    public static IAsyncEnumerable<MembershipRow> ReadAsync(string path, CancellationToken stop) => throw new NotImplementedException();
}

public static class MapTable
{
    public static Task WriteAsync(string path, IReadOnlyList<MapRow> rows, CancellationToken stop) => throw new NotImplementedException();
    public static IAsyncEnumerable<MapRow> ReadAsync(string path, CancellationToken stop) => throw new NotImplementedException();
}

public static class MetricsTable
{
    public static Task WriteAsync(string path, IReadOnlyList<MetricRow> rows, CancellationToken stop) => throw new NotImplementedException();
    public static IAsyncEnumerable<MetricRow> ReadAsync(string path, CancellationToken stop) => throw new NotImplementedException();
}

/// <summary>Writes one embeddings file, one row group per block.</summary>
public sealed class EmbeddingWriter : IAsyncDisposable
{
    public static Task<EmbeddingWriter> CreateAsync(string path, EmbeddingHeader header, CancellationToken stop) => throw new NotImplementedException();
    public long Rows => throw new NotImplementedException();
    public Task WriteAsync(EmbeddingBlock block, CancellationToken stop) => throw new NotImplementedException();
    public ValueTask DisposeAsync() => throw new NotImplementedException();
}

public static class EmbeddingTable
{
    public static Task<EmbeddingHeader> ReadHeaderAsync(string path, CancellationToken stop) => throw new NotImplementedException();
    public static IAsyncEnumerable<EmbeddingBlock> ReadAsync(string path, CancellationToken stop) => throw new NotImplementedException();
}
