// Clusterings over time: ids, edits by hand, new vectors, and corpora made from a tree.
using FeatureForge.Data;
using FeatureForge.Tensors;
using FeatureForge.Tensors.Tests;
using FeatureForge.TestKit;

namespace FeatureForge.Clustering.Tests;

public sealed class OverTimeTests : IDisposable
{
    private readonly TemporaryStore _temporary = new();

    private Store Store => _temporary.Store;

    public void Dispose() => _temporary.Dispose();

    private Task<ClusterResult> Cluster(string set = "set", string clustering = "c", int seed = 0) =>
        ClusterRun.ExecuteAsync(new() { Set = set, Clustering = clustering, Seed = seed }, _temporary.Context(), default);

    private Task<EditResult> Edit(EditSpec spec) => EditRun.ExecuteAsync(spec, _temporary.Context(), default);

    private int[] Write(int rows, int classes = 10, string set = "set")
    {
        var (vectors, labels) = Mixtures.EmbeddingLike(rows, classes);
        StoredSet.Write(Store, set, vectors, Mixtures.Dimension);
        return labels;
    }

    private static Dictionary<string, string?> Leaves(List<MembershipRow> rows) => rows.ToDictionary(row => row.ItemId, row => row.ClusterId);

    [Fact]
    public async Task After_a_tenth_more_items_nearly_all_old_ones_keep_their_cluster()
    {
        Write(1000);
        await Cluster();
        var before = Leaves(await StoredSet.MembershipsAsync(Store, "c"));
        Write(1100);

        var result = await Cluster(seed: 3);

        var after = Leaves(await StoredSet.MembershipsAsync(Store, "c"));
        var kept = before.Count(pair => after[pair.Key] == pair.Value) / 1000.0;
        Assert.True(kept >= 0.95, $"{kept:f3} kept their cluster");
        Assert.Equal(kept, result.Changes!.VectorsKept, 2);
        Assert.Equal(after.Values.Distinct().Count(), (await StoredSet.ClustersAsync(Store, "c")).Count(row => after.ContainsValue(row.ClusterId)));
    }

    [Fact]
    public async Task A_class_that_vanishes_is_a_death_and_a_new_one_a_birth()
    {
        var (vectors, labels) = Mixtures.EmbeddingLike(900, 6);
        void Only(Func<int, bool> wanted)
        {
            var kept = Enumerable.Range(0, 900).Where(row => wanted(labels[row])).ToList();
            // Ids are by row of the full set, so that both sets speak of the same items.
            StoredSet.Write(Store, "set", [.. kept.SelectMany(row => vectors[(row * 128)..((row + 1) * 128)])], 128, ids: kept);
        }
        Only(label => label != 1);
        await Cluster();
        Only(label => label != 0);

        var changes = (await Cluster()).Changes!;

        Assert.Contains(changes.Changes, change => change.Kind == "birth");
        Assert.Contains(changes.Changes, change => change.Kind == "death");
        Assert.True(changes.VectorsKept > 0.95);
    }

    [Fact]
    public async Task A_given_name_and_a_merge_survive_clustering_again()
    {
        Write(800, 8);
        await Cluster();
        var leaves = (await StoredSet.ClustersAsync(Store, "c")).Where(row => row.Depth > 0).ToList();
        var twins = leaves.Where(row => leaves.All(other => other.ParentId != row.ClusterId)).Take(3).ToList();

        await Edit(new() { Clustering = "c", Kind = "rename", Clusters = [twins[2].ClusterId], Name = "my name" });
        var merged = await Edit(new() { Clustering = "c", Kind = "merge", Clusters = [twins[0].ClusterId, twins[1].ClusterId], Name = "both" });
        var joined = (await StoredSet.MembershipsAsync(Store, "c")).Where(row => row.ClusterId == merged.ResultIds[0]).Select(row => row.ItemId).ToHashSet();
        Write(880, 8);
        await Cluster(seed: 5);

        Assert.Equal(twins[0].Size + twins[1].Size, joined.Count);
        var after = await StoredSet.ClustersAsync(Store, "c");
        Assert.Equal(("my name", "person"), after.Where(row => row.ClusterId == twins[2].ClusterId).Select(row => (row.Name, row.NameSource!)).Single());
        Assert.Equal("both", after.Single(row => row.ClusterId == merged.ResultIds[0]).Name);
        var stillJoined = (await StoredSet.MembershipsAsync(Store, "c")).Count(row => joined.Contains(row.ItemId) && row.ClusterId == merged.ResultIds[0]);
        Assert.True(stillJoined > 0.95 * joined.Count, $"{stillJoined} of {joined.Count}");
    }

    [Fact]
    public async Task A_split_divides_a_leaf_for_good()
    {
        Write(600, 6);
        await Cluster();
        var clusters = await StoredSet.ClustersAsync(Store, "c");
        var leaf = clusters.Last(row => clusters.All(other => other.ParentId != row.ClusterId) && row.Size > 30);

        var split = await Edit(new() { Clustering = "c", Kind = "split", Clusters = [leaf.ClusterId] });
        var parts = Leaves(await StoredSet.MembershipsAsync(Store, "c"));
        await Cluster(seed: 2);

        Assert.Equal(2, split.ResultIds.Count);
        var after = Leaves(await StoredSet.MembershipsAsync(Store, "c"));
        var members = parts.Where(pair => split.ResultIds.Contains(pair.Value!)).ToList();
        Assert.Equal(leaf.Size, members.Count);
        Assert.True(members.Count(pair => after[pair.Key] == pair.Value) >= 0.95 * members.Count);
        await Assert.ThrowsAsync<BadRequestException>(() => Edit(new() { Clustering = "c", Kind = "split", Clusters = ["nothing"] }));
    }

    [Fact]
    public async Task New_vectors_join_their_kind_and_strangers_are_flagged()
    {
        var (vectors, labels) = Mixtures.EmbeddingLike(1200, 8);
        StoredSet.Write(Store, "set", vectors[..(1000 * 128)], 128);
        await Cluster();
        await MapRun.ExecuteAsync(new() { Set = "set", Clustering = "c" }, _temporary.Context(), default);
        var random = new CounterRandom(99);
        var strangers = Enumerable.Range(0, 50 * 128).Select(i => (float)random.Normal(i)).ToArray();
        StoredSet.Write(Store, "new", [.. vectors[(1000 * 128)..], .. strangers], 128, ids: [.. Enumerable.Range(1000, 250)]);

        var result = await AssignRun.ExecuteAsync(new() { Clustering = "c", Set = "new" }, _temporary.Context(), default);

        var rows = new List<AssignmentRow>();
        await foreach (var row in AssignmentsTable.ReadAsync(Store.PathOf(result.Table), default)) rows.Add(row);
        Assert.Equal(250, rows.Count);
        Assert.All(rows.Skip(200), row => Assert.True(row.OutOfDistribution && row.ClusterId is null));
        Assert.True(rows.Take(200).Count(row => row.OutOfDistribution) <= 10);
        var kinds = (await StoredSet.MembershipsAsync(Store, "c")).Where(row => row.ClusterId is not null).GroupBy(row => row.ClusterId!)
            .ToDictionary(group => group.Key, group => group.CountBy(row => labels[Convert.ToInt32(row.ItemId, 16)]).MaxBy(pair => pair.Value).Key);
        Assert.True(rows.Take(200).Count(row => kinds[row.NearestClusterId] == labels[Convert.ToInt32(row.ItemId, 16)]) > 190);
        Assert.All(rows, row => Assert.True(row.X is not null && row.Strength is > 0 and <= 1));
    }

    [Fact]
    public async Task Vectors_of_another_encoder_are_not_assigned()
    {
        Write(100, 3);
        await Cluster();
        Write(100, 3, "other");
        var manifest = Path.Combine(Store.SetFolder("other"), "set.json");
        await File.WriteAllTextAsync(manifest, (await File.ReadAllTextAsync(manifest)).Replace(StoredSet.EncoderId, "ffffffffffffffffffffffffffffffff", StringComparison.Ordinal));

        var refused = await Assert.ThrowsAsync<BadRequestException>(() => AssignRun.ExecuteAsync(new() { Clustering = "c", Set = "other" }, _temporary.Context(), default));

        Assert.Contains(StoredSet.EncoderId, refused.Message, StringComparison.Ordinal);
        Assert.Contains("ffffffffffffffffffffffffffffffff", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(new[] { 5, 100, 100 }, 60, new[] { 5, 28, 27 })]
    [InlineData(new[] { 2, 3 }, 50, new[] { 2, 3 })]
    [InlineData(new[] { 9, 9, 9 }, 2, new[] { 1, 1, 0 })]
    public void A_budget_is_divided_evenly_up_to_what_each_has(int[] capacities, int budget, int[] shares) => Assert.Equal(shares, SampleRun.Fill(capacities, budget));

    [Fact]
    public void What_is_left_out_repeats_something_kept_and_nothing_kept_repeats_another()
    {
        var (vectors, _) = Mixtures.EmbeddingLike(300, 4);
        float[] twice = [.. vectors, .. vectors[..(100 * 128)]];
        StoredSet.Write(Store, "set", twice, 128);
        var set = SetVectors.Read(Store, "set", Level.High, Grain.Item, default);

        var of = DedupRun.Duplicates(set, 0.99999, 0, "cpu", (_, _, _) => { }, default);

        Assert.Equal(100, of.Count(one => one.Row >= 0));
        Assert.All(of.Where(one => one.Row >= 0), one => Assert.True(of[one.Row].Row < 0 && one.Similarity >= 0.9999));
    }

    [Fact]
    public async Task Scattered_rows_belong_to_no_cluster_and_clean_ones_all_do()
    {
        var random = new CounterRandom(4);
        var values = new float[1100 * 8];
        for (var row = 0; row < 1100; row++)
            for (var d = 0; d < 8; d++)
                values[row * 8 + d] = row < 1000 ? (row % 5 == d ? 12 : 0) + (float)random.Normal(row * 8 + d) : 30 * (float)random.Unit(row * 8 + d) - 10;
        StoredSet.Write(Store, "set", values, 8, "l2");
        StoredSet.Write(Store, "clean", values[..(1000 * 8)], 8, "l2");

        await Cluster();
        await Cluster("clean", "clean");

        var rows = await StoredSet.MembershipsAsync(Store, "c");
        Assert.True(rows.Skip(1000).Count(row => row.ClusterId is null) >= 85, $"{rows.Skip(1000).Count(row => row.ClusterId is null)} of 100 scattered rows are noise");
        Assert.True(rows.Take(1000).Count(row => row.ClusterId is null) <= 20);
        Assert.All(rows, row => Assert.NotNull(row.NearestClusterId));
        Assert.True((await StoredSet.MembershipsAsync(Store, "clean")).Count(row => row.ClusterId is null) <= 3);
    }

    [Fact]
    public void The_matching_of_the_largest_sum_is_found() => Assert.Equal([(0, 1), (1, 0)], MaximumMatching.Of([(0, 0, 0.9), (0, 1, 0.8), (1, 0, 0.7)]));

    [Fact]
    public async Task Zero_vectors_are_clustered_like_any_others()
    {
        StoredSet.Write(Store, "set", [.. new float[40 * 4], .. Enumerable.Range(0, 40 * 4).Select(i => 1f + i % 3)], 4);

        await Cluster();

        Assert.Equal(80, (await StoredSet.MembershipsAsync(Store, "c")).Count);
        Assert.All(await StoredSet.ClustersAsync(Store, "c"), row => Assert.True(float.IsFinite(row.Cohesion)));
    }
}
