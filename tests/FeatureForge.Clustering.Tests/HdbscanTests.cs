// HDBSCAN* against an independent implementation (Goldens/hdbscan_goldens.py), properties of its results, and inputs that break others.
using System.Globalization;
using FeatureForge.Tensors;

namespace FeatureForge.Clustering.Tests;

public sealed class HdbscanTests
{
    private const int Rows = 2000;

    public static TheoryData<string> Goldens() => [.. File.ReadLines(GoldenFile).Select(line => line[..line.LastIndexOf(' ')])];

    [Theory]
    [MemberData(nameof(Goldens))]
    public void Labels_are_those_of_an_independent_implementation(string run)
    {
        var words = run.Split(' ');
        var expected = File.ReadLines(GoldenFile).Single(line => line.StartsWith(run + " ", StringComparison.Ordinal)).Split(' ')[^1];
        var (values, dimension) = Points(words[0]);

        var found = Hdbscan.Fit(values, Rows, dimension, VectorMetric.L2, new()
        {
            MinClusterSize = Number(words[1]),
            MinSamples = Number(words[2]),
            Selection = Selection(words[3]),
        });

        Assert.Equal(double.Parse(words[4], CultureInfo.InvariantCulture), found.TreeWeight, 6);
        Assert.Equal(expected, Letters(found.Labels));
    }

    [Theory]
    [InlineData("eom")]
    [InlineData("leaf")]
    public void No_cluster_is_smaller_than_asked_and_strengths_are_shares(string words)
    {
        var selection = Selection(words);
        var (values, dimension) = Points("blobs2");
        foreach (var least in (int[])[2, 7, 40, 700])
        {
            var found = Hdbscan.Fit(values, Rows, dimension, VectorMetric.L2, new() { MinClusterSize = least, MinSamples = 5, Selection = selection });

            Assert.All(found.Labels.Where(label => label >= 0).CountBy(label => label), size => Assert.True(size.Value >= least));
            Assert.All(found.Strength, strength => Assert.InRange(strength, 0, 1));
            Assert.All(found.OutlierScores, score => Assert.InRange(score, 0, 1));
            Assert.All(found.Labels.Zip(found.Strength), pair => Assert.Equal(pair.First < 0, pair.Second == 0));
        }
    }

    [Fact]
    public void A_row_belongs_most_softly_to_its_own_cluster()
    {
        var (values, dimension) = Points("blobs16");

        var found = Hdbscan.Fit(values, Rows, dimension, VectorMetric.L2, new() { MinClusterSize = 15 });

        for (var row = 0; row < Rows; row += 7)
        {
            var soft = found.Soft(row);
            Assert.InRange(soft.Sum(), 0, 1 + 1e-9);
            if (found.Labels[row] >= 0 && found.Strength[row] > 0.5) Assert.Equal(found.Labels[row], Array.IndexOf(soft, soft.Max()));
        }
    }

    [Fact]
    public void The_neighbour_graph_gives_the_tree_of_all_pairs()
    {
        var (values, dimension) = Points("blobs16");
        var quiet = (string _, int _, int _) => { };

        var exact = SpanningTree.Of(values, Rows, dimension, VectorMetric.L2, 5, quiet, default).Edges;
        var graph = SpanningTree.OfGraph(values, Rows, dimension, VectorMetric.L2, 5, quiet, default).Edges;

        Assert.Equal(Rows - 1, graph.Length);
        Assert.InRange(graph.Sum(edge => edge.Weight) / exact.Sum(edge => edge.Weight), 0.999999, 1.01); // bridges start at the nearest rows only
        var (left, right) = (CondensedTree.Of(exact, Rows, 15), CondensedTree.Of(graph, Rows, 15));
        var agreement = Agreement.AdjustedRand(left.Label(left.Select(DensitySelection.ExcessOfMass)).Labels, right.Label(right.Select(DensitySelection.ExcessOfMass)).Labels);
        Assert.True(agreement > 0.98, $"ARI {agreement:f4}");
    }

    [Fact]
    public void Far_apart_groups_without_an_edge_between_them_are_bridged()
    {
        var values = Enumerable.Range(0, 300).Select(i => i / 100 * 1000f + i % 100 * 0.01f).ToArray();

        var (edges, _) = SpanningTree.OfGraph(values, 300, 1, VectorMetric.L2, 5, (_, _, _) => { }, default);

        Assert.Equal(299, edges.Length);
        Assert.All(edges[^2..], edge => Assert.InRange(edge.Weight, 999, 1000));
    }

    [Fact]
    public void Validity_prefers_the_planted_clusters_to_shuffled_ones()
    {
        var values = Enumerable.Range(0, 400).Select(i => (float)(i % 4 * 10 + new CounterRandom(3).Normal(i))).ToArray();
        var planted = Enumerable.Range(0, 400).Select(i => i % 4).ToArray();
        var shuffled = Enumerable.Range(0, 400).Select(i => i / 100).ToArray();

        Assert.True(DensityValidity.Of(values, 400, 1, VectorMetric.L2, planted) > 0.5);
        Assert.True(DensityValidity.Of(values, 400, 1, VectorMetric.L2, shuffled) < 0);
        Assert.Null(DensityValidity.Of(values, 400, 1, VectorMetric.L2, new int[400]));
    }

    [Fact]
    public void Odd_inputs_give_noise_or_clusters_but_never_break_it()
    {
        Assert.Equal([-1], Hdbscan.Fit([1, 2], 1, 2, VectorMetric.L2, new()).Labels);
        Assert.All(Hdbscan.Fit([1, 2, 3], 3, 1, VectorMetric.Cosine, new()).Labels, label => Assert.Equal(-1, label)); // fewer rows than a cluster needs
        Assert.All(Hdbscan.Fit(new float[80], 40, 2, VectorMetric.Cosine, new()).Strength, strength => Assert.True(float.IsFinite(strength))); // zero vectors
        var twice = Hdbscan.Fit([.. Enumerable.Range(0, 40).Select(i => i % 2 * 5f)], 40, 1, VectorMetric.L2, new()); // two heaps of duplicates
        Assert.Equal(2, twice.Clusters);
        Assert.All(twice.Strength, strength => Assert.Equal(1, strength));
    }

    [Fact]
    public void Wrong_requests_say_what_was_expected()
    {
        Assert.Contains("at least 2 rows", Assert.Throws<ArgumentException>(() => Hdbscan.Fit(new float[4], 4, 1, VectorMetric.L2, new() { MinClusterSize = 1 })).Message, StringComparison.Ordinal);
        Assert.Contains("Row 1 holds NaN", Assert.Throws<ArgumentException>(() => Hdbscan.Fit([1, float.NaN], 2, 1, VectorMetric.L2, new())).Message, StringComparison.Ordinal);
        Assert.Contains("3 x 2 values, found 5", Assert.Throws<ArgumentException>(() => Hdbscan.Fit(new float[5], 3, 2, VectorMetric.L2, new())).Message, StringComparison.Ordinal);
    }

    private static DensitySelection Selection(string word) => word == "leaf" ? DensitySelection.Leaf : DensitySelection.ExcessOfMass;

    private static string GoldenFile => Path.Combine(AppContext.BaseDirectory, "Goldens", "hdbscan.txt");

    private static int Number(string word) => int.Parse(word, CultureInfo.InvariantCulture);

    // Numbered by first appearance, as the script does.
    private static string Letters(int[] labels)
    {
        const string letters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
        var names = new Dictionary<int, int>();
        return string.Concat(labels.Select(label =>
        {
            if (label < 0) return '.';
            names.TryAdd(label, names.Count);
            return letters[names[label]];
        }));
    }

    private static (float[] Values, int Dimension) Points(string set) => set switch
    {
        "blobs2" => (Blobs(2, 12, 0.3, 0.1), 2),
        "blobs16" => (Blobs(16, 20, 0.5, 0.05), 16),
        _ => (Arcs(), 2),
    };

    private static double Unit(long seed, long index) => new CounterRandom(seed).Unit(index);

    private static double Bell(long seed, long index)
    {
        double total = 0;
        for (var i = 0; i < 12; i++) total += Unit(seed, index * 12 + i);
        return total - 6;
    }

    private static float[] Blobs(int dimension, int centres, double spread, double noise)
    {
        var values = new float[Rows * dimension];
        for (var i = 0; i < Rows; i++)
        {
            var c = (int)(Unit(2, i) * centres);
            for (var d = 0; d < dimension; d++)
                values[i * dimension + d] = Unit(4, i) < noise
                    ? (float)(Unit(5, (long)i * dimension + d) * 20 - 10)
                    : (float)(Unit(1, (long)c * dimension + d) * 20 - 10 + Bell(3, (long)i * dimension + d) * spread * (1 + c * 0.25));
        }
        return values;
    }

    private static float[] Arcs()
    {
        var values = new float[Rows * 2];
        for (var i = 0; i < Rows; i++)
        {
            var (x, side) = (Unit(6, i) * 2 - 1, i % 2);
            values[2 * i] = (float)(x + side + Bell(7, 2 * i) * 0.05);
            values[2 * i + 1] = (float)((side == 0 ? x * x : 0.6 - x * x) + Bell(7, 2 * i + 1) * 0.05);
        }
        return values;
    }
}
