// How well the parameter-free tree finds classes it is not told of: agreement of its leaves, purity of its dendrogram, and the
// same over seeds.   tree [--digits FILE] [--rows N] [--seeds N]
// FILE: scikit-learn's digits.csv.gz (Debian: python3-sklearn, dist-packages/sklearn/datasets/data), 64 pixels and the digit a line.
using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using FeatureForge.Clustering;
using FeatureForge.Data;
using FeatureForge.Tensors;

namespace FeatureForge.Benchmarks;

internal static class TreeBenchmark
{
    internal static async Task<int> RunAsync(string[] arguments, TextWriter output)
    {
        var rows = int.Parse(arguments.Text("--rows") ?? "100000", CultureInfo.InvariantCulture);
        var seeds = int.Parse(arguments.Text("--seeds") ?? "5", CultureInfo.InvariantCulture);
        await output.WriteLineAsync("| set | ARI of the leaves per seed | leaves | dendrogram purity | noise | least pairwise ARI | seconds |\n|---|---|---|---:|---:|---:|---:|");
        if (arguments.Text("--digits") is { } file) await MeasureAsync("digits", Digits(file), seeds, output);
        await MeasureAsync("three levels, 5 x 6 x 4, 6,000", TreeMixtures.ThreeLevels(6000, [5, 6, 4], 1), seeds, output);
        await MeasureAsync("embedding-like, 64 classes, 10,000", TreeMixtures.EmbeddingLike(10_000, 64), seeds, output);
        if (rows > 0)
        {
            await MeasureAsync($"embedding-like, 256 classes, {rows:N0}", TreeMixtures.EmbeddingLike(rows), 1, output);
            await MeasureAsync($"Zipf, 256 classes, {rows:N0}", TreeMixtures.Zipf(rows), 1, output);
        }
        return 0;
    }

    private static PlantedSet Digits(string file)
    {
        using var reader = new StreamReader(new GZipStream(File.OpenRead(file), CompressionMode.Decompress));
        var lines = new List<float[]>();
        while (reader.ReadLine() is { } line) lines.Add([.. line.Split(',').Select(cell => float.Parse(cell, CultureInfo.InvariantCulture))]);
        return new([.. lines.SelectMany(line => line[..64])], 64, VectorMetric.L2, [.. lines.Select(line => (int)line[64])]);
    }

    private static async Task MeasureAsync(string name, PlantedSet set, int seeds, TextWriter output)
    {
        var vectors = new SetVectors(null!, "high", Grain.Item, set.Metric, set.Dimension, [.. Enumerable.Range(0, set.Rows).Select(row => row.ToString("x32", CultureInfo.InvariantCulture))],
            new int[set.Rows], new ItemSpan[set.Rows], new(set.Vectors, set.Dimension));
        var watch = Stopwatch.StartNew();
        var found = Enumerable.Range(0, seeds).Select(seed => TreeMethod.Run(vectors, FitSample.Of(vectors, ClusterRun.GraphRows, seed), seed, "cpu", (_, _, _) => { }, default)).ToList();
        var leaves = found.ConvertAll(one => one.Tree.LeafOf);
        var pairs = from a in Enumerable.Range(0, seeds) from b in Enumerable.Range(0, a) select Agreement.AdjustedRand(leaves[a], leaves[b]);
        string Numbers(IEnumerable<double> values, string format) => string.Join(" ", values.Select(value => value.ToString(format, CultureInfo.InvariantCulture)));
        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"| {name} | {Numbers(leaves.Select(one => Agreement.AdjustedRand(one, set.Classes)), "F3")} | {Numbers(found.Select(one => (double)one.Tree.Leaves.Count()), "F0")} | {found.Min(one => Purity(one.Tree, set.Classes)):F3} | {found.Max(one => one.Measures["noise"]):P2} | {pairs.DefaultIfEmpty(1).Min():F3} | {watch.Elapsed.TotalSeconds / seeds:F1} |"));
        await output.FlushAsync();
    }

    // Of two rows of one class, the share of their class in the smallest node that holds both, on average (Heller, Ghahramani 2005).
    private static double Purity(ClusterTree tree, int[] classes)
    {
        double sum = 0, all = 0;
        var counts = tree.Nodes.Select(node => node.Members.CountBy(row => classes[row]).ToDictionary()).ToArray();
        for (var node = 0; node < tree.Nodes.Count; node++)
            foreach (var (label, count) in counts[node])
            {
                double Pairs(int many) => many * (many - 1.0) / 2;
                var here = Pairs(count) - tree.Children[node].Sum(child => Pairs(counts[child].GetValueOrDefault(label)));
                sum += here * count / tree.Nodes[node].Members.Length;
                all += here;
            }
        return all == 0 ? 1 : sum / all;
    }
}
