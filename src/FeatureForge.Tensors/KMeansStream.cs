// Lloyd's passes over rows that need not fit into memory: a fit on a sample gives the centres, then every pass reads the stream in mini-batches, adds the
// rows of each to the sums of their nearest centres and moves the centres to the means. In contrast to updates after each batch (Sculley 2010) the result
// is that of plain Lloyd, whatever the batches, and never worse than the start.
using TorchSharp;

namespace FeatureForge.Tensors;

/// <summary>Improves centres on a stream of rows.</summary>
public static class KMeansStream
{
    /// <summary>Moves centres until a pass lowers the inertia by less than <paramref name="tolerance"/> of it, or the passes are over.</summary>
    /// <param name="centroids">[K, D], row-major, in the space of the rows; not changed. A centre that gets no row stays where it is.</param>
    /// <param name="metric">Cosine: the rows are of unit length.</param>
    /// <param name="device">auto, cpu or cuda.</param>
    /// <param name="progress">Told the pass from 1, and how many rows of it are done.</param>
    /// <returns>The centres and the inertia of every pass's start: the sum of squared Euclidean distances to the nearest centre.</returns>
    /// <exception cref="ArgumentException">A row holds a value that is not finite, or the centres are not of the rows' dimension.</exception>
    public static (float[] Centroids, IReadOnlyList<double> Inertia) Refine(RowStream stream, float[] centroids, VectorMetric metric, int passes, double tolerance, string device = "cpu",
        Action<int, long>? progress = null, CancellationToken stop = default)
    {
        var dimension = stream.Dimension;
        if (centroids.Length == 0 || centroids.Length % dimension != 0) throw new ArgumentException($"Expected centres of dimension {dimension}, found {centroids.Length} values.");
        var clusters = centroids.Length / dimension;
        var on = DeviceChoice.Select(device);
        // Rows far from the origin lose their digits in products; around the centres' mean they keep them.
        var centre = metric == VectorMetric.Cosine ? [] : HostRows.Mean(centroids, clusters, dimension);
        var at = metric == VectorMetric.Cosine ? centroids.ToArray() : HostRows.Shifted(centroids, clusters, dimension, centre);
        var history = new List<double>();
        for (var pass = 1; pass <= passes; pass++)
        {
            var (sums, sizes, inertia, done) = (new double[centroids.Length], new long[clusters], 0.0, 0L);
            foreach (var (values, count) in stream.Read())
            {
                stop.ThrowIfCancellationRequested();
                HostRows.RequireFinite(values.AsSpan(0, count * dimension), dimension, done);
                var rows = metric == VectorMetric.Cosine ? values : HostRows.Shifted(values, count, dimension, centre);
                var (nearest, squared) = Nearest(rows, count, dimension, at, metric, on);
                RowSums.Add(rows, count, dimension, nearest, sums);
                for (var row = 0; row < count; row++)
                {
                    sizes[nearest[row]]++;
                    inertia += squared[row];
                }
                done += count;
                progress?.Invoke(pass, done);
            }
            if (history.Count > 0 && history[^1] - inertia <= tolerance * inertia)
            {
                history.Add(inertia);
                break;
            }
            history.Add(inertia);
            Move(at, sums, sizes, dimension, metric);
        }
        if (metric != VectorMetric.Cosine)
            for (var i = 0; i < at.Length; i++) at[i] += centre[i % dimension];
        return (at, history);
    }

    private static (int[] Index, float[] Squared) Nearest(float[] rows, int count, int dimension, float[] centres, VectorMetric metric, torch.Device device)
    {
        if (device.type == DeviceType.CPU)
        {
            var (index, squared, _, _) = NearestTwo.Among(rows, count, dimension, centres, centres.Length / dimension, metric);
            return (index, squared);
        }
        using var scope = torch.NewDisposeScope();
        var (near, at) = KMeans.Nearest(HostCopies.ToTensor(rows.AsSpan(0, count * dimension), [count, dimension], device), HostCopies.ToTensor(centres, [centres.Length / dimension, dimension], device));
        return (HostCopies.ToArray<int>(near.to(torch.ScalarType.Int32)), HostCopies.ToArray<float>(at));
    }

    private static void Move(float[] centres, double[] sums, long[] sizes, int dimension, VectorMetric metric)
    {
        for (var cluster = 0; cluster < sizes.Length; cluster++)
        {
            if (sizes[cluster] == 0) continue;
            var centre = centres.AsSpan(cluster * dimension, dimension);
            for (var d = 0; d < dimension; d++) centre[d] = (float)(sums[cluster * dimension + d] / sizes[cluster]);
            if (metric == VectorMetric.Cosine) RowProducts.ToUnitLength(centre);
        }
    }
}
