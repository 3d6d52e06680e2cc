// k-means by Lloyd's algorithm (Lloyd 1982) on tensors, the same code on CPU and CUDA: distances as blocked matrix
// products, sums in float64 (float32 sums of millions of rows lose whole clusters), empty clusters refilled by the
// farthest rows. Cosine metric: spherical k-means (Dhillon, Modha 2001). Seeding is in KMeansSeeding.cs.
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Tensors;

/// <summary>k-means. Deterministic for a seed on the CPU.</summary>
public static class KMeans
{
    // Rows times clusters of one block of scores: 32 MB.
    private const long BlockScores = 8 << 20;

    /// <summary>Clusters host rows.</summary>
    /// <param name="vectors">[rows, dimension], row-major.</param>
    /// <param name="device">auto, cpu or cuda.</param>
    /// <param name="progress">Told (passes done, passes at most) after every pass.</param>
    /// <exception cref="ArgumentException">The options do not fit the rows, or a value is not finite.</exception>
    /// <exception cref="OperationCanceledException">Stopped between two passes.</exception>
    public static KMeansResult Fit(float[] vectors, int rows, int dimension, KMeansOptions options, string device = "cpu",
        Action<int, int>? progress = null, CancellationToken stop = default)
    {
        if (rows < 1 || vectors.Length != (long)rows * dimension) throw new ArgumentException($"Expected {rows} x {dimension} values, found {vectors.Length}.");
        options.Check(rows);
        var on = DeviceChoice.Select(device);
        if (on.type == DeviceType.CPU) return KMeansOnHost.Fit(vectors, rows, dimension, options, progress, stop);
        using var scope = NewDisposeScope();
        return Fit(HostCopies.ToTensor(vectors, [rows, dimension], on), options, progress, stop);
    }

    /// <summary>Clusters the rows of a float32 tensor [N, D], on its device. The tensor is not changed.</summary>
    public static KMeansResult Fit(Tensor vectors, KMeansOptions options, Action<int, int>? progress = null, CancellationToken stop = default)
    {
        Require.Shape(vectors, Require.Any, Require.Any);
        options.Check(vectors.shape[0]);
        return vectors.device_type == DeviceType.CPU
            ? KMeansOnHost.Fit(HostCopies.ToArray<float>(vectors), (int)vectors.shape[0], (int)vectors.shape[1], options, progress, stop)
            : FitByTensors(vectors, options, progress, stop);
    }

    /// <summary>What accelerators run; no swaps.</summary>
    internal static KMeansResult FitByTensors(Tensor vectors, KMeansOptions options, Action<int, int>? progress, CancellationToken stop)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        if (!vectors.isfinite().all().item<bool>()) throw new ArgumentException("The vectors hold values that are not finite; k-means needs finite ones.");
        var (rows, centre) = Prepare(vectors, options.Metric);

        Solution? best = null;
        for (var restart = 0; restart < options.Restarts; restart++)
        {
            using var attempt = NewDisposeScope();
            var random = new CounterRandom(options.Seed).Stream(restart);
            var done = restart * options.Iterations;
            var found = Descend(rows, Start(rows, options, random, stop), options, pass => progress?.Invoke(done + pass, options.Restarts * options.Iterations), stop);
            if (best is null || found.Inertia < best.Inertia) best = found with { Centroids = found.Centroids.MoveToOuterDisposeScope() };
        }
        return Finish(rows, best!, centre, options);
    }

    /// <summary>The nearest centroid of every row, and the distance in the metric.</summary>
    /// <param name="vectors">[N, D] float32.</param>
    /// <param name="centroids">[K, D] float32, on the same device.</param>
    public static (int[] Assignment, float[] Distance) Assign(Tensor vectors, Tensor centroids, VectorMetric metric)
    {
        Require.Shape(vectors, Require.Any, Require.Any);
        Require.Shape(centroids, Require.Any, vectors.shape[1]);
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var (rows, centre) = Prepare(vectors, metric);
        var targets = metric == VectorMetric.Cosine ? Directions(centroids) : centroids - centre;
        var (nearest, squared) = Nearest(rows, targets);
        return (ToNumbers(nearest), ToDistances(squared, metric));
    }

    private sealed record Solution(Tensor Centroids, double Inertia, int Iterations, bool Converged);

    // L2 rows are centred, which changes no distance and keeps |x|^2 - 2xc + |c|^2 accurate in float32.
    private static (Tensor Rows, Tensor Centre) Prepare(Tensor vectors, VectorMetric metric)
    {
        if (metric == VectorMetric.Cosine) return (Directions(vectors), zeros(1, device: vectors.device));
        var centre = vectors.mean([0L], type: ScalarType.Float64).to(ScalarType.Float32); // [D]
        return (vectors - centre, centre);
    }

    private static Tensor Directions(Tensor vectors) => nn.functional.normalize(vectors, 2, 1, 1e-12);

    // Centroids [K, D]: seeds or, with few clusters, where the best of several descents on a sample ended.
    private static Tensor Start(Tensor rows, KMeansOptions options, CounterRandom random, CancellationToken stop)
    {
        if (!KMeansTrials.Suit(options)) return KMeansSeeding.Seed(rows, options.Clusters, random, stop);
        using var scope = NewDisposeScope();
        var sample = KMeansTrials.Sample(random, (int)rows.shape[0]) is { } chosen ? rows.index_select(0, HostCopies.ToTensor(Array.ConvertAll(chosen, row => (long)row), [chosen.Length], rows.device)) : rows;
        return KMeansTrials.Best(random, stream => Descend(sample, KMeansSeeding.Seed(sample, options.Clusters, stream, stop), options, _ => { }, stop), found => found.Inertia).Centroids.MoveToOuterDisposeScope();
    }

    private static Solution Descend(Tensor rows, Tensor centroids, KMeansOptions options, Action<int> progress, CancellationToken stop)
    {
        var previous = double.PositiveInfinity;
        Tensor? before = null;
        for (var pass = 1; ; pass++)
        {
            stop.ThrowIfCancellationRequested();
            using var step = NewDisposeScope();
            var (nearest, squared) = Nearest(rows, centroids);
            Refill(nearest, squared, options.Clusters);
            var inertia = squared.sum(ScalarType.Float64).item<double>();
            var same = before is not null && nearest.eq(before).all().item<bool>();
            var converged = same || previous - inertia <= options.Tolerance * inertia;
            progress(pass);
            if (converged || pass == options.Iterations) return new(centroids.MoveToOuterDisposeScope(), inertia, pass, converged);

            centroids = Means(rows, nearest, options.Clusters, options.Metric).MoveToOuterDisposeScope();
            before = nearest.MoveToOuterDisposeScope();
            previous = inertia;
        }
    }

    /// <summary>Nearest centroid [N] int64 and squared Euclidean distance [N] float32.</summary>
    internal static (Tensor Nearest, Tensor Squared) Nearest(Tensor rows, Tensor centroids)
    {
        using var scope = NewDisposeScope();
        var n = rows.shape[0];
        var block = Math.Clamp(BlockScores / centroids.shape[0], 256, 1 << 16);
        var nearest = empty(n, dtype: ScalarType.Int64, device: rows.device);
        var squared = empty(n, dtype: ScalarType.Float32, device: rows.device);
        var transposed = centroids.t().contiguous(); // [D, K]
        var halves = centroids.square().sum(1L).mul(-0.5).unsqueeze(0); // [1, K]
        for (long first = 0; first < n; first += block)
        {
            using var step = NewDisposeScope();
            var some = rows.slice(0, first, Math.Min(n, first + block), 1); // [B, D]
            var (score, index) = addmm(halves, some, transposed, 1, 1).max(1); // x.c - |c|^2/2 : [B]
            nearest.slice(0, first, Math.Min(n, first + block), 1).copy_(index);
            squared.slice(0, first, Math.Min(n, first + block), 1).copy_((some.square().sum(1L) - score * 2).clamp_min(0));
        }
        return (nearest.MoveToOuterDisposeScope(), squared.MoveToOuterDisposeScope());
    }

    // Every empty cluster takes the farthest row of a cluster that has others; its distance becomes 0.
    private static void Refill(Tensor nearest, Tensor squared, int clusters)
    {
        using var scope = NewDisposeScope();
        var sizes = HostCopies.ToArray<long>(nearest.bincount(null, clusters));
        var missing = Enumerable.Range(0, clusters).Where(cluster => sizes[cluster] == 0).ToList();
        if (missing.Count == 0) return;
        var owner = HostCopies.ToArray<long>(nearest);
        var distance = HostCopies.ToArray<float>(squared);
        var byDistance = Enumerable.Range(0, owner.Length).OrderByDescending(row => distance[row]);
        using var farthest = byDistance.GetEnumerator();
        foreach (var cluster in missing)
        {
            // Ends: there are at least as many rows as clusters.
            while (farthest.MoveNext() && sizes[owner[farthest.Current]] < 2) { }
            var row = farthest.Current;
            sizes[owner[row]]--;
            (owner[row], distance[row], sizes[cluster]) = (cluster, 0, 1);
        }
        nearest.copy_(HostCopies.ToTensor(owner, [owner.Length], nearest.device));
        squared.copy_(HostCopies.ToTensor(distance, [distance.Length], squared.device));
    }

    private static Tensor Means(Tensor rows, Tensor nearest, int clusters, VectorMetric metric)
    {
        const int block = 1 << 14;
        using var scope = NewDisposeScope();
        var sums = zeros([clusters, rows.shape[1]], ScalarType.Float64, rows.device); // [K, D]
        for (long first = 0; first < rows.shape[0]; first += block)
        {
            using var step = NewDisposeScope();
            var last = Math.Min(rows.shape[0], first + block);
            sums.index_add_(0, nearest.slice(0, first, last, 1), rows.slice(0, first, last, 1).to(ScalarType.Float64), 1);
        }
        var means = sums / nearest.bincount(null, clusters).unsqueeze(1);
        if (metric == VectorMetric.Cosine) means = Directions(means);
        return means.to(ScalarType.Float32).MoveToOuterDisposeScope();
    }

    private static KMeansResult Finish(Tensor rows, Solution best, Tensor centre, KMeansOptions options)
    {
        var (nearest, squared) = Nearest(rows, best.Centroids);
        var centroids = options.Metric == VectorMetric.Cosine ? best.Centroids : best.Centroids + centre;
        return new(HostCopies.ToArray<float>(centroids), ToNumbers(nearest), ToDistances(squared, options.Metric),
            squared.sum(ScalarType.Float64).item<double>(), best.Iterations, best.Converged);
    }

    private static int[] ToNumbers(Tensor nearest) => HostCopies.ToArray<int>(nearest.to(ScalarType.Int32));

    // Between unit vectors, 1 - cosine is half the squared distance.
    private static float[] ToDistances(Tensor squared, VectorMetric metric) =>
        HostCopies.ToArray<float>(metric == VectorMetric.Cosine ? squared / 2 : squared.sqrt());
}
