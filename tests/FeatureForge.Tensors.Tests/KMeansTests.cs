// k-means against hand-computed results, properties, and the quality known for embedding-like data.
using TorchSharp;

namespace FeatureForge.Tensors.Tests;

public sealed class KMeansTests
{
    [Fact]
    public void Two_pairs_of_points_get_the_centroids_computed_by_hand()
    {
        float[] points = [0, 0, 0.5f, 0, 0.5f, 1, 1, 1];

        var result = KMeans.Fit(points, 4, 2, new() { Clusters = 2 });

        Assert.Equal(0.25, result.Inertia, 6); // four times 0.25 squared
        Assert.Equal(result.Assignment[0], result.Assignment[1]);
        Assert.Equal(result.Assignment[2], result.Assignment[3]);
        Assert.Equal([0.25f, 0f], result.Centroids.AsSpan(result.Assignment[0] * 2, 2).ToArray());
        Assert.Equal([0.75f, 1f], result.Centroids.AsSpan(result.Assignment[2] * 2, 2).ToArray());
        Assert.All(result.Distance, distance => Assert.Equal(0.25f, distance, 5));
        Assert.True(result.Converged);
    }

    [Fact]
    public void As_many_clusters_as_points_leave_no_inertia_even_with_few_distinct_ones_empty()
    {
        var (vectors, _) = Mixtures.EmbeddingLike(40, 4);

        var result = KMeans.Fit(vectors, 40, Mixtures.Dimension, new() { Clusters = 40 });

        Assert.Equal(0, result.Inertia, 4);
        Assert.Equal(40, result.Assignment.Distinct().Count());
    }

    [Fact]
    public void Identical_points_do_not_break_it()
    {
        var result = KMeans.Fit(Enumerable.Repeat(0.3f, 30).ToArray(), 10, 3, new() { Clusters = 4 });

        Assert.Equal(0, result.Inertia, 6);
        Assert.All(result.Centroids, value => Assert.Equal(0.3f, value, 5));
    }

    [Fact]
    public void The_same_seed_gives_the_same_bits_and_another_seed_other_ones()
    {
        var (vectors, _) = Mixtures.EmbeddingLike(2000, 30);
        var options = new KMeansOptions { Clusters = 20, Restarts = 1, Iterations = 5, Seed = 7 };

        var first = KMeans.Fit(vectors, 2000, Mixtures.Dimension, options);
        var second = KMeans.Fit(vectors, 2000, Mixtures.Dimension, options);
        var other = KMeans.Fit(vectors, 2000, Mixtures.Dimension, options with { Seed = 8 });

        Assert.Equal(first.Centroids, second.Centroids);
        Assert.Equal(first.Assignment, second.Assignment);
        Assert.NotEqual(first.Centroids, other.Centroids);
    }

    [Theory]
    [InlineData(VectorMetric.L2)]
    [InlineData(VectorMetric.Cosine)]
    public void Every_row_is_with_its_nearest_centroid_and_every_centroid_is_the_mean_of_its_rows(VectorMetric metric)
    {
        var (vectors, _) = Mixtures.EmbeddingLike(1500, 8);

        var result = KMeans.Fit(vectors, 1500, Mixtures.Dimension, new() { Clusters = 8, Metric = metric, Tolerance = 0, Iterations = 300 });

        Assert.True(result.Converged);
        Assert.Equal(Reference.Nearest(vectors, result.Centroids, Mixtures.Dimension), result.Assignment);
        var means = Reference.Means(vectors, result.Assignment, 8, Mixtures.Dimension, metric == VectorMetric.Cosine);
        Assert.Equal(0, means.Zip(result.Centroids, (a, b) => Math.Abs(a - b)).Max(), 4); // float32 rounding of means of about 200 rows
    }

    [Fact]
    public void Moving_all_points_far_away_changes_nothing_but_the_centroids()
    {
        var (vectors, _) = Mixtures.EmbeddingLike(1000, 6);
        var moved = Array.ConvertAll(vectors, value => value + 64);

        var here = KMeans.Fit(vectors, 1000, Mixtures.Dimension, new() { Clusters = 6, Seed = 3 });
        var there = KMeans.Fit(moved, 1000, Mixtures.Dimension, new() { Clusters = 6, Seed = 3 });

        // A shift by 64 leaves 17 of 24 bits of each value: a few rows at borders may change sides.
        Assert.True(Reference.AdjustedRand(here.Assignment, there.Assignment) > 0.98);
    }

    [Fact]
    public void Well_separated_classes_are_found_and_restarts_never_make_it_worse()
    {
        var (vectors, classes) = Mixtures.EmbeddingLike(3000, 8);
        var options = new KMeansOptions { Clusters = 8, Seed = 1 };

        var one = KMeans.Fit(vectors, 3000, Mixtures.Dimension, options with { Restarts = 1 });
        var five = KMeans.Fit(vectors, 3000, Mixtures.Dimension, options with { Restarts = 5 });

        Assert.True(five.Inertia <= one.Inertia);
        Assert.True(Reference.AdjustedRand(classes, five.Assignment) > 0.9, $"ARI {Reference.AdjustedRand(classes, five.Assignment):f3}");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Few_clusters_of_rows_without_groups_end_as_low_as_the_best_of_many_starts(bool byTensors)
    {
        const int rows = 2000, dimension = 24, clusters = 10;
        var random = new Random(5);
        var vectors = Enumerable.Range(0, rows * dimension).Select(_ => (float)(random.NextDouble() + random.NextDouble() - 1)).ToArray();
        using var tensor = torch.tensor(vectors, [rows, dimension]);
        var options = new KMeansOptions { Clusters = clusters, Metric = VectorMetric.Cosine, Restarts = 1 };
        double Inertia(KMeansOptions how) => byTensors ? KMeans.FitByTensors(tensor, how, null, default).Inertia : KMeans.Fit(vectors, rows, dimension, how).Inertia;

        var starts = Enumerable.Range(0, 20).Select(seed => Inertia(options with { SwapRounds = 0, Seed = 100 + seed })).Order().ToList();
        var found = Enumerable.Range(0, 2).Select(seed => Inertia(options with { Seed = seed })).ToList();

        Assert.All(found, inertia => Assert.True(inertia <= starts[4], $"found {inertia:f2}; single starts {starts[0]:f2}, the fifth {starts[4]:f2}, the middle one {starts[10]:f2}"));
    }

    [Theory]
    [InlineData(VectorMetric.L2, 8)]
    [InlineData(VectorMetric.Cosine, 20)]
    public void What_accelerators_run_finds_the_same_groups(VectorMetric metric, int clusters)
    {
        var (vectors, classes) = Mixtures.EmbeddingLike(9000, clusters);
        using var tensor = torch.tensor(vectors, [9000, Mixtures.Dimension]);
        var options = new KMeansOptions { Clusters = clusters, Metric = metric, Seed = 2, Restarts = 4 };

        var result = KMeans.FitByTensors(tensor, options, null, default);
        var again = KMeans.FitByTensors(tensor, options, null, default);

        Assert.Equal(result.Centroids, again.Centroids);
        Assert.InRange(result.Inertia / KMeans.Fit(vectors, 9000, Mixtures.Dimension, options).Inertia, 0.98, 1.02);
        Assert.True(Reference.AdjustedRand(classes, result.Assignment) > 0.9, $"ARI {Reference.AdjustedRand(classes, result.Assignment):f3}");
    }

    [Fact]
    public void Many_micro_clusters_are_nearly_pure()
    {
        var (vectors, classes) = Mixtures.EmbeddingLike(6000, 40);

        var result = KMeans.Fit(vectors, 6000, Mixtures.Dimension, new() { Clusters = 600, Restarts = 1, Iterations = 10 });

        var pure = classes.Zip(result.Assignment).GroupBy(pair => pair.Second).Sum(cell => cell.GroupBy(pair => pair.First).Max(kind => kind.Count()));
        Assert.True(pure > 6000 * 0.98, $"{pure} of 6000 rows are of their micro-cluster's main class");
    }

    [Fact]
    public void New_rows_go_to_the_centroids_they_would_have_had()
    {
        var (vectors, _) = Mixtures.EmbeddingLike(800, 5);
        var result = KMeans.Fit(vectors, 800, Mixtures.Dimension, new() { Clusters = 5 });
        using var scope = torch.NewDisposeScope();

        var (assignment, distance) = KMeans.Assign(HostCopies.ToTensor(vectors, [800, Mixtures.Dimension], torch.CPU),
            HostCopies.ToTensor(result.Centroids, [5, Mixtures.Dimension], torch.CPU), VectorMetric.L2);

        Assert.Equal(result.Assignment, assignment);
        Assert.Equal(0, distance.Zip(result.Distance, (a, b) => Math.Abs(a - b)).Max(), 4);
    }

    [Fact]
    public void Wrong_requests_say_what_was_expected()
    {
        Assert.Contains("1 to 3 clusters", Assert.Throws<ArgumentException>(() => KMeans.Fit(new float[6], 3, 2, new() { Clusters = 4 })).Message, StringComparison.Ordinal);
        Assert.Contains("finite", Assert.Throws<ArgumentException>(() => KMeans.Fit([1, float.NaN], 2, 1, new() { Clusters = 1 })).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => KMeans.Fit(torch.zeros(3), new() { Clusters = 1 }));
    }

    [Fact]
    public void It_stops_between_passes_when_asked()
    {
        var (vectors, _) = Mixtures.EmbeddingLike(500, 5);
        using var stop = new CancellationTokenSource();

        Assert.Throws<OperationCanceledException>(() => KMeans.Fit(vectors, 500, Mixtures.Dimension, new() { Clusters = 20, Tolerance = 0 },
            progress: (_, _) => stop.Cancel(), stop: stop.Token));
    }

    [Fact]
    public void No_tensor_outlives_a_fit()
    {
        var (vectors, _) = Mixtures.EmbeddingLike(500, 5);
        using var tensor = torch.tensor(vectors, [500, Mixtures.Dimension]);
        KMeans.FitByTensors(tensor, new() { Clusters = 20 }, null, default);
        var before = torch.Tensor.TotalCount;

        for (var i = 0; i < 3; i++)
        {
            KMeans.Fit(vectors, 500, Mixtures.Dimension, new() { Clusters = 20, Metric = VectorMetric.Cosine });
            KMeans.FitByTensors(tensor, new() { Clusters = 40 - 15 * i, Metric = VectorMetric.Cosine }, null, default);
        }

        Assert.Equal(before, torch.Tensor.TotalCount);
    }
}
