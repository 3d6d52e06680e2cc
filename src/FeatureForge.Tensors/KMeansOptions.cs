// The request and the result of k-means.
namespace FeatureForge.Tensors;

/// <summary>How k-means is to run. The defaults suit quality; micro-clusters set fewer iterations and no swaps.</summary>
public sealed record KMeansOptions
{
    /// <summary>k; 1 to the number of rows.</summary>
    public required int Clusters { get; init; }
    /// <summary>Cosine: rows and centroids on the unit sphere (spherical k-means). L2: plain.</summary>
    public VectorMetric Metric { get; init; } = VectorMetric.L2;
    /// <summary>At most this many passes per restart.</summary>
    public int Iterations { get; init; } = 300;
    /// <summary>Independent seedings; the one of least inertia wins, the earlier one at a tie.</summary>
    public int Restarts { get; init; } = 2;
    /// <summary>At most this many rounds of swaps of cheap centroids to places where they gain (CPU only); 0: plain Lloyd from the seeds.</summary>
    public int SwapRounds { get; init; } = 40;
    /// <summary>Start at rows drawn at random instead of k-means++ or k-means||.</summary>
    public bool RandomSeeds { get; init; }
    /// <summary>Sizes that differ by at most one (CPU only): rows then belong to the cluster that balance gives them, not always to the nearest.</summary>
    public bool Balanced { get; init; }
    /// <summary>A restart ends when a pass lowers the inertia by less than this fraction, or changes no assignment.</summary>
    public double Tolerance { get; init; } = 1e-6;
    public long Seed { get; init; }

    /// <exception cref="ArgumentException">A value that makes no sense for this many rows.</exception>
    internal void Check(long rows)
    {
        if (Clusters < 1 || Clusters > rows) throw new ArgumentException($"Expected 1 to {rows} clusters for {rows} vectors, found {Clusters}.");
        if (Iterations < 1 || Restarts < 1) throw new ArgumentException($"Expected at least one iteration and one restart, found {Iterations} and {Restarts}.");
    }
}

/// <summary>What k-means found.</summary>
/// <param name="Centroids">[K, D], row-major; of unit length for the cosine metric.</param>
/// <param name="Assignment">[N]: the nearest centroid; the smaller number at a tie.</param>
/// <param name="Distance">[N] to that centroid, in the metric (1 - cosine, or Euclidean).</param>
/// <param name="Inertia">Sum of squared Euclidean distances to the centroids (cosine: between unit vectors), of the assignment.</param>
/// <param name="Iterations">Passes of the winning restart.</param>
/// <param name="Converged">False when the passes ran out.</param>
public sealed record KMeansResult(float[] Centroids, int[] Assignment, float[] Distance, double Inertia, int Iterations, bool Converged);
