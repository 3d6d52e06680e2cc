// k-means on the CPU: seeds or trials, Lloyd with bounds, swaps out of local optima, Lloyd to the end; the best restart wins.
namespace FeatureForge.Tensors;

internal static class KMeansOnHost
{
    // Before swaps a descent only has to come near its rest.
    private const double ToleranceBeforeSwaps = 1e-4;

    internal static KMeansResult Fit(float[] vectors, int rows, int dimension, KMeansOptions options, Action<int, int>? progress, CancellationToken stop)
    {
        var (values, centre) = Prepare(vectors, rows, dimension, options.Metric);
        KMeansResult? best = null;
        for (var restart = 0; restart < options.Restarts; restart++)
        {
            var random = new CounterRandom(options.Seed).Stream(restart);
            var done = restart * options.Iterations;
            var found = Descend(values, rows, dimension, options, random, pass => progress?.Invoke(done + Math.Min(pass, options.Iterations), options.Restarts * options.Iterations), stop);
            if (options.Balanced) found = KMeansBalance.Of(values, rows, dimension, found, options.Metric, stop);
            if (best is null || found.Inertia < best.Inertia) best = found;
        }
        for (var i = 0; i < best!.Centroids.Length && options.Metric == VectorMetric.L2; i++) best.Centroids[i] += centre[i % dimension];
        return best;
    }

    // L2 rows are centred, which changes no distance and keeps |x|^2 - 2xc + |c|^2 accurate in float32.
    private static (float[] Values, float[] Centre) Prepare(float[] vectors, int rows, int dimension, VectorMetric metric)
    {
        HostRows.RequireFinite(vectors, dimension);
        if (metric == VectorMetric.Cosine) return (HostRows.UnitLength(vectors, rows, dimension), []);
        var centre = HostRows.Mean(vectors, rows, dimension);
        return (HostRows.Shifted(vectors, rows, dimension, centre), centre);
    }

    private static KMeansResult Descend(float[] values, int rows, int dimension, KMeansOptions options, CounterRandom random, Action<int> progress, CancellationToken stop)
    {
        var clusters = options.Clusters;
        var swaps = clusters > 1 ? options.SwapRounds : 0;
        var seeds = options.RandomSeeds ? Some(values, rows, dimension, clusters, random)
            : KMeansTrials.Suit(options) ? BestOfTrials(values, rows, dimension, options, random, stop)
            : KMeansStart.Seeds(values, rows, dimension, clusters, random, stop);
        using var descent = new KMeansDescent(values, rows, dimension, clusters, options.Metric);
        seeds.CopyTo(descent.Centroids, 0);
        var (passes, converged) = descent.Run(options.Iterations, swaps > 0 ? Math.Max(options.Tolerance, ToleranceBeforeSwaps) : options.Tolerance, fresh: true, progress, stop);
        if (swaps > 0)
        {
            passes += KMeansSwaps.Improve(descent, swaps, random.Stream(2), pass => progress(options.Iterations / 2), stop);
            (var more, converged) = descent.Run(options.Iterations, options.Tolerance, fresh: true, progress, stop);
            passes += more;
        }
        return Finish(descent, passes, converged);
    }

    private static float[] BestOfTrials(float[] values, int rows, int dimension, KMeansOptions options, CounterRandom random, CancellationToken stop)
    {
        var (sample, count) = KMeansTrials.Sample(random, rows) is { } chosen ? (KMeansStart.Rows(values, chosen, dimension), chosen.Length) : (values, rows);
        using var descent = new KMeansDescent(sample, count, dimension, options.Clusters, options.Metric);
        return KMeansTrials.Best(random, stream =>
        {
            KMeansStart.Seeds(sample, count, dimension, options.Clusters, stream, stop).CopyTo(descent.Centroids, 0);
            descent.Run(options.Iterations, Math.Max(options.Tolerance, ToleranceBeforeSwaps), fresh: true, null, stop);
            return (Centroids: (float[])[.. descent.Centroids], descent.Inertia);
        }, found => found.Inertia).Centroids;
    }

    private static float[] Some(float[] values, int rows, int dimension, int clusters, CounterRandom random)
    {
        var chosen = random.Stream(1).Sample(clusters, rows);
        var seeds = new float[clusters * dimension];
        for (var i = 0; i < clusters; i++) values.AsSpan(chosen[i] * dimension, dimension).CopyTo(seeds.AsSpan(i * dimension));
        return seeds;
    }

    // The assignment of the final centroids, which are the means of the assignment before it.
    private static KMeansResult Finish(KMeansDescent descent, int passes, bool converged)
    {
        descent.Compare(all: true);
        double inertia = 0;
        var distance = new float[descent.Rows];
        for (var row = 0; row < descent.Rows; row++)
        {
            var squared = RowProducts.SquaredDistance(descent[row], descent.Centroid(descent.Assignment[row]));
            inertia += squared;
            distance[row] = descent.Metric == VectorMetric.Cosine ? squared / 2 : MathF.Sqrt(squared);
        }
        return new([.. descent.Centroids], [.. descent.Assignment], distance, inertia, passes, converged);
    }
}
