// The search index against comparison with every vector, its lifecycle, and the conditions of --where.
using FeatureForge.Data;

namespace FeatureForge.Clustering.Tests;

public sealed class SearchIndexTests : IDisposable
{
    private const int Rows = 3000;
    private const int Dimension = FeatureForge.Tensors.Tests.Mixtures.Dimension;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("featureforge-index-");
    private readonly Store _store;
    private readonly float[] _vectors = FeatureForge.Tensors.Tests.Mixtures.EmbeddingLike(Rows, 20).Vectors;

    public SearchIndexTests() => _store = Store.Open(Path.Combine(_folder.FullName, "store"));

    public void Dispose() => _folder.Delete(recursive: true);

    private ReadOnlySpan<float> Vector(int row) => _vectors.AsSpan(row * Dimension, Dimension);

    private SearchIndexManifest Build(string metric = "cosine")
    {
        StoredSet.Write(_store, "set", _vectors, Dimension, metric, parts: 2);
        return SearchIndexBuild.Execute(new() { Set = "set" }, _store, TimeProvider.System);
    }

    [Theory]
    [InlineData("cosine")]
    [InlineData("l2")]
    public void It_finds_what_its_manifest_promises_and_everything_when_exact(string metric)
    {
        var manifest = Build(metric);
        using var index = SearchIndex.Find(_store, "set", Level.High, Grain.Item)!;
        var found = 0;

        for (var row = 0; row < Rows; row += 50)
        {
            var exact = index.Search(Vector(row), 10, exact: true);
            Assert.Equal(1, exact.Recall);
            Assert.Equal(StoredSet.ItemId(row), exact.Hits[0].ItemId);
            Assert.Equal(0, exact.Hits[0].Distance, 3);
            Assert.Equal(exact.Hits.Select(hit => hit.Distance).Order(), exact.Hits.Select(hit => hit.Distance));
            var approximate = index.Search(Vector(row), 10);
            Assert.True(approximate.Compared < Rows);
            found += approximate.Hits.Select(hit => hit.ItemId).Intersect(exact.Hits.Select(hit => hit.ItemId)).Count();
        }

        Assert.True(manifest.Recall >= 0.98);
        Assert.True(found / 600.0 > manifest.Recall - 0.05, $"{found} of 600 found, {manifest.Recall:p1} promised");
    }

    [Fact]
    public void Without_an_index_every_vector_is_compared_with_the_same_answer()
    {
        StoredSet.Write(_store, "set", _vectors, Dimension);
        var streamed = SetSearch.Of(_store, "set", Level.High, Grain.Item, Vector(7), 5);
        Build();

        var indexed = SetSearch.Of(_store, "set", Level.High, Grain.Item, Vector(7), 5, exact: true);

        Assert.Equal((1.0, (long)Rows), (streamed.Recall, streamed.Compared));
        Assert.Equal(streamed.Hits.Select(hit => hit.ItemId), indexed.Hits.Select(hit => hit.ItemId));
    }

    [Fact]
    public void Its_graph_is_nearly_that_of_all_pairs()
    {
        Build();
        using var index = SearchIndex.Find(_store, "set", Level.High, Grain.Item)!;

        var graph = index.Graph(10);

        var exact = FeatureForge.Tensors.Neighbours.Among(_vectors, Rows, Dimension, 10, FeatureForge.Tensors.VectorMetric.Cosine);
        var same = 0;
        for (var place = 0; place < Rows; place++)
        {
            var row = Convert.ToInt32(index.Item(place).ItemId, 16);
            var expected = exact.Index.AsSpan(row * 10, 10).ToArray().Select(StoredSet.ItemId);
            same += expected.Intersect(graph.Index.AsSpan(place * 10, 10).ToArray().Where(other => other >= 0).Select(other => index.Item(other).ItemId)).Count();
            Assert.DoesNotContain(place, graph.Index.AsSpan(place * 10, 10).ToArray());
        }
        Assert.True(same > 0.93 * 10 * Rows, $"{same} of {10 * Rows} neighbours");
    }

    [Fact]
    public void A_filter_still_gives_as_many_neighbours_as_asked()
    {
        Build();
        string[] allowed = [StoredSet.ItemId(3), StoredSet.ItemId(1700), StoredSet.ItemId(2900)];

        var answer = SetSearch.Of(_store, "set", Level.High, Grain.Item, Vector(0), 3, allowed: ItemIdSet.Of(allowed));

        Assert.Equal(allowed.Order(), answer.Hits.Select(hit => hit.ItemId).Order());
    }

    [Fact]
    public void An_index_of_vectors_that_changed_is_not_used()
    {
        Build();
        StoredSet.Write(_store, "set", _vectors[..(100 * Dimension)], Dimension);

        Assert.Null(SearchIndex.Find(_store, "set", Level.High, Grain.Item));
        Assert.Equal(100, SetSearch.Of(_store, "set", Level.High, Grain.Item, Vector(0), 1).Compared);
    }

    [Fact]
    public void Vectors_of_another_encoder_and_wrong_sizes_are_refused()
    {
        Build();

        Assert.Contains("vectors of different encoders", Assert.Throws<BadRequestException>(() => SetSearch.Of(_store, "set", Level.High, Grain.Item, Vector(0), 1, "fedcba9876543210fedcba9876543210")).Message, StringComparison.Ordinal);
        Assert.Contains("have 128", Assert.Throws<BadRequestException>(() => SetSearch.Of(_store, "set", Level.High, Grain.Item, [1, 2], 1)).Message, StringComparison.Ordinal);
        Assert.Contains("holds no vector of item 'x'", Assert.Throws<BadRequestException>(() => SetSearch.VectorOf(_store, "set", Level.High, Grain.Item, "x")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("width > 30", true)]
    [InlineData("width > 30 and path like 'birds/%'", true)]
    [InlineData("width > 40 and path like 'birds/%'", false)]
    [InlineData("width > 40 or metadata.place = 'Rhine'", true)]
    [InlineData("metadata.year >= 1999 and metadata.year < 2001", true)]
    [InlineData("language is null and width is not null", true)]
    [InlineData("path = 'it''s'", false)]
    [InlineData("duration_ms < 5", false)] // missing values compare with nothing
    public void Conditions_mean_what_they_say(string condition, bool holds)
    {
        var item = new ItemRow
        {
            ItemId = StoredSet.ItemId(1),
            Modality = Modality.Image,
            SourceUri = "s",
            Path = "birds/heron.png",
            MediaType = "image/png",
            ByteSize = 9,
            Width = 32,
            Metadata = """{"place":"Rhine","year":2000}""",
            IngestedAt = DateTimeOffset.UnixEpoch,
        };

        Assert.Equal(holds, ItemFilter.Parse(condition).Holds(item));
    }

    [Theory]
    [InlineData("size > 3", "'size' is no column")]
    [InlineData("width > many", "'many' is no value")]
    [InlineData("width >", "ends where a value was expected")]
    [InlineData("selection > 'a'", "'>' stands where = or != was expected")]
    [InlineData("selection = 3", "put the name of the selection in single quotes")]
    [InlineData("width ~ 3", "'~ 3' was not understood")]
    [InlineData("width > 3 width < 9", "'width' stands where and, or or the end was expected")]
    public void Conditions_that_are_none_say_where(string condition, string expected) =>
        Assert.Contains(expected, Assert.Throws<BadRequestException>(() => ItemFilter.Parse(condition)).Message, StringComparison.Ordinal);
}
