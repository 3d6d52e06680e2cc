// Exact nearest neighbours on the CPU: parts of the queries in parallel, blocks of the rows in order. What is found does not depend
// on the number of threads; distances are those of the differences, so that duplicates have distance 0.
using System.Runtime.InteropServices;

namespace FeatureForge.Tensors;

internal static unsafe class NeighboursOnHost
{
    private const int PartQueries = 512;
    private const int BlockRows = 1 << 16;

    /// <summary>The neighbours of every query among the rows; <paramref name="excludeSelf"/>: the queries are the rows, or the <paramref name="part"/> of them.</summary>
    internal static NeighbourTable Search(float[] queries, int queryCount, float[] vectors, int rows, int dimension, int k, VectorMetric metric, bool excludeSelf,
        Action<int, int>? progress, CancellationToken stop, (int[] OfQueries, int[] OfTargets)? groups = null, (int First, int Count)? part = null)
    {
        HostRows.RequireFinite(vectors, dimension);
        if (!excludeSelf) HostRows.RequireFinite(queries, dimension);
        var (preparedRows, centre) = Prepare(vectors, rows, dimension, metric, null);
        var preparedQueries = excludeSelf ? preparedRows : Prepare(queries, queryCount, dimension, metric, centre).Values;
        var from = part?.First ?? 0;
        queryCount = part?.Count ?? queryCount;
        var table = new NeighbourTable(new int[(long)queryCount * k], new float[(long)queryCount * k], k);
        var parts = (queryCount + PartQueries - 1) / PartQueries;
        var pin = GCHandle.Alloc(preparedQueries, GCHandleType.Pinned);
        var at = pin.AddrOfPinnedObject();
        var blocks = new List<PackedTargets>();
        try
        {
            for (var first = 0; first < rows; first += BlockRows) blocks.Add(Pack(preparedRows, first, Math.Min(BlockRows, rows - first), dimension, metric));
            var done = 0;
            var told = new Lock();
            Parallel.For(0, parts, new ParallelOptions { CancellationToken = stop }, number =>
            {
                var first = number * PartQueries;
                using var search = new NearestMany((float*)at + (from + (long)first) * dimension, Math.Min(PartQueries, queryCount - first), dimension, k)
                {
                    Groups = groups is { } given ? (given.OfQueries[first..Math.Min(queryCount, first + PartQueries)], given.OfTargets) : null,
                };
                for (var block = 0; block < blocks.Count; block++) search.Search(blocks[block], block * BlockRows, excludeSelf ? from + first : null);
                Measure(search, preparedQueries, from + first, first, preparedRows, dimension, metric, table);
                lock (told)
                {
                    done += search.Count;
                    progress?.Invoke(done, queryCount);
                }
            });
        }
        finally
        {
            pin.Free();
            foreach (var block in blocks) block.Dispose();
        }
        return table;
    }

    // Cosine: unit length. L2: a shift changes no distance and keeps products accurate in float32.
    internal static (float[] Values, float[] Centre) Prepare(float[] vectors, int rows, int dimension, VectorMetric metric, float[]? centre)
    {
        if (metric == VectorMetric.Cosine) return (HostRows.UnitLength(vectors, rows, dimension), []);
        centre ??= HostRows.Mean(vectors, rows, dimension);
        return (HostRows.Shifted(vectors, rows, dimension, centre), centre);
    }

    internal static PackedTargets Pack(float[] rows, int first, int count, int dimension, VectorMetric metric)
    {
        var some = rows.AsSpan((int)((long)first * dimension), count * dimension);
        return new(some, count, dimension, metric == VectorMetric.Cosine ? [] : PackedTargets.HalfSquares(some, count, dimension));
    }

    private static void Measure(NearestMany search, float[] queries, int from, int first, float[] rows, int dimension, VectorMetric metric, NeighbourTable table)
    {
        var found = new (float Distance, int Number)[search.K];
        for (var query = 0; query < search.Count; query++)
        {
            var own = queries.AsSpan((from + query) * dimension, dimension);
            for (var i = 0; i < search.K; i++)
            {
                var number = search.Numbers[query * search.K + i];
                found[i] = number < 0 ? (float.PositiveInfinity, -1) : (Distance(own, rows.AsSpan(number * dimension, dimension), metric), number);
            }
            Array.Sort(found);
            for (var i = 0; i < search.K; i++) (table.Distance[(first + query) * search.K + i], table.Index[(first + query) * search.K + i]) = found[i];
        }
    }

    /// <summary>1 - cosine of rows of unit length (or zero), or the Euclidean distance.</summary>
    internal static float Distance(ReadOnlySpan<float> a, ReadOnlySpan<float> b, VectorMetric metric)
    {
        var squared = RowProducts.SquaredDistance(a, b);
        if (metric == VectorMetric.L2) return MathF.Sqrt(squared);
        // Half the squared distance is 1 - cosine between unit vectors, and exactly 0 for the same direction; to a zero vector it is 1.
        return IsZero(a) || IsZero(b) ? 1 : squared / 2;
    }

    private static bool IsZero(ReadOnlySpan<float> row) => row[0] == 0 && RowProducts.SumOfSquares(row) == 0;
}
