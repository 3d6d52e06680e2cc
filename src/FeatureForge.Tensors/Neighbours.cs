// Exact nearest neighbours by blocked matrix products. On the CPU in NeighboursOnHost.cs, with the choice of the best fused into the
// product; on CUDA here by products and top-k, where memory is bounded by one block of scores, whatever the number of rows.
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Tensors;

/// <summary>For every query its nearest rows, nearest first.</summary>
/// <param name="Index">[queries, K], row-major.</param>
/// <param name="Distance">[queries, K], in the metric (1 - cosine, or Euclidean).</param>
public sealed record NeighbourTable(int[] Index, float[] Distance, int K)
{
    public int Queries => Index.Length / K;
}

/// <summary>Exact k nearest neighbours.</summary>
public static class Neighbours
{
    private const long QueryBlock = 1024;
    private const long RowBlock = 1 << 15;

    /// <summary>The neighbours of every host row among the others (a row is no neighbour of itself).</summary>
    /// <param name="vectors">[rows, dimension], row-major.</param>
    /// <param name="k">1 to rows - 1.</param>
    /// <param name="device">auto, cpu or cuda.</param>
    /// <param name="progress">Told (queries done, queries) after every block.</param>
    public static NeighbourTable Among(float[] vectors, int rows, int dimension, int k, VectorMetric metric, string device = "cpu",
        Action<int, int>? progress = null, CancellationToken stop = default)
    {
        if (rows < 1 || vectors.Length != (long)rows * dimension) throw new ArgumentException($"Expected {rows} x {dimension} values, found {vectors.Length}.");
        if (k < 1 || k >= rows) throw new ArgumentException($"Expected 1 to {rows - 1} neighbours among {rows} vectors, found {k}.");
        var on = DeviceChoice.Select(device);
        if (on.type == DeviceType.CPU) return NeighboursOnHost.Search(vectors, rows, vectors, rows, dimension, k, metric, excludeSelf: true, progress, stop);
        using var scope = NewDisposeScope();
        return Among(HostCopies.ToTensor(vectors, [rows, dimension], on), k, metric, progress, stop); // [N, D]
    }

    /// <summary>The same for rows [first, first + count) alone: what they get does not depend on which others are asked for.</summary>
    public static NeighbourTable Among(float[] vectors, int rows, int dimension, int k, VectorMetric metric, int first, int count, string device = "cpu", Action<int, int>? progress = null, CancellationToken stop = default)
    {
        if (first < 0 || count < 1 || first + count > rows) throw new ArgumentException($"Expected a part of {rows} rows, found {count} from {first}.");
        if (k < 1 || k >= rows) throw new ArgumentException($"Expected 1 to {rows - 1} neighbours among {rows} vectors, found {k}.");
        var on = DeviceChoice.Select(device);
        if (on.type == DeviceType.CPU) return NeighboursOnHost.Search(vectors, rows, vectors, rows, dimension, k, metric, excludeSelf: true, progress, stop, part: (first, count));
        using var scope = NewDisposeScope();
        return Search(HostCopies.ToTensor(vectors, [rows, dimension], on), HostCopies.ToTensor(vectors, [rows, dimension], on), k, metric, excludeSelf: true, progress, stop, (first, count));
    }

    /// <summary>The neighbours of every host query among the rows.</summary>
    /// <param name="queries">[queryCount, dimension], row-major.</param>
    /// <param name="vectors">[rows, dimension], row-major.</param>
    /// <param name="k">1 to rows.</param>
    public static NeighbourTable Of(float[] queries, int queryCount, float[] vectors, int rows, int dimension, int k, VectorMetric metric, Action<int, int>? progress = null, CancellationToken stop = default)
    {
        if (queries.Length != (long)queryCount * dimension || vectors.Length != (long)rows * dimension)
            throw new ArgumentException($"Expected {queryCount} x {dimension} and {rows} x {dimension} values, found {queries.Length} and {vectors.Length}.");
        if (k < 1 || k > rows) throw new ArgumentException($"Expected 1 to {rows} neighbours in {rows} vectors, found {k}.");
        return NeighboursOnHost.Search(queries, queryCount, vectors, rows, dimension, k, metric, excludeSelf: false, progress, stop);
    }

    /// <summary>For every query the nearest rows that are not of its own group; index -1 where there are fewer.</summary>
    /// <param name="groupOfQuery">Per query.</param>
    /// <param name="groupOfRow">Per row.</param>
    public static NeighbourTable OutsideGroups(float[] queries, int[] groupOfQuery, float[] vectors, int[] groupOfRow, int dimension, VectorMetric metric, int k = 1, CancellationToken stop = default)
    {
        if (queries.Length != (long)groupOfQuery.Length * dimension || vectors.Length != (long)groupOfRow.Length * dimension)
            throw new ArgumentException($"Expected {groupOfQuery.Length} x {dimension} and {groupOfRow.Length} x {dimension} values, found {queries.Length} and {vectors.Length}.");
        return NeighboursOnHost.Search(queries, groupOfQuery.Length, vectors, groupOfRow.Length, dimension, k, metric, excludeSelf: false, null, stop, (groupOfQuery, groupOfRow));
    }

    /// <summary>The neighbours of every row of <paramref name="vectors"/> [N, D] among the others.</summary>
    public static NeighbourTable Among(Tensor vectors, int k, VectorMetric metric, Action<int, int>? progress = null, CancellationToken stop = default)
    {
        if (k < 1 || k >= vectors.shape[0]) throw new ArgumentException($"Expected 1 to {vectors.shape[0] - 1} neighbours among {vectors.shape[0]} vectors, found {k}.");
        return Search(vectors, vectors, k, metric, excludeSelf: true, progress, stop);
    }

    /// <summary>The neighbours of every row of <paramref name="queries"/> [Q, D] in <paramref name="vectors"/> [N, D].</summary>
    public static NeighbourTable Of(Tensor queries, Tensor vectors, int k, VectorMetric metric, Action<int, int>? progress = null, CancellationToken stop = default)
    {
        if (k < 1 || k > vectors.shape[0]) throw new ArgumentException($"Expected 1 to {vectors.shape[0]} neighbours in {vectors.shape[0]} vectors, found {k}.");
        return Search(queries, vectors, k, metric, excludeSelf: false, progress, stop);
    }

    private static NeighbourTable Search(Tensor queries, Tensor vectors, int k, VectorMetric metric, bool excludeSelf, Action<int, int>? progress, CancellationToken stop, (int First, int Count)? part = null)
    {
        Require.Shape(vectors, Require.Any, Require.Any);
        Require.Shape(queries, Require.Any, vectors.shape[1]);
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        if (vectors.device_type == DeviceType.CPU)
        {
            var rows = HostCopies.ToArray<float>(vectors);
            var asked = excludeSelf ? rows : HostCopies.ToArray<float>(queries);
            return NeighboursOnHost.Search(asked, (int)queries.shape[0], rows, (int)vectors.shape[0], (int)vectors.shape[1], k, metric, excludeSelf, progress, stop);
        }
        (queries, vectors) = Prepare(queries, vectors, metric);
        var bias = metric == VectorMetric.Cosine ? zeros(1, vectors.shape[0], device: vectors.device) : vectors.square().sum(1L).mul(-0.5).unsqueeze(0); // [1, N]
        var from = part?.First ?? 0;
        if (part is { } some) queries = queries.slice(0, some.First, some.First + some.Count, 1);
        var count = (int)queries.shape[0];
        var index = new int[(long)count * k];
        var distance = new float[(long)count * k];
        for (long first = 0; first < count; first += QueryBlock)
        {
            stop.ThrowIfCancellationRequested();
            using var step = NewDisposeScope();
            var last = Math.Min(count, first + QueryBlock);
            var block = queries.slice(0, first, last, 1); // [B, D]
            var (scores, rows) = Best(block, vectors, bias, k, excludeSelf ? from + first : null);
            var place = checked((int)(first * k));
            var length = (int)(last - first) * k;
            HostCopies.CopyTo(rows.to(ScalarType.Int32), index.AsSpan(place, length));
            HostCopies.CopyTo(Distances(block, scores, metric), distance.AsSpan(place, length));
            progress?.Invoke((int)last, count);
        }
        return new(index, distance, k);
    }

    private static (Tensor Queries, Tensor Vectors) Prepare(Tensor queries, Tensor vectors, VectorMetric metric)
    {
        if (metric == VectorMetric.Cosine)
            return (nn.functional.normalize(queries, 2, 1, 1e-12), nn.functional.normalize(vectors, 2, 1, 1e-12));
        // A shift changes no distance and keeps them accurate in float32.
        var centre = vectors.mean([0L], type: ScalarType.Float64).to(ScalarType.Float32);
        return (queries - centre, vectors - centre);
    }

    /// <summary>The k best scores x.y - |y|^2/2 and their rows, best first: [B, k] each.</summary>
    private static (Tensor Scores, Tensor Rows) Best(Tensor queries, Tensor vectors, Tensor bias, int k, long? selfFrom)
    {
        Tensor? scores = null, rows = null;
        var n = vectors.shape[0];
        for (long first = 0; first < n; first += RowBlock)
        {
            using var step = NewDisposeScope();
            var last = Math.Min(n, first + RowBlock);
            var block = addmm(bias.slice(1, first, last, 1), queries, vectors.slice(0, first, last, 1).t(), 1, 1); // [B, R]
            if (selfFrom is { } self) HideSelf(block, self, first);
            var (best, where) = block.topk((int)Math.Min(k, last - first), 1, true, true);
            where = where + first;
            if (scores is not null)
            {
                (best, var order) = cat([scores, best], 1).topk((int)Math.Min(k, scores.shape[1] + best.shape[1]), 1, true, true);
                where = cat([rows!, where], 1).gather(1, order);
            }
            (scores, rows) = (best.MoveToOuterDisposeScope(), where.MoveToOuterDisposeScope());
        }
        return (scores!, rows!);
    }

    private static void HideSelf(Tensor block, long queryFrom, long rowFrom)
    {
        var from = Math.Max(queryFrom, rowFrom);
        var to = Math.Min(queryFrom + block.shape[0], rowFrom + block.shape[1]);
        if (from >= to) return;
        block.slice(0, from - queryFrom, to - queryFrom, 1).slice(1, from - rowFrom, to - rowFrom, 1).diagonal().fill_(float.NegativeInfinity);
    }

    private static Tensor Distances(Tensor queries, Tensor scores, VectorMetric metric) => metric == VectorMetric.Cosine
        ? (1 - scores).clamp_min(0)
        : (queries.square().sum(1L).unsqueeze(1) - scores * 2).clamp_min(0).sqrt();
}
