// The clustering stage over a real store: quality, shape of the tables, refusals, repeatability.
using FeatureForge.Data;
using FeatureForge.Tensors.Tests;
using FeatureForge.TestKit;

namespace FeatureForge.Clustering.Tests;

public sealed class ClusterRunTests : IDisposable
{
    private readonly TemporaryStore _temporary = new();

    private Store Store => _temporary.Store;

    public void Dispose() => _temporary.Dispose();

    private int[] WriteMixture(int rows = 2000, int classes = 30, string set = "set")
    {
        var (vectors, labels) = Mixtures.EmbeddingLike(rows, classes);
        StoredSet.Write(Store, set, vectors, Mixtures.Dimension);
        return labels;
    }

    private Task<ClusterResult> Run(ClusterSpec spec, string? runId = null) => ClusterRun.ExecuteAsync(spec, _temporary.Context(runId), default);

    private static int[] Numbers(IEnumerable<string?> ids)
    {
        var numbers = new Dictionary<string, int>();
        return [.. ids.Select(id => numbers.TryGetValue(id ?? "", out var number) ? number : numbers[id ?? ""] = numbers.Count)];
    }

    [Fact]
    public async Task The_tree_finds_long_tailed_classes_without_a_parameter()
    {
        var labels = WriteMixture(3000, 30);

        var result = await Run(new() { Set = "set" });

        var memberships = await StoredSet.MembershipsAsync(Store, "set");
        var agreement = Reference.AdjustedRand(labels, Numbers(memberships.Select(row => row.ClusterId)));
        Assert.True(agreement > 0.97, $"ARI {agreement:f3}; k-means at the true k reaches about 0.84 here");
        Assert.InRange(result.Leaves, 28, 32);
        Assert.InRange(result.Measures["mean_stability"], 0.9, 1);
    }

    [Theory]
    [InlineData("tree", null)]
    [InlineData("kmeans", 30)]
    [InlineData("hdbscan", null)]
    public async Task Vectors_that_are_read_from_disk_give_the_tables_of_those_in_memory(string method, int? k)
    {
        var (vectors, _) = Mixtures.EmbeddingLike(1200, 20);
        // Three parts: the order of ids is not the order of the files.
        StoredSet.Write(Store, "set", vectors, Mixtures.Dimension, parts: 3);
        await Run(new() { Set = "set", Clustering = "held", Method = method, K = k });
        var before = Environment.GetEnvironmentVariable(VectorRows.LimitVariable);
        Environment.SetEnvironmentVariable(VectorRows.LimitVariable, "1000");
        try { await Run(new() { Set = "set", Clustering = "mapped", Method = method, K = k }); }
        finally { Environment.SetEnvironmentVariable(VectorRows.LimitVariable, before); }

        Assert.Equal((await StoredSet.MembershipsAsync(Store, "held")).Select(row => (row.ItemId, row.ClusterId, row.Strength, row.Distance)), (await StoredSet.MembershipsAsync(Store, "mapped")).Select(row => (row.ItemId, row.ClusterId, row.Strength, row.Distance)));
        Assert.Equal((await StoredSet.ClustersAsync(Store, "held")).Select(row => (row.ClusterId, row.Size, row.Name)), (await StoredSet.ClustersAsync(Store, "mapped")).Select(row => (row.ClusterId, row.Size, row.Name)));
        Assert.True(StoreVerify.Run(Store, default).Sound);
    }

    [Fact]
    public async Task K_means_of_more_vectors_than_a_sample_holds_passes_over_all_of_them()
    {
        var (rows, random) = (ClusterRun.GraphRows + 20_000, new Tensors.CounterRandom(5));
        var vectors = new float[rows * 3];
        for (var i = 0; i < vectors.Length; i++) vectors[i] = (i / 3 % 4 == i % 3 ? 10 : 0) + (float)random.Normal(i);
        StoredSet.Write(Store, "set", vectors, 3, metric: "l2");

        var result = await Run(new() { Set = "set", Method = "kmeans", K = 4 });

        var sizes = (await StoredSet.ClustersAsync(Store, "set")).Where(row => row.ParentId is not null).ToList();
        Assert.True(result.Measures["passes_over_all"] >= 2);
        // Of Gaussians with unit variance in three dimensions: 3 a row, less what the four means take.
        Assert.Equal(3.0 * rows, result.Measures["inertia"], 0.01 * rows);
        Assert.All(sizes, cluster => Assert.InRange(cluster.Size, rows / 4 - 50, rows / 4 + 50));
        // The centres are the means of all their rows, not of the sample's: of each cluster the mean over 30,000 rows is within 0.02 of the planted one.
        Assert.All(sizes, cluster => Assert.All(cluster.Centroid, value => Assert.True(Math.Abs(value) < 0.025 || Math.Abs(value - 10) < 0.025, $"{value}")));
    }

    [Fact]
    public async Task Shards_and_the_run_that_publishes_make_the_tables_of_one_run()
    {
        WriteMixture(9000, 40); // two blocks of the graph
        await Run(new() { Set = "set", Clustering = "whole" });
        var spec = new ClusterSpec { Set = "set", Clustering = "split", Shards = 2 };

        var first = await Run(spec with { Shard = 0 });
        await Run(spec with { Shard = 1 });
        var units = Directory.EnumerateFiles(Store.PathOf(".staging"), "*.neighbours", SearchOption.AllDirectories).ToList();
        // One is lost, one is another's: the run that publishes makes both itself.
        File.Delete(units[0]);
        await Run(spec);

        Assert.Equal((0, 2), (first.Clusters, units.Count));
        Assert.Equal((await StoredSet.MembershipsAsync(Store, "whole")).Select(row => (row.ItemId, row.ClusterId, row.Strength, row.Distance)), (await StoredSet.MembershipsAsync(Store, "split")).Select(row => (row.ItemId, row.ClusterId, row.Strength, row.Distance)));
        Assert.Empty(Directory.EnumerateFiles(Store.PathOf(".staging"), "*", SearchOption.AllDirectories));
        Assert.False(Store.Clustering("split").Spec.TryGetProperty("shard", out var shard) && shard.ValueKind == System.Text.Json.JsonValueKind.Number);
        Assert.Contains(new ClusterSpec { Set = "set", Method = "kmeans", Shards = 2 }.Problems(), problem => problem.Contains("shards belongs to method tree", StringComparison.Ordinal));
        Assert.Contains((spec with { Shard = 2 }).Problems(), problem => problem.Contains("shard is 2", StringComparison.Ordinal));
    }

    [Fact]
    public void Rows_beyond_the_sample_are_shared_among_shards_by_blocks()
    {
        var random = new Tensors.CounterRandom(9);
        var values = new float[140_000 * 4];
        for (var i = 0; i < values.Length; i++) values[i] = (i / 4 % 4 == i % 4 ? 8 : 0) + (float)random.Normal(i);
        StoredSet.Write(Store, "set", values, 4, metric: "l2");
        var vectors = SetVectors.Read(Store, "set", Level.High, Grain.Item, default);
        var sample = FitSample.Of(vectors, 1500, 0);
        NeighbourUnits Units(int? shard) => NeighbourUnits.Of(_temporary.Context(), "test", "request", 3, shard);
        for (var shard = 0; shard < 3; shard++) TreeMethod.MakeUnits(vectors, sample, Units(shard), "cpu", (_, _, _) => { }, default);
        var made = Directory.EnumerateFiles(Units(null).Folder).Select(Path.GetFileName).Order().ToList();

        var whole = TreeMethod.Run(vectors, sample, 0, "cpu", (_, _, _) => { }, default);
        var split = TreeMethod.Run(vectors, sample, 0, "cpu", (_, _, _) => { }, default, Units(null));

        Assert.Equal(["rest-00001.neighbours", "rest-00002.neighbours", "rest-00003.neighbours", "sample-00000.neighbours"], made);
        Assert.Equal(whole.Tree.LeafOf, split.Tree.LeafOf);
        Assert.Equal(whole.Strength, split.Strength);
    }

    [Fact]
    public async Task Clusters_form_one_tree_whose_children_divide_their_parent()
    {
        WriteMixture();

        var result = await Run(new() { Set = "set" });

        var clusters = await StoredSet.ClustersAsync(Store, "set");
        var root = Assert.Single(clusters, row => row.ParentId is null);
        Assert.Equal(result.Clusters, clusters.Count);
        Assert.Equal((0, 2000L, "all"), (root.Depth, root.Size, root.Name));
        Assert.InRange(clusters.Max(row => row.Depth), 2, 3);
        foreach (var parent in clusters)
        {
            var children = clusters.Where(row => row.ParentId == parent.ClusterId).ToList();
            if (children.Count == 0) continue;
            Assert.True(children.Count > 1);
            Assert.Equal(parent.Size, children.Sum(child => child.Size));
            Assert.All(children, child => Assert.Equal(parent.Depth + 1, child.Depth));
            Assert.Equal(children.Count, children.Select(child => child.Name).Distinct().Count());
        }
    }

    [Fact]
    public async Task Every_vector_has_a_leaf_a_path_to_it_a_strength_and_a_distance()
    {
        WriteMixture();

        await Run(new() { Set = "set" });

        var clusters = (await StoredSet.ClustersAsync(Store, "set")).ToDictionary(row => row.ClusterId);
        var parents = clusters.Values.Select(row => row.ParentId).ToHashSet();
        var memberships = await StoredSet.MembershipsAsync(Store, "set");
        Assert.Equal(Enumerable.Range(0, 2000).Select(StoredSet.ItemId), memberships.Select(row => row.ItemId));
        Assert.All(memberships, row =>
        {
            Assert.DoesNotContain(row.ClusterId, parents);
            Assert.Equal(row.ClusterId, row.ClusterPath[^1]);
            Assert.Equal([null, .. row.ClusterPath.SkipLast(1)], row.ClusterPath.Select(id => clusters[id].ParentId));
            Assert.InRange(row.Strength, 0, 1);
            Assert.InRange(row.Distance, 0, 2);
        });
    }

    [Fact]
    public async Task The_first_exemplar_is_the_member_nearest_to_the_centroid_and_boundary_items_lie_farther_out()
    {
        WriteMixture();

        await Run(new() { Set = "set" });

        var clusters = await StoredSet.ClustersAsync(Store, "set");
        var memberships = await StoredSet.MembershipsAsync(Store, "set");
        foreach (var leaf in clusters.Where(row => clusters.All(other => other.ParentId != row.ClusterId)))
        {
            var members = memberships.Where(row => row.ClusterId == leaf.ClusterId).ToDictionary(row => row.ItemId);
            Assert.Equal(members.Values.Min(row => row.Distance), members[leaf.ExemplarIds[0]].Distance);
            Assert.Equal(leaf.ExemplarIds.Distinct().Count(), leaf.ExemplarIds.Count);
            Assert.All(leaf.ExemplarIds.Concat(leaf.BoundaryIds), id => Assert.Contains(id, members.Keys));
            Assert.True(leaf.BoundaryIds.Average(id => members[id].Distance) > leaf.ExemplarIds.Average(id => members[id].Distance));
            Assert.InRange(leaf.Cohesion, 0.5, 1);
        }
    }

    [Fact]
    public async Task Parts_and_attempts_make_no_difference_to_the_tables()
    {
        var (vectors, _) = Mixtures.EmbeddingLike(800, 12);
        StoredSet.Write(Store, "set", vectors, Mixtures.Dimension);
        await Run(new() { Set = "set", Clustering = "once" });

        StoredSet.Write(Store, "set", vectors, Mixtures.Dimension, parts: 3);
        using var stop = new CancellationTokenSource();
        var stopping = new RecordingReporter { OnProgress = progress => { if (progress.Phase == "communities") stop.Cancel(); } };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ClusterRun.ExecuteAsync(new() { Set = "set", Clustering = "twice" }, _temporary.Context("resumed", stopping), stop.Token));
        Assert.Null(Store.FindClustering("twice"));
        await Run(new() { Set = "set", Clustering = "twice" }, "resumed");

        Assert.Equal((await StoredSet.ClustersAsync(Store, "once")).Select(Line), (await StoredSet.ClustersAsync(Store, "twice")).Select(Line));
        Assert.Equal((await StoredSet.MembershipsAsync(Store, "once")).Select(Line), (await StoredSet.MembershipsAsync(Store, "twice")).Select(Line));
        Assert.False(Directory.Exists(Store.StagingFolder("resumed")));
    }

    private static string Line(object row) => System.Text.Json.JsonSerializer.Serialize(row, SpecJson.Line);

    [Theory]
    [InlineData("cosine")]
    [InlineData("l2")]
    public async Task K_means_gives_as_many_leaves_as_asked_for(string metric)
    {
        var (vectors, labels) = Mixtures.EmbeddingLike(900, 6);
        StoredSet.Write(Store, "set", vectors, Mixtures.Dimension, metric);

        var result = await Run(new() { Set = "set", Method = "kmeans", K = 6 });

        Assert.Equal((6, 7), (result.Leaves, result.Clusters));
        var memberships = await StoredSet.MembershipsAsync(Store, "set");
        Assert.True(Reference.AdjustedRand(labels, Numbers(memberships.Select(row => row.ClusterId))) > 0.9);
        Assert.Equal("kmeans", Store.Clustering("set").Method);
    }

    [Fact]
    public async Task K_means_without_k_finds_the_number_of_separate_groups()
    {
        var random = new FeatureForge.Tensors.CounterRandom(3);
        var vectors = Enumerable.Range(0, 400 * 4).Select(i => (float)random.Normal(i) + (i / 4 % 5 == i % 4 ? 40f : 0f)).ToArray(); // five groups: four axes and the origin
        StoredSet.Write(Store, "set", vectors, 4, "l2");

        var result = await Run(new() { Set = "set", Method = "kmeans" });

        Assert.Equal(5, result.Measures["k"]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public async Task A_handful_of_vectors_is_clustered_too(int rows)
    {
        var (vectors, _) = Mixtures.EmbeddingLike(rows, 2);
        StoredSet.Write(Store, "set", vectors, Mixtures.Dimension);

        var tree = await Run(new() { Set = "set", Clustering = "tree" });
        var flat = await Run(new() { Set = "set", Clustering = "flat", Method = "kmeans", K = 1 });

        Assert.Equal((rows, 1), ((int)tree.Vectors, flat.Leaves));
        Assert.Equal(rows, (await StoredSet.MembershipsAsync(Store, "tree")).Count);
    }

    [Fact]
    public async Task Identical_vectors_end_in_one_cluster()
    {
        StoredSet.Write(Store, "set", [.. Enumerable.Repeat(0.25f, 50 * 8)], 8);

        var result = await Run(new() { Set = "set" });

        Assert.True(result.Leaves <= 3, $"{result.Leaves} leaves of 50 identical vectors");
    }

    [Fact]
    public async Task Wrong_requests_name_every_problem_and_change_nothing()
    {
        WriteMixture(100, 3);

        var spec = await Assert.ThrowsAsync<BadRequestException>(() => Run(new() { Set = "../x", Method = "dbscan", K = 0, Device = "tpu" }));
        var tooMany = await Assert.ThrowsAsync<BadRequestException>(() => Run(new() { Set = "set", Method = "kmeans", K = 101 }));
        var noLevel = await Assert.ThrowsAsync<BadRequestException>(() => Run(new() { Set = "set", Level = "mid" }));
        var kOfTree = await Assert.ThrowsAsync<BadRequestException>(() => Run(new() { Set = "set", K = 5 }));

        Assert.Equal(4, spec.Problems.Count);
        Assert.Contains("k is 101", tooMany.Message, StringComparison.Ordinal);
        Assert.Contains("high/item", noLevel.Message, StringComparison.Ordinal);
        Assert.Contains("kmeans", kOfTree.Message, StringComparison.Ordinal);
        Assert.Empty(Store.Clusterings());
    }

    [Fact]
    public async Task Vectors_of_another_encoder_are_refused_by_name()
    {
        var (vectors, _) = Mixtures.EmbeddingLike(50, 2);
        StoredSet.Write(Store, "set", vectors, Mixtures.Dimension, encoderInFiles: "ffffffffffffffffffffffffffffffff");

        var refused = await Assert.ThrowsAsync<BadRequestException>(() => Run(new() { Set = "set" }));

        Assert.Contains(StoredSet.EncoderId, refused.Message, StringComparison.Ordinal);
        Assert.Contains("ffffffffffffffffffffffffffffffff", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_name_of_another_sets_clustering_is_refused()
    {
        WriteMixture(100, 3, "one");
        WriteMixture(100, 3, "two");
        await Run(new() { Set = "one", Clustering = "shared" });

        var refused = await Assert.ThrowsAsync<BadRequestException>(() => Run(new() { Set = "two", Clustering = "shared" }));

        Assert.Contains("'one'", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_fenced_run_publishes_nothing()
    {
        WriteMixture(100, 3);
        var context = _temporary.Context(checkFence: () => throw new FencedException("another worker"));

        await Assert.ThrowsAsync<FencedException>(() => ClusterRun.ExecuteAsync(new() { Set = "set" }, context, default));

        Assert.Empty(Store.Clusterings());
    }
}
