// Method hdbscan as a tree of one root and the chosen clusters. Noise stays noise (its membership names no cluster); beside it the
// cluster it would join, by most of its nearest clustered neighbours, is kept as what the tree holds it below.
using FeatureForge.Tensors;

namespace FeatureForge.Clustering;

internal static class HdbscanMethod
{
    private const int FillNeighbours = 5;
    private const int RerunRows = 20_000;
    private const int ValidityRows = 3_000;
    private const int Reruns = 3;

    internal static Partitioning Run(SetVectors vectors, FitSample sample, HdbscanOptions options, int seed, Action<string, int, int> progress, CancellationToken stop)
    {
        var found = Hdbscan.Fit(sample.Values, sample.Count, vectors.Dimension, vectors.Metric, options, progress, stop);
        var (labels, strength) = Extend(vectors, sample, found, progress, stop);
        var noise = Array.ConvertAll(labels, label => label < 0);
        var filled = Filled(vectors, labels, stop);
        var tree = ClusterTree.Of(found.Clusters == 0 ? [] : [filled], vectors.Rows);
        var measures = new Dictionary<string, double>
        {
            ["density_clusters"] = found.Clusters,
            ["noise"] = noise.Count(isNoise => isNoise) / (double)vectors.Rows,
        };
        if (Validity(vectors, labels, seed, stop) is { } validity) measures["dbcv"] = validity;
        return new(tree, strength, Stability.OfNodes(tree, sample, Again(vectors, sample, options, seed, progress, stop)), measures) { Noise = noise };
    }

    // Rows beyond the sample are what most of their nearest sampled neighbours are, noise included.
    private static (int[] Labels, float[] Strength) Extend(SetVectors vectors, FitSample sample, HdbscanResult found, Action<string, int, int> progress, CancellationToken stop)
    {
        if (sample.Count == vectors.Rows) return (found.Labels, found.Strength);
        var (labels, strength) = (new int[vectors.Rows], new float[vectors.Rows]);
        sample.ForRest(vectors, "cpu", FillNeighbours, (done, total) => progress("assignment", done, total), stop, (row, nearest, _) =>
        {
            var near = nearest.ToArray();
            labels[row] = near.GroupBy(other => found.Labels[other]).MaxBy(group => group.Count())!.Key;
            strength[row] = labels[row] < 0 ? 0 : near.Where(other => found.Labels[other] == labels[row]).Average(other => found.Strength[other]);
        });
        for (var i = 0; i < sample.Count; i++) (labels[sample.Rows[i]], strength[sample.Rows[i]]) = (found.Labels[i], found.Strength[i]);
        return (labels, strength);
    }

    private static int[] Filled(SetVectors vectors, int[] labels, CancellationToken stop)
    {
        var noise = Enumerable.Range(0, labels.Length).Where(row => labels[row] < 0).ToArray();
        var clustered = Enumerable.Range(0, labels.Length).Where(row => labels[row] >= 0).ToArray();
        if (noise.Length == 0 || clustered.Length == 0) return labels;
        var k = Math.Min(FillNeighbours, clustered.Length);
        var table = Neighbours.Of(vectors.Values.Gather(noise), noise.Length, vectors.Values.Gather(clustered), clustered.Length, vectors.Dimension, k, vectors.Metric, null, stop);
        var filled = labels.ToArray();
        for (var i = 0; i < noise.Length; i++)
            filled[noise[i]] = table.Index.Skip(i * k).Take(k).GroupBy(other => labels[clustered[other]]).MaxBy(group => group.Count())!.Key;
        return filled;
    }

    private static double? Validity(SetVectors vectors, int[] labels, int seed, CancellationToken stop)
    {
        var rows = labels.Length <= ValidityRows ? [.. Enumerable.Range(0, labels.Length)] : new CounterRandom(seed).Stream(56).Sample(ValidityRows, labels.Length);
        return DensityValidity.Of(vectors.Values.Gather(rows), rows.Length, vectors.Dimension, vectors.Metric, Array.ConvertAll(rows, row => labels[row]), stop);
    }

    private static List<int[]> Again(SetVectors vectors, FitSample sample, HdbscanOptions options, int seed, Action<string, int, int> progress, CancellationToken stop)
    {
        var reruns = new List<int[]>();
        if (sample.Count is < 10 or > RerunRows) return reruns;
        for (var rerun = 0; rerun < Reruns; rerun++)
        {
            progress("stability", rerun, Reruns);
            var kept = new CounterRandom(seed).Stream(2000 + rerun).Sample((int)(0.8 * sample.Count), sample.Count);
            var values = new float[kept.Length * vectors.Dimension];
            for (var i = 0; i < kept.Length; i++) sample.Values.AsSpan(kept[i] * vectors.Dimension, vectors.Dimension).CopyTo(values.AsSpan(i * vectors.Dimension));
            reruns.Add(Stability.Scatter(Hdbscan.Fit(values, kept.Length, vectors.Dimension, vectors.Metric, options, null, stop).Labels, kept, sample.Count));
        }
        return reruns;
    }
}
