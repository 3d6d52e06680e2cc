// Trustworthiness of a map (Venna, Kaski 2001): how far its nearest neighbours are near in the vectors too. 1 is perfect,
// about 0.5 a random layout.
using FeatureForge.Tensors;
using TorchSharp;

namespace FeatureForge.Clustering;

internal static class Trustworthiness
{
    private const int SampledRows = 10_000;
    private const int Queries = 1000;
    private const int NeighbourCount = 10;

    /// <summary>Over at most 1,000 queries among at most 10,000 rows; k = 10, less where there are few rows. 1 with fewer than 4 rows.</summary>
    /// <param name="points">[rows, 2], row-major.</param>
    internal static double Of(SetVectors vectors, float[] points, int seed, CancellationToken stop)
    {
        var sample = FitSample.Of(vectors, SampledRows, seed + 1);
        var n = sample.Count;
        var k = Math.Min(NeighbourCount, (n - 1) / 2);
        if (n < 4) return 1;
        var queries = n <= Queries ? [.. Enumerable.Range(0, n)] : new CounterRandom(seed).Stream(9).Sample(Queries, n);
        var near = OnMap(sample, points, queries, k);

        double penalty = 0;
        var distances = new float[n];
        for (var q = 0; q < queries.Length; q++)
        {
            stop.ThrowIfCancellationRequested();
            var query = vectors[sample.Rows[queries[q]]];
            for (var row = 0; row < n; row++) distances[row] = row == queries[q] ? -1 : Geometry.Distance(query, vectors[sample.Rows[row]], vectors.Metric);
            foreach (var neighbour in near[q])
            {
                var rank = 0; // the query itself, at -1, makes the nearest other row rank 1
                foreach (var distance in distances) if (distance < distances[neighbour]) rank++;
                penalty += Math.Max(0, rank - k);
            }
        }
        return 1 - 2.0 / (queries.Length * (double)k * (2.0 * n - 3 * k - 1)) * penalty;
    }

    private static int[][] OnMap(FitSample sample, float[] points, int[] queries, int k)
    {
        using var scope = torch.NewDisposeScope();
        var places = new float[sample.Count * 2];
        for (var i = 0; i < sample.Count; i++) points.AsSpan(2 * sample.Rows[i], 2).CopyTo(places.AsSpan(2 * i));
        var all = HostCopies.ToTensor(places, [sample.Count, 2], torch.CPU);
        var asked = all.index_select(0, HostCopies.ToTensor(Array.ConvertAll(queries, query => (long)query), [queries.Length], torch.CPU));
        var table = Neighbours.Of(asked, all, k + 1, VectorMetric.L2);
        return [.. queries.Select((query, q) => table.Index.AsSpan(q * table.K, table.K).ToArray().Where(row => row != query).Take(k).ToArray())];
    }
}
