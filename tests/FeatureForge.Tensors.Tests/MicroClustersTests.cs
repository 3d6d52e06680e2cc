// Micro-clusters of streamed rows, and what odd rows do to every algorithm on host rows.

namespace FeatureForge.Tensors.Tests;

public sealed class MicroClustersTests
{
    [Fact]
    public void Cells_are_nearly_pure_and_every_row_is_in_its_nearest_one()
    {
        const int rows = 6000;
        var (vectors, classes) = Mixtures.EmbeddingLike(rows, 30);

        var found = MicroClusters.Fit(RowStream.Of(vectors, rows, Mixtures.Dimension), new() { Cells = 240, Seed = 1 });

        Assert.Equal(240, found.Cells);
        Assert.Equal(rows, found.Sizes.Sum());
        Assert.Equal(Reference.Nearest(vectors, found.Centroids, Mixtures.Dimension), found.Nearest);
        Assert.All(found.Nearest.Zip(found.Second), pair => Assert.NotEqual(pair.First, pair.Second));
        Assert.All(found.Distance.Zip(found.SecondDistance), pair => Assert.True(pair.First <= pair.Second));
        var pure = classes.Zip(found.Nearest).GroupBy(pair => pair.Second).Sum(cell => cell.GroupBy(pair => pair.First).Max(kind => kind.Count()));
        Assert.True(pure > rows * 0.97, $"{pure} of {rows} rows are of their cell's main class");
    }

    [Fact]
    public void Blocks_of_the_stream_make_no_difference()
    {
        const int rows = 3000;
        var (vectors, _) = Mixtures.EmbeddingLike(rows, 12);
        var blocks = new RowStream(rows, Mixtures.Dimension, () => vectors.Chunk(700 * Mixtures.Dimension).Select(block => (block, block.Length / Mixtures.Dimension)));

        var whole = MicroClusters.Fit(RowStream.Of(vectors, rows, Mixtures.Dimension), new() { Cells = 60, Metric = VectorMetric.L2 });
        var parts = MicroClusters.Fit(blocks, new() { Cells = 60, Metric = VectorMetric.L2 });

        Assert.Equal(whole.Nearest, parts.Nearest);
        Assert.Equal(whole.Centroids, parts.Centroids);
    }

    [Fact]
    public void Wrong_requests_and_rows_are_named()
    {
        var stream = RowStream.Of([1, 2, 3, float.PositiveInfinity], 2, 2);

        Assert.Contains("Row 1 holds", Assert.Throws<ArgumentException>(() => MicroClusters.Fit(stream, new() { Cells = 1 })).Message, StringComparison.Ordinal);
        Assert.Contains("1 to 2 cells", Assert.Throws<ArgumentException>(() => MicroClusters.Fit(stream, new() { Cells = 3 })).Message, StringComparison.Ordinal);
        Assert.Contains("announced 9 rows", Assert.Throws<ArgumentException>(() => MicroClusters.Fit(stream with { Rows = 9, Read = () => [([1, 2], 1)] }, new() { Cells = 1 })).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("one")]
    [InlineData("identical")]
    [InlineData("zero")]
    [InlineData("duplicates")]
    [InlineData("huge")]
    public void Odd_rows_give_finite_results_in_both_metrics(string kind)
    {
        var (values, rows) = kind switch
        {
            "one" => ((float[])[1, 2, 3], 1),
            "identical" => ([.. Enumerable.Repeat(0.3f, 60)], 20),
            "zero" => (new float[60], 20),
            "duplicates" => ([.. Enumerable.Range(0, 60).Select(i => i / 3 % 4 * 1f)], 20),
            _ => ([.. Enumerable.Range(0, 60).Select(i => (float)Math.Sin(i) * 1e15f)], 20),
        };
        foreach (var metric in (VectorMetric[])[VectorMetric.L2, VectorMetric.Cosine])
        {
            var means = KMeans.Fit(values, rows, 3, new() { Clusters = Math.Min(rows, 5), Metric = metric });
            var cells = MicroClusters.Fit(RowStream.Of(values, rows, 3), new() { Cells = Math.Min(rows, 5), Metric = metric });

            Assert.All(means.Centroids.Concat(means.Distance).Concat(cells.Centroids).Concat(cells.Distance), value => Assert.True(float.IsFinite(value)));
            Assert.True(double.IsFinite(means.Inertia));
            Assert.All(means.Assignment.Concat(cells.Nearest), cluster => Assert.InRange(cluster, 0, 4));
            if (rows == 1) continue;
            var near = Neighbours.Among(values, rows, 3, 4, metric);
            Assert.All(near.Distance, value => Assert.True(float.IsFinite(value)));
            for (var row = 0; row < rows; row++) Assert.DoesNotContain(row, near.Index.AsSpan(row * 4, 4).ToArray());
        }
    }

    [Fact]
    public void Equal_distances_are_listed_by_row()
    {
        var table = Neighbours.Among([0, 1, -1, 1, -1, 2], 6, 1, 4, VectorMetric.L2);

        Assert.Equal([1, 2, 3, 4], table.Index.AsSpan(0, 4).ToArray());
    }

    [Fact]
    public void Swaps_find_the_optimum_that_lloyd_alone_misses()
    {
        // 30 far-apart heaps: from random rows, some heaps get two centroids and others share one.
        var values = Enumerable.Range(0, 3000).SelectMany(i => new[] { i % 30 % 6 * 50f + (float)new CounterRandom(1).Normal(i), i % 30 / 6 * 50f + (float)new CounterRandom(2).Normal(i) }).ToArray();

        var lloyd = KMeans.Fit(values, 3000, 2, new() { Clusters = 30, RandomSeeds = true, SwapRounds = 0 });
        var swaps = KMeans.Fit(values, 3000, 2, new() { Clusters = 30, RandomSeeds = true });

        Assert.True(swaps.Inertia < 6500, $"inertia {swaps.Inertia:f0}; the planted heaps have about 6,000");
        Assert.True(lloyd.Inertia > 2 * swaps.Inertia);
    }

    [Fact]
    public void Balanced_clusters_differ_little_in_size()
    {
        const int rows = 2000;
        var (vectors, _) = Mixtures.EmbeddingLike(rows, 10);

        var free = KMeans.Fit(vectors, rows, Mixtures.Dimension, new() { Clusters = 16 });
        var balanced = KMeans.Fit(vectors, rows, Mixtures.Dimension, new() { Clusters = 16, Balanced = true });

        Assert.All(balanced.Assignment.CountBy(cluster => cluster), size => Assert.InRange(size.Value, rows / 16, rows / 16 + 1));
        Assert.True(free.Inertia <= balanced.Inertia);
    }

    [Fact]
    public void The_number_of_threads_changes_no_bit()
    {
        var (vectors, _) = Mixtures.EmbeddingLike(3000, 12);
        KMeansResult Fit(int threads)
        {
            var result = default(KMeansResult);
            var scheduler = new ConcurrentExclusiveSchedulerPair(TaskScheduler.Default, threads).ConcurrentScheduler;
            Task.Factory.StartNew(() => result = KMeans.Fit(vectors, 3000, Mixtures.Dimension, new() { Clusters = 24 }), default, default, scheduler).GetAwaiter().GetResult();
            return result!;
        }

        var (one, many) = (Fit(1), Fit(8));

        Assert.Equal(one.Centroids, many.Centroids);
        Assert.Equal(one.Assignment, many.Assignment);
    }
}
