// Micro-clusters of sets that need not fit into memory: the atoms of trees beyond a million rows, and the cells of the search index.
//   var found = MicroClusters.Fit(stream, new() { Cells = 20_000, Metric = metric, Seed = seed }, progress, stop);
//   found.Nearest[row], found.Second[row]   the cell of a row and the next one: linking the two gives a graph of the cells
// Two levels of k-means on a sample (clusters of clusters, then each cut in proportion to its rows; the balance between them follows
// the resampling of Vo et al. 2024), then passes over the stream that move every cell to the mean of its rows. Two cells of one
// top cluster never see rows of another while the sample is cut, but the passes compare every row with all cells of its nearest
// top clusters. Memory: the sample, the cells and 16 bytes per row.
namespace FeatureForge.Tensors;

/// <summary>Rows that are read again for every pass.</summary>
/// <param name="Rows">How many.</param>
/// <param name="Read">The rows in the same order at every call, in blocks: values row-major, and how many rows. A block may be reused.</param>
public sealed record RowStream(long Rows, int Dimension, Func<IEnumerable<(float[] Values, int Count)>> Read)
{
    /// <summary>Rows that are in memory.</summary>
    public static RowStream Of(float[] values, int rows, int dimension) => new(rows, dimension, () => [(values, rows)]);
}

/// <summary>The request of micro-clusters.</summary>
public sealed record MicroClusterOptions
{
    /// <summary>How many; null: one per 50 rows, at least 1 and at most 100,000.</summary>
    public int? Cells { get; init; }
    public VectorMetric Metric { get; init; } = VectorMetric.Cosine;
    /// <summary>Passes over the whole stream that move the cells after the fit on the sample.</summary>
    public int Passes { get; init; } = 2;
    /// <summary>Rows of the sample per cell.</summary>
    public int SamplePerCell { get; init; } = 24;
    public long Seed { get; init; }

    internal int CellsFor(long rows) => Cells ?? (int)Math.Clamp(rows / 50, 1, 100_000);
}

/// <summary>What was found. Distances are in the metric (1 - cosine, or Euclidean).</summary>
/// <param name="Centroids">[cells, dimension]; of unit length for cosine.</param>
/// <param name="Nearest">[rows]: the cell of every row.</param>
/// <param name="Second">[rows]: the second-nearest cell; -1 with one cell.</param>
/// <param name="Top">[cells]: the top-level cluster a cell was cut from.</param>
public sealed record MicroClusterResult(float[] Centroids, int Dimension, int[] Nearest, float[] Distance, int[] Second, float[] SecondDistance, int[] Top, int[] Sizes)
{
    public int Cells => Sizes.Length;
}

/// <summary>Fits micro-clusters.</summary>
public static class MicroClusters
{
    private const int SmallSample = 1 << 14;

    /// <exception cref="ArgumentException">The options do not fit the rows, or a row holds a value that is not finite.</exception>
    public static MicroClusterResult Fit(RowStream stream, MicroClusterOptions options, Action<string, long, long>? progress = null, CancellationToken stop = default)
    {
        var cells = options.CellsFor(stream.Rows);
        if (stream.Rows is < 1 or > int.MaxValue) throw new ArgumentException($"Expected 1 to {int.MaxValue} rows, found {stream.Rows}.");
        if (cells < 1 || cells > stream.Rows) throw new ArgumentException($"Expected 1 to {stream.Rows} cells for {stream.Rows} rows, found {cells}.");
        var sample = Sample(stream, (int)Math.Min(stream.Rows, Math.Max(SmallSample, (long)cells * options.SamplePerCell)), options, progress, stop);
        var search = CellSearch.Fit(sample, stream.Dimension, cells, options.Metric, options.Seed, progress, stop);
        var found = new Assigned((int)stream.Rows);
        for (var pass = 0; pass <= options.Passes; pass++)
        {
            var sums = pass < options.Passes ? new double[(long)search.Cells * stream.Dimension] : null;
            Pass(stream, search, options.Metric, found, sums, $"micro-clusters, pass {pass + 1} of {options.Passes + 1}", progress, stop);
            if (sums is not null) search.MoveTo(sums, found.Sizes(search.Cells));
        }
        return new(search.Centroids, stream.Dimension, found.Nearest, found.Distance, found.Second, found.SecondDistance, search.Top, found.Sizes(search.Cells));
    }

    private sealed class Assigned(int rows)
    {
        internal int[] Nearest { get; } = new int[rows];
        internal int[] Second { get; } = new int[rows];
        internal float[] Distance { get; } = new float[rows];
        internal float[] SecondDistance { get; } = new float[rows];

        internal int[] Sizes(int cells)
        {
            var sizes = new int[cells];
            foreach (var cell in Nearest) sizes[cell]++;
            return sizes;
        }
    }

    private static float[] Sample(RowStream stream, int count, MicroClusterOptions options, Action<string, long, long>? progress, CancellationToken stop)
    {
        var dimension = stream.Dimension;
        var chosen = new CounterRandom(options.Seed).Stream(3).Sample(count, (int)stream.Rows);
        var sample = new float[(long)count * dimension];
        var (first, next) = (0L, 0);
        foreach (var (values, rows) in stream.Read())
        {
            stop.ThrowIfCancellationRequested();
            HostRows.RequireFinite(values.AsSpan(0, rows * dimension), dimension, first);
            for (; next < count && chosen[next] < first + rows; next++)
                values.AsSpan((int)(chosen[next] - first) * dimension, dimension).CopyTo(sample.AsSpan(next * dimension, dimension));
            first += rows;
            progress?.Invoke("sample", first, stream.Rows);
        }
        if (first != stream.Rows) throw new ArgumentException($"The stream announced {stream.Rows} rows and gave {first}.");
        return sample;
    }

    private static void Pass(RowStream stream, CellSearch search, VectorMetric metric, Assigned found, double[]? sums, string phase, Action<string, long, long>? progress, CancellationToken stop)
    {
        var first = 0;
        foreach (var (values, rows) in stream.Read())
        {
            stop.ThrowIfCancellationRequested();
            var unit = metric == VectorMetric.Cosine ? HostRows.UnitLength(values, rows, stream.Dimension) : values;
            search.Assign(unit, rows, found.Nearest.AsSpan(first, rows), found.Distance.AsSpan(first, rows), found.Second.AsSpan(first, rows), found.SecondDistance.AsSpan(first, rows));
            if (sums is not null) RowSums.Add(unit, rows, stream.Dimension, found.Nearest.AsMemory(first), sums);
            first += rows;
            progress?.Invoke(phase, first, stream.Rows);
        }
    }
}
