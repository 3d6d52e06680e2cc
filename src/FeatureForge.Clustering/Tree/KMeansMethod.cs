// Flat clusters by k-means, as a tree of one root and k leaves. k is given, or the one of highest simplified silhouette
// (Hruschka, Campello, de Castro 2006) on a ladder of counts. Larger sets are fitted on a sample, and the centres then moved by passes over all rows.
using FeatureForge.Tensors;
using TorchSharp;

namespace FeatureForge.Clustering;

internal static class KMeansMethod
{
    private const int Block = 1 << 16;
    private const int ChoiceRows = 10_000;
    private const int Reruns = 3;
    // Passes over all rows after a fit on a sample, and the gain of one that is not worth another.
    private const int MostPasses = 10;
    private const double WorthAPass = 1e-4;

    internal static Partitioning Run(SetVectors vectors, FitSample sample, int? k, int seed, string device, Action<string, int, int> progress, CancellationToken stop)
    {
        var clusters = k ?? Choose(vectors, seed, device, progress, stop);
        var result = Fit(sample, vectors, clusters, seed, 3, device, (done, total) => progress("k-means", done, total), stop);
        var (centroids, inertia, passes) = (result.Centroids, result.Inertia, 0);
        var gain = 0.0;
        if (sample.Count < vectors.Rows)
        {
            (centroids, var history) = KMeansStream.Refine(new(vectors.Rows, vectors.Dimension, () => vectors.Values.Blocks(Block)), centroids, vectors.Metric, MostPasses, WorthAPass, device,
                (pass, done) => progress($"k-means over all vectors, pass {pass}", (int)done, vectors.Rows), stop);
            (inertia, passes) = (history[^1], history.Count);
            gain = 1 - history[^1] / history[0];
        }
        var (leaves, strength) = Assign(vectors, centroids, device, progress, stop);
        var tree = ClusterTree.Of([leaves], vectors.Rows);

        var reruns = new List<int[]>();
        for (var rerun = 0; rerun < Reruns; rerun++)
        {
            progress("stability", rerun, Reruns);
            var kept = new CounterRandom(seed).Stream(1000 + rerun).Sample(Math.Max(1, (int)(0.8 * sample.Count)), sample.Count);
            if (kept.Length < clusters) break;
            var values = new float[kept.Length * vectors.Dimension];
            for (var i = 0; i < kept.Length; i++) sample.Values.AsSpan(kept[i] * vectors.Dimension, vectors.Dimension).CopyTo(values.AsSpan(i * vectors.Dimension));
            var again = Fit(new(kept, values), vectors, clusters, seed + 1 + rerun, 1, device, null, stop);
            reruns.Add(Stability.Scatter(again.Assignment, kept, sample.Count));
        }
        return new(tree, strength, Stability.OfNodes(tree, sample, reruns), new Dictionary<string, double>
        {
            ["k"] = clusters,
            ["inertia"] = inertia,
            ["passes_over_all"] = passes,
            ["gain_over_sample"] = gain,
            ["noise"] = 0,
        });
    }

    private static KMeansResult Fit(FitSample sample, SetVectors vectors, int k, int seed, int restarts, string device, Action<int, int>? progress, CancellationToken stop) =>
        KMeans.Fit(sample.Values, sample.Count, vectors.Dimension, new() { Clusters = k, Metric = vectors.Metric, Seed = seed, Restarts = restarts }, device, progress, stop);

    private static int Choose(SetVectors vectors, int seed, string device, Action<string, int, int> progress, CancellationToken stop)
    {
        var sample = FitSample.Of(vectors, ChoiceRows, seed);
        var highest = Math.Min(2 * (int)Math.Sqrt(vectors.Rows), sample.Count - 1);
        if (highest < 2) return 1;
        var ladder = new List<int>();
        for (var k = 2.0; k <= highest; k = Math.Max(k + 1, k * 1.3)) ladder.Add((int)k);
        var (best, bestSilhouette) = (2, double.NegativeInfinity);
        for (var i = 0; i < ladder.Count; i++)
        {
            progress("number of clusters", i, ladder.Count);
            var fit = Fit(sample, vectors, ladder[i], seed, 1, device, null, stop);
            var silhouette = Measures.SimplifiedSilhouette(sample.Values, vectors.Dimension, fit.Centroids, vectors.Metric, device, stop);
            if (silhouette > bestSilhouette) (best, bestSilhouette) = (ladder[i], silhouette);
        }
        return best;
    }

    // Strength: 0 half-way between the two nearest centroids, 1 on the nearest.
    private static (int[] Leaves, float[] Strength) Assign(SetVectors vectors, float[] centroids, string device, Action<string, int, int> progress, CancellationToken stop)
    {
        var leaves = new int[vectors.Rows];
        var strength = new float[vectors.Rows];
        var k = centroids.Length / vectors.Dimension;
        using var scope = torch.NewDisposeScope();
        var on = DeviceChoice.Select(device);
        var targets = HostCopies.ToTensor(centroids, [k, vectors.Dimension], on); // [K, D]
        for (var first = 0; first < vectors.Rows; first += Block)
        {
            using var step = torch.NewDisposeScope();
            var count = Math.Min(Block, vectors.Rows - first);
            var some = HostCopies.ToTensor(vectors.Values.Block(first, count), [count, vectors.Dimension], on); // [B, D]
            var table = Neighbours.Of(some, targets, Math.Min(2, k), vectors.Metric, stop: stop);
            for (var i = 0; i < count; i++)
            {
                var (near, second) = (table.Distance[i * table.K], table.K == 2 ? table.Distance[i * table.K + 1] : float.PositiveInfinity);
                leaves[first + i] = table.Index[i * table.K];
                strength[first + i] = second > 0 ? Math.Clamp(1 - near / second, 0, 1) : 0;
            }
            progress("assignment", first + count, vectors.Rows);
        }
        return (leaves, strength);
    }
}
