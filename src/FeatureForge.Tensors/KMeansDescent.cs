// Lloyd's algorithm (Lloyd 1982) on host rows with the bounds of Hamerly (2010): a row whose distance to its own centroid is
// surely below that to every other one is not compared again, so that late passes cost little. Products come from ScoreKernel,
// sums are float64 and follow the rows that change sides, in row order: the result does not depend on the number of threads.
using System.Runtime.InteropServices;

namespace FeatureForge.Tensors;

/// <summary>Centroids, assignment and bounds of one descent. Rows are centred (L2) or of unit length (cosine).</summary>
internal sealed unsafe class KMeansDescent : IDisposable
{
    private const int Chunk = 1024;
    private const int SliceDimensions = 32;
    // What float32 rounding may do to a distance, as a share of the rows' length.
    private const double Rounding = 1e-5;

    private readonly GCHandle _pin;
    private readonly float* _rows;
    private readonly float[] _values;
    private readonly float[] _squares;
    private readonly double _allSquares;
    private readonly VectorMetric _metric;
    private readonly List<(int Row, int From)>[] _changes;
    private readonly float[] _moves;
    private readonly float _slack;
    private bool _refilled;

    internal KMeansDescent(float[] values, int rows, int dimension, int clusters, VectorMetric metric)
    {
        (_values, Rows, Dimension, Clusters, _metric) = (values, rows, dimension, clusters, metric);
        _pin = GCHandle.Alloc(values, GCHandleType.Pinned);
        _rows = (float*)_pin.AddrOfPinnedObject();
        _squares = new float[rows];
        for (var row = 0; row < rows; row++) _squares[row] = RowProducts.SumOfSquares(this[row]);
        _allSquares = _squares.Sum(square => (double)square);
        _slack = (float)(Rounding * Math.Sqrt(_allSquares / Math.Max(1, rows)));
        _changes = [.. Enumerable.Range(0, (rows + Chunk - 1) / Chunk).Select(_ => new List<(int, int)>())];
        (Assignment, Second, Upper, Lower) = (new int[rows], new int[rows], new float[rows], new float[rows]);
        (Sums, Counts, Centroids, _moves) = (new double[clusters * dimension], new int[clusters], new float[clusters * dimension], new float[clusters]);
        Assignment.AsSpan().Fill(-1);
    }

    internal int Rows { get; }
    internal VectorMetric Metric => _metric;
    internal int Dimension { get; }
    internal int Clusters { get; }
    internal float[] Centroids { get; }
    internal int[] Assignment { get; }
    /// <summary>The second-nearest centroid when the row was last compared with all; -1 with one cluster.</summary>
    internal int[] Second { get; }
    /// <summary>Upper bound of the distance to the own centroid, lower bound of that to every other; exact after <see cref="Compare"/> of all.</summary>
    internal float[] Upper { get; }
    internal float[] Lower { get; }
    internal double[] Sums { get; }
    internal int[] Counts { get; }
    internal double Inertia { get; private set; }

    internal ReadOnlySpan<float> this[int row] => new(_rows + (long)row * Dimension, Dimension);

    internal Span<float> Centroid(int cluster) => Centroids.AsSpan(cluster * Dimension, Dimension);

    /// <summary>Passes until one lowers the inertia by no more than <paramref name="tolerance"/> of it, or changes nothing.</summary>
    /// <param name="fresh">The centroids were set from outside: no bound holds.</param>
    internal (int Passes, bool Converged) Run(int passes, double tolerance, bool fresh, Action<int>? progress, CancellationToken stop)
    {
        var previous = double.PositiveInfinity;
        for (var pass = 1; ; pass++)
        {
            stop.ThrowIfCancellationRequested();
            var changed = Compare(all: fresh && pass == 1);
            Refill();
            Update();
            progress?.Invoke(pass);
            if (changed == 0 || previous - Inertia <= tolerance * Inertia) return (pass, true);
            if (pass == passes) return (pass, false);
            previous = Inertia;
        }
    }

    /// <summary>Finds the nearest centroid of the rows whose bounds do not settle it, or of all.</summary>
    /// <returns>Rows that changed sides; their sums follow in <see cref="Update"/>.</returns>
    internal long Compare(bool all)
    {
        var halves = _metric == VectorMetric.Cosine ? [] : PackedTargets.HalfSquares(Centroids, Clusters, Dimension);
        using var targets = new PackedTargets(Centroids, Clusters, Dimension, halves);
        var most = Array.IndexOf(_moves, _moves.Max());
        var next = _moves.Where((_, cluster) => cluster != most).DefaultIfEmpty(0).Max();
        Parallel.For(0, _changes.Length, () => new NearestTwo(Dimension), (chunk, _, search) =>
        {
            CompareChunk(chunk, all, targets, search, most, next);
            return search;
        }, search => search.Dispose());
        return _changes.Sum(list => (long)list.Count);
    }

    private void CompareChunk(int chunk, bool all, PackedTargets targets, NearestTwo search, int most, float next)
    {
        _changes[chunk].Clear();
        Span<int> open = stackalloc int[ScoreKernel.Lanes];
        var count = 0;
        for (var row = chunk * Chunk; row < Math.Min(Rows, (chunk + 1) * Chunk); row++)
        {
            if (!all && Settled(row, most, next)) continue;
            open[count++] = row;
            if (count < open.Length) continue;
            Place(open, targets, search, _changes[chunk]);
            count = 0;
        }
        if (count > 0) Place(open[..count], targets, search, _changes[chunk]);
    }

    private bool Settled(int row, int most, float next)
    {
        var own = Assignment[row];
        Upper[row] += _moves[own];
        Lower[row] -= own == most ? next : _moves[most];
        if (Upper[row] + _slack < Lower[row]) return true;
        Upper[row] = MathF.Sqrt(RowProducts.SquaredDistance(this[row], Centroid(own)));
        return Upper[row] + _slack < Lower[row];
    }

    private void Place(ReadOnlySpan<int> open, PackedTargets targets, NearestTwo search, List<(int, int)> changes)
    {
        search.Search(_rows, open, targets);
        for (var lane = 0; lane < open.Length; lane++)
        {
            var row = open[lane];
            var length = _metric == VectorMetric.Cosine ? (_squares[row] + 1) / 2 : _squares[row] / 2; // half of |x|^2 (+ |c|^2, which is 1)
            Upper[row] = MathF.Sqrt(Math.Max(0, 2 * (length - search.Best[lane])));
            Lower[row] = MathF.Sqrt(Math.Max(0, 2 * (length - search.Second[lane])));
            Second[row] = search.SecondIndex[lane];
            if (Assignment[row] == search.Index[lane]) continue;
            changes.Add((row, Assignment[row]));
            Assignment[row] = search.Index[lane];
        }
    }

    /// <summary>Counts first; every empty cluster takes the farthest row of a cluster that has others.</summary>
    internal void Refill()
    {
        foreach (var (row, from) in _changes.SelectMany(list => list))
        {
            if (from >= 0) Counts[from]--;
            Counts[Assignment[row]]++;
        }
        var missing = Enumerable.Range(0, Clusters).Where(cluster => Counts[cluster] == 0).ToList();
        if (missing.Count == 0) return;
        var distance = new float[Rows];
        Parallel.For(0, Rows, row => distance[row] = RowProducts.SquaredDistance(this[row], Centroid(Assignment[row])));
        using var farthest = Enumerable.Range(0, Rows).OrderByDescending(row => distance[row]).GetEnumerator();
        foreach (var cluster in missing)
        {
            // Ends: there are at least as many rows as clusters.
            while (farthest.MoveNext() && Counts[Assignment[farthest.Current]] < 2) { }
            var row = farthest.Current;
            Counts[Assignment[row]]--;
            _changes[^1].Add((row, Assignment[row]));
            _refilled = true;
            (Assignment[row], Upper[row], Lower[row], Counts[cluster]) = (cluster, 0, 0, 1);
        }
    }

    /// <summary>Moves sums with the rows that changed, then the centroids to the means.</summary>
    internal void Update()
    {
        // A row may be listed twice (compared, then taken by an empty cluster): its last entry says where it is now.
        var moved = new List<(int Row, int From, int To)>();
        foreach (var list in _changes)
            foreach (var (row, from) in list) moved.Add((row, from, Assignment[row]));
        if (_refilled) moved = Once(moved);
        _refilled = false;
        var slices = (Dimension + SliceDimensions - 1) / SliceDimensions;
        Parallel.For(0, slices, slice =>
        {
            var first = slice * SliceDimensions;
            var length = Math.Min(SliceDimensions, Dimension - first);
            foreach (var (row, from, to) in moved)
            {
                var values = this[row].Slice(first, length);
                if (from >= 0) Add(Sums.AsSpan(from * Dimension + first, length), values, -1);
                Add(Sums.AsSpan(to * Dimension + first, length), values, 1);
            }
        });
        foreach (var list in _changes) list.Clear();
        Means();
    }

    private static List<(int Row, int From, int To)> Once(List<(int Row, int From, int To)> moved)
    {
        var first = new HashSet<int>();
        return [.. moved.Where(change => first.Add(change.Row))];
    }

    private static void Add(Span<double> sums, ReadOnlySpan<float> values, double sign)
    {
        for (var d = 0; d < sums.Length; d++) sums[d] += sign * values[d];
    }

    private void Means()
    {
        double explained = 0;
        for (var cluster = 0; cluster < Clusters; cluster++)
        {
            var sums = Sums.AsSpan(cluster * Dimension, Dimension);
            var centroid = Centroid(cluster);
            double squares = 0, move = 0;
            foreach (var sum in sums) squares += sum * sum;
            explained += _metric == VectorMetric.Cosine ? 2 * Math.Sqrt(squares) - Counts[cluster] : squares / Counts[cluster];
            var divisor = _metric == VectorMetric.Cosine ? Math.Sqrt(squares) : Counts[cluster];
            if (divisor < 1e-12) divisor = 1; // directions that cancel: no mean direction, the centroid is zero
            for (var d = 0; d < Dimension; d++)
            {
                var value = (float)(sums[d] / divisor);
                move += ((double)value - centroid[d]) * ((double)value - centroid[d]);
                centroid[d] = value;
            }
            _moves[cluster] = (float)Math.Sqrt(move);
        }
        Inertia = Math.Max(0, _allSquares - explained);
    }

    /// <summary>Everything a descent changes, to go back to.</summary>
    internal sealed record Snapshot(float[] Centroids, int[] Assignment, double[] Sums, int[] Counts, double Inertia);

    internal Snapshot Keep() => new([.. Centroids], [.. Assignment], [.. Sums], [.. Counts], Inertia);

    internal void Return(Snapshot kept)
    {
        kept.Centroids.CopyTo(Centroids, 0);
        kept.Assignment.CopyTo(Assignment, 0);
        kept.Sums.CopyTo(Sums, 0);
        kept.Counts.CopyTo(Counts, 0);
        Inertia = kept.Inertia;
        foreach (var list in _changes) list.Clear();
    }

    public void Dispose()
    {
        if (_pin.IsAllocated) _pin.Free();
        GC.SuppressFinalize(this);
    }
}
