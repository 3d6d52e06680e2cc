// Cells of a space and the search for the nearest two: exact up to a few thousand cells, above by way of the nearest top clusters.
namespace FeatureForge.Tensors;

/// <summary>Centroids in two levels.</summary>
internal sealed class CellSearch
{
    /// <summary>Up to here every row is compared with every cell.</summary>
    internal const int ExactCells = 4096;
    private const int ProbedTops = 8;
    private const int Block = 1 << 16;

    private readonly int _dimension;
    private readonly VectorMetric _metric;
    private readonly float[] _tops;

    private CellSearch(float[] centroids, int[] top, float[] tops, int dimension, VectorMetric metric)
    {
        (Centroids, Top, _tops, _dimension, _metric) = (centroids, top, tops, dimension, metric);
    }

    internal float[] Centroids { get; }
    internal int[] Top { get; }
    internal int Cells => Top.Length;

    /// <summary>Cuts the sample into cells: directly, or first into about as many top clusters as each then has cells.</summary>
    internal static CellSearch Fit(float[] sample, int dimension, int cells, VectorMetric metric, long seed, Action<string, long, long>? progress, CancellationToken stop)
    {
        var rows = sample.Length / dimension;
        var topCount = cells <= 512 ? 1 : (int)Math.Sqrt(cells);
        var top = KMeans.Fit(sample, rows, dimension, Few(topCount, metric, seed), "cpu", (done, of) => progress?.Invoke("top clusters", done, of), stop);
        var share = Share(top.Assignment, topCount, cells);
        var centroids = new float[(long)cells * dimension];
        var (owner, place) = (new int[cells], 0);
        for (var cluster = 0; cluster < topCount; cluster++)
        {
            stop.ThrowIfCancellationRequested();
            var members = Enumerable.Range(0, rows).Where(row => top.Assignment[row] == cluster).ToArray();
            var values = new float[members.Length * dimension];
            for (var i = 0; i < members.Length; i++) sample.AsSpan(members[i] * dimension, dimension).CopyTo(values.AsSpan(i * dimension));
            var fit = KMeans.Fit(values, members.Length, dimension, Few(share[cluster], metric, seed + 1 + cluster), "cpu", null, stop);
            fit.Centroids.CopyTo(centroids, place * dimension);
            owner.AsSpan(place, share[cluster]).Fill(cluster);
            place += share[cluster];
            progress?.Invoke("cells", place, cells);
        }
        return new(centroids, owner, top.Centroids, dimension, metric);
    }

    private static KMeansOptions Few(int clusters, VectorMetric metric, long seed) =>
        new() { Clusters = clusters, Metric = metric, Seed = seed, Restarts = 1, SwapRounds = 0, Iterations = 12, Tolerance = 1e-3 };

    // Cells per top cluster in proportion to its rows, largest remainders first; never more than it has rows, never none.
    private static int[] Share(int[] assignment, int tops, int cells)
    {
        var sizes = new int[tops];
        foreach (var owner in assignment) sizes[owner]++;
        var exact = Array.ConvertAll(sizes, size => (double)size * cells / assignment.Length);
        var share = new int[tops];
        for (var top = 0; top < tops; top++) share[top] = Math.Clamp((int)exact[top], Math.Min(1, sizes[top]), sizes[top]);
        foreach (var top in Enumerable.Range(0, tops).OrderByDescending(top => exact[top] - share[top]).ThenBy(top => top))
            while (share.Sum() < cells && share[top] < sizes[top] && exact[top] > share[top]) share[top]++;
        for (var top = 0; share.Sum() < cells; top = (top + 1) % tops)
            if (share[top] < sizes[top]) share[top]++;
        for (var top = 0; share.Sum() > cells; top = (top + 1) % tops)
            if (share[top] > 1) share[top]--;
        return share;
    }

    /// <summary>The nearest two cells of rows (cosine: of unit length); distances in the metric.</summary>
    internal void Assign(float[] values, int rows, Span<int> nearest, Span<float> distance, Span<int> second, Span<float> secondDistance)
    {
        for (var first = 0; first < rows; first += Block)
        {
            var count = Math.Min(Block, rows - first);
            var some = first == 0 && count == rows ? values : values.AsSpan(first * _dimension, count * _dimension).ToArray();
            var (index, squared, next, nextSquared) = Cells <= ExactCells ? NearestTwo.Among(some, count, _dimension, Centroids, Cells, _metric) : ByTops(some, count);
            for (var row = 0; row < count; row++)
            {
                (nearest[first + row], second[first + row]) = (index[row], next[row]);
                (distance[first + row], secondDistance[first + row]) = (InMetric(squared[row]), InMetric(nextSquared[row]));
            }
        }
    }

    // Between unit vectors, 1 - cosine is half the squared distance.
    private float InMetric(float squared) => _metric == VectorMetric.Cosine ? squared / 2 : MathF.Sqrt(squared);

    // Rows of one nearest top cluster are compared with the cells of the top clusters nearest to that one.
    private (int[] Index, float[] Squared, int[] SecondIndex, float[] SecondSquared) ByTops(float[] values, int rows)
    {
        var tops = _tops.Length / _dimension;
        var home = NearestTwo.Among(values, rows, _dimension, _tops, tops, _metric).Index;
        var (index, squared, next, nextSquared) = (new int[rows], new float[rows], new int[rows], new float[rows]);
        Parallel.ForEach(Enumerable.Range(0, rows).GroupBy(row => home[row]), group =>
        {
            var members = group.ToArray();
            var near = Enumerable.Range(0, tops).OrderBy(top => RowProducts.SquaredDistance(TopAt(top), TopAt(group.Key))).ThenBy(top => top).Take(ProbedTops).ToHashSet();
            var cells = Enumerable.Range(0, Cells).Where(cell => near.Contains(Top[cell])).ToArray();
            var found = NearestTwo.Among(Rows(values, members), members.Length, _dimension, Rows(Centroids, cells), cells.Length, _metric);
            for (var i = 0; i < members.Length; i++)
            {
                (index[members[i]], squared[members[i]]) = (cells[found.Index[i]], found.Squared[i]);
                (next[members[i]], nextSquared[members[i]]) = (found.SecondIndex[i] < 0 ? -1 : cells[found.SecondIndex[i]], found.SecondSquared[i]);
            }
        });
        return (index, squared, next, nextSquared);
    }

    private ReadOnlySpan<float> TopAt(int top) => _tops.AsSpan(top * _dimension, _dimension);

    private float[] Rows(float[] values, int[] numbers)
    {
        var rows = new float[numbers.Length * _dimension];
        for (var i = 0; i < numbers.Length; i++) values.AsSpan(numbers[i] * _dimension, _dimension).CopyTo(rows.AsSpan(i * _dimension));
        return rows;
    }

    /// <summary>Moves every cell that has rows to their mean (cosine: mean direction).</summary>
    internal void MoveTo(double[] sums, int[] sizes)
    {
        for (var cell = 0; cell < Cells; cell++)
        {
            if (sizes[cell] == 0) continue;
            var centroid = Centroids.AsSpan(cell * _dimension, _dimension);
            for (var d = 0; d < _dimension; d++) centroid[d] = (float)(sums[(long)cell * _dimension + d] / sizes[cell]);
            if (_metric == VectorMetric.Cosine) RowProducts.ToUnitLength(centroid);
        }
    }
}
