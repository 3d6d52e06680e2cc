// Label-free numbers about a clustering.
using FeatureForge.Tensors;
using TorchSharp;

namespace FeatureForge.Clustering;

internal static class Measures
{
    private const int SampledRows = 10_000;

    /// <summary>
    /// Simplified silhouette (Hruschka et al. 2006): mean of (b - a) / max(a, b), with a and b the distances to the nearest and
    /// second nearest centroid. In [0,1].
    /// </summary>
    internal static double SimplifiedSilhouette(float[] values, int dimension, float[] centroids, VectorMetric metric, string device, CancellationToken stop)
    {
        using var scope = torch.NewDisposeScope();
        var on = DeviceChoice.Select(device);
        var rows = HostCopies.ToTensor(values, [values.Length / dimension, dimension], on); // [N, D]
        var targets = HostCopies.ToTensor(centroids, [centroids.Length / dimension, dimension], on); // [K, D]
        var table = Neighbours.Of(rows, targets, 2, metric, stop: stop);
        double sum = 0;
        for (var i = 0; i < table.Queries; i++)
            if (table.Distance[2 * i + 1] > 0) sum += 1 - table.Distance[2 * i] / (double)table.Distance[2 * i + 1];
        return sum / table.Queries;
    }

    /// <summary>
    /// The silhouette of the leaves with distances to centroids, over a sample: a is the distance to the own leaf's centroid, b to
    /// the nearest other one. In [-1,1]; null with fewer than two leaves.
    /// </summary>
    internal static double? LeafSilhouette(SetVectors vectors, ClusterTree tree, IReadOnlyList<float[]> centroids, int seed)
    {
        var leaves = tree.Leaves.ToList();
        if (leaves.Count < 2) return null;
        var rows = FitSampleRows(vectors.Rows, seed);
        double sum = 0;
        foreach (var row in rows)
        {
            var own = Geometry.Distance(vectors[row], centroids[tree.LeafOf[row]], vectors.Metric);
            var other = leaves.Where(leaf => leaf != tree.LeafOf[row]).Min(leaf => Geometry.Distance(vectors[row], centroids[leaf], vectors.Metric));
            if (Math.Max(own, other) > 0) sum += (other - own) / (double)Math.Max(own, other);
        }
        return sum / rows.Length;
    }

    private static int[] FitSampleRows(int rows, int seed) =>
        rows <= SampledRows ? [.. Enumerable.Range(0, rows)] : new CounterRandom(seed).Stream(55).Sample(SampledRows, rows);
}
