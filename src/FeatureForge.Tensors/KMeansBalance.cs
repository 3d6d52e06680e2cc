// Clusters of equal size from a k-means solution: every cluster asks a price that rises while it is too large and falls while it is
// too small (the dual of the assignment problem, Bertsekas 1979; fair shares as in balanced k-means, Malinen, Franti 2014), the
// centroids follow, and what is left over at the end moves where it costs least.
namespace FeatureForge.Tensors;

internal static class KMeansBalance
{
    private const int Passes = 40;
    private const double FirstStep = 0.5;

    internal static KMeansResult Of(float[] values, int rows, int dimension, KMeansResult start, VectorMetric metric, CancellationToken stop)
    {
        var clusters = start.Centroids.Length / dimension;
        var centroids = start.Centroids.ToArray();
        var prices = new double[clusters];
        var scale = start.Inertia / rows;
        var assignment = start.Assignment.ToArray();
        for (var pass = 0; pass < Passes && clusters > 1; pass++)
        {
            stop.ThrowIfCancellationRequested();
            var offsets = metric == VectorMetric.Cosine ? new float[clusters] : PackedTargets.HalfSquares(centroids, clusters, dimension);
            for (var cluster = 0; cluster < clusters; cluster++) offsets[cluster] -= (float)(prices[cluster] / 2);
            using var packed = new PackedTargets(centroids, clusters, dimension, offsets);
            assignment = NearestTwo.Among(values, rows, dimension, packed, metric).Index;
            var sizes = Sizes(assignment, clusters);
            var step = FirstStep * scale * (1 - (double)pass / Passes);
            for (var cluster = 0; cluster < clusters; cluster++) prices[cluster] += step * Math.Clamp(sizes[cluster] * (double)clusters / rows - 1, -1, 1);
            MoveToMeans(values, assignment, dimension, sizes, centroids, metric);
        }
        Even(values, assignment, dimension, centroids, rows / clusters, rows % clusters);
        MoveToMeans(values, assignment, dimension, Sizes(assignment, clusters), centroids, metric);

        double inertia = 0;
        var distance = new float[rows];
        for (var row = 0; row < rows; row++)
        {
            var squared = RowProducts.SquaredDistance(values.AsSpan(row * dimension, dimension), centroids.AsSpan(assignment[row] * dimension, dimension));
            inertia += squared;
            distance[row] = metric == VectorMetric.Cosine ? squared / 2 : MathF.Sqrt(squared);
        }
        return new(centroids, assignment, distance, inertia, start.Iterations + Passes, start.Converged);
    }

    private static int[] Sizes(int[] assignment, int clusters)
    {
        var sizes = new int[clusters];
        foreach (var cluster in assignment) sizes[cluster]++;
        return sizes;
    }

    private static void MoveToMeans(float[] values, int[] assignment, int dimension, int[] sizes, float[] centroids, VectorMetric metric)
    {
        var sums = new double[centroids.Length];
        for (var row = 0; row < assignment.Length; row++)
            for (var d = 0; d < dimension; d++) sums[assignment[row] * dimension + d] += values[row * dimension + d];
        for (var cluster = 0; cluster < sizes.Length; cluster++)
        {
            if (sizes[cluster] == 0) continue;
            var centroid = centroids.AsSpan(cluster * dimension, dimension);
            for (var d = 0; d < dimension; d++) centroid[d] = (float)(sums[cluster * dimension + d] / sizes[cluster]);
            if (metric == VectorMetric.Cosine) RowProducts.ToUnitLength(centroid);
        }
    }

    // The fullest clusters may keep one row more until those places are gone; the others give up the rows that lose least.
    private static void Even(float[] values, int[] assignment, int dimension, float[] centroids, int share, int withOneMore)
    {
        var clusters = centroids.Length / dimension;
        var sizes = Sizes(assignment, clusters);
        var room = new int[clusters];
        foreach (var (cluster, place) in Enumerable.Range(0, clusters).OrderByDescending(cluster => sizes[cluster]).Select((cluster, place) => (cluster, place)))
            room[cluster] = share + (place < withOneMore ? 1 : 0);
        float Squared(int row, int cluster) => RowProducts.SquaredDistance(values.AsSpan(row * dimension, dimension), centroids.AsSpan(cluster * dimension, dimension));
        while (true)
        {
            var open = Enumerable.Range(0, clusters).Where(cluster => sizes[cluster] < room[cluster]).ToArray();
            if (open.Length == 0) return;
            var moves = new List<(float Loss, int Row, int To)>();
            for (var row = 0; row < assignment.Length; row++)
            {
                if (sizes[assignment[row]] <= room[assignment[row]]) continue;
                var (best, to) = open.Select(cluster => (Squared(row, cluster), cluster)).Min();
                moves.Add((best - Squared(row, assignment[row]), row, to));
            }
            foreach (var (_, row, to) in moves.Order())
            {
                if (sizes[assignment[row]] <= room[assignment[row]] || sizes[to] >= room[to]) continue;
                sizes[assignment[row]]--;
                sizes[to]++;
                assignment[row] = to;
            }
        }
    }
}
