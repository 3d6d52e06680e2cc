// The map stage over a real store: faithful, repeatable, and careful with the clustering it belongs to.
using FeatureForge.Data;
using FeatureForge.Tensors.Tests;
using FeatureForge.TestKit;

namespace FeatureForge.Clustering.Tests;

public sealed class MapRunTests : IDisposable
{
    private readonly TemporaryStore _temporary = new();

    private Store Store => _temporary.Store;

    public void Dispose() => _temporary.Dispose();

    private int[] WriteMixture(int rows, int classes)
    {
        var (vectors, labels) = Mixtures.EmbeddingLike(rows, classes);
        StoredSet.Write(Store, "set", vectors, Mixtures.Dimension);
        return labels;
    }

    private Task Cluster(string? clustering = null) =>
        ClusterRun.ExecuteAsync(new() { Set = "set", Clustering = clustering, Method = "kmeans", K = 1 }, _temporary.Context(), default);

    private Task<MapResult> Map(MapSpec? spec = null) => MapRun.ExecuteAsync(spec ?? new() { Set = "set" }, _temporary.Context(), default);

    [Fact]
    public async Task Neighbours_on_the_map_are_neighbours_in_the_vectors()
    {
        var labels = WriteMixture(1200, 12);
        await Cluster();

        var result = await Map();

        var places = (await StoredSet.MapAsync(Store, "set")).SelectMany(row => new[] { row.X, row.Y }).ToArray();
        var table = FeatureForge.Tensors.Neighbours.Among(places, 1200, 2, 1, FeatureForge.Tensors.VectorMetric.L2);
        var sameClass = Enumerable.Range(0, 1200).Count(row => labels[row] == labels[table.Index[row]]) / 1200.0;
        Assert.True(sameClass > 0.97, $"{sameClass:f3} of the nearest neighbours on the map are of the same class");
        Assert.InRange(result.Trustworthiness, 0.93, 1);
        Assert.Equal(result.Trustworthiness, Store.Clustering("set").Measures["trustworthiness"]);
    }

    [Fact]
    public async Task Coordinates_are_centred_and_fill_the_square_of_side_two()
    {
        WriteMixture(300, 6);
        await Cluster();

        await Map();

        var rows = await StoredSet.MapAsync(Store, "set");
        Assert.Equal(Enumerable.Range(0, 300).Select(StoredSet.ItemId), rows.Select(row => row.ItemId));
        Assert.Equal(1, rows.Max(row => Math.Max(Math.Abs(row.X), Math.Abs(row.Y))), 5);
        Assert.Equal(0, rows.Average(row => row.X), 4);
        Assert.Equal(0, rows.Average(row => row.Y), 4);
    }

    [Fact]
    public async Task The_same_seed_gives_the_same_map_and_the_clustering_keeps_everything_else()
    {
        WriteMixture(300, 6);
        await Cluster();
        var before = Store.Clustering("set");

        await Map();
        var first = await StoredSet.MapAsync(Store, "set");
        await Map();

        var after = Store.Clustering("set");
        Assert.Equal(first, await StoredSet.MapAsync(Store, "set"));
        Assert.Equal((before.RunId, before.Clusters, before.ClusterParts[0], before.MembershipParts[0]), (after.RunId, after.Clusters, after.ClusterParts[0], after.MembershipParts[0]));
        Assert.Equal(before.Measures["inertia"], after.Measures["inertia"]);
    }

    [Fact]
    public async Task Clustering_again_takes_the_map_away()
    {
        WriteMixture(100, 3);
        await Cluster();
        await Map();

        await Cluster();

        Assert.Empty(Store.Clustering("set").MapParts);
        Assert.False(Directory.Exists(Path.Combine(Store.ClusteringFolder("set"), "map")));
    }

    [Fact]
    public async Task Without_a_name_the_only_clustering_is_meant_and_several_are_listed()
    {
        WriteMixture(60, 3);
        var none = await Assert.ThrowsAsync<BadRequestException>(() => Map());
        await Cluster("one");
        Assert.Equal("one", (await Map()).Clustering);
        await Cluster("two");

        var several = await Assert.ThrowsAsync<BadRequestException>(() => Map());
        var unknown = await Assert.ThrowsAsync<BadRequestException>(() => Map(new() { Set = "set", Clustering = "three" }));

        Assert.Contains("no clustering", none.Message, StringComparison.Ordinal);
        Assert.Contains("one, two", several.Message, StringComparison.Ordinal);
        Assert.Contains("one, two", unknown.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task A_handful_of_vectors_is_mapped_too(int rows)
    {
        WriteMixture(rows, 2);
        await Cluster();

        await Map();

        Assert.All(await StoredSet.MapAsync(Store, "set"), row => Assert.InRange(Math.Abs(row.X) + Math.Abs(row.Y), 0, 2));
    }

    [Fact]
    public void Rows_beyond_the_landmarks_lie_among_their_own_kind()
    {
        var (values, labels) = Mixtures.EmbeddingLike(900, 6);
        StoredSet.Write(Store, "set", values, Mixtures.Dimension);
        var vectors = SetVectors.Read(Store, "set", Level.High, Grain.Item, default);

        var points = MapLayout.Of(vectors, FitSample.Of(vectors, 500, 0), 0, "cpu", (_, _, _) => { }, default);

        var table = FeatureForge.Tensors.Neighbours.Among(points, 900, 2, 1, FeatureForge.Tensors.VectorMetric.L2);
        var sameClass = Enumerable.Range(0, 900).Count(row => labels[row] == labels[table.Index[row]]) / 900.0;
        Assert.True(sameClass > 0.95, $"{sameClass:f3} of the nearest neighbours on the map are of the same class");
    }

    [Fact]
    public void Trustworthiness_is_one_for_the_vectors_themselves_and_a_half_for_noise()
    {
        var random = new FeatureForge.Tensors.CounterRandom(1);
        var plane = Enumerable.Range(0, 600).Select(i => (float)random.Normal(i)).ToArray();
        var noise = Enumerable.Range(0, 600).Select(i => (float)random.Normal(1000 + i)).ToArray();
        StoredSet.Write(Store, "set", plane, 2, "l2");
        var vectors = SetVectors.Read(Store, "set", Level.High, Grain.Item, default);

        Assert.Equal(1, Trustworthiness.Of(vectors, plane, 0, default), 3); // float32 ties
        Assert.Equal(0.5, Trustworthiness.Of(vectors, noise, 0, default), 0.06);
    }
}
