// Blocked neighbour search against brute force, and its bounds.
using TorchSharp;

namespace FeatureForge.Tensors.Tests;

public sealed class NeighboursTests
{
    [Theory]
    [InlineData(VectorMetric.L2)]
    [InlineData(VectorMetric.Cosine)]
    public void Neighbours_are_those_of_brute_force_nearest_first(VectorMetric metric)
    {
        const int rows = 1100, k = 5; // more rows than one block of queries
        var (vectors, _) = Mixtures.EmbeddingLike(rows, 10);

        var table = Neighbours.Among(vectors, rows, Mixtures.Dimension, k, metric);

        for (var i = 0; i < rows; i += 37)
        {
            var expected = Enumerable.Range(0, rows).Where(j => j != i).OrderBy(j => Reference.Squared(vectors, i, vectors, j, Mixtures.Dimension)).Take(k).ToArray();
            Assert.Equal(expected, table.Index.AsSpan(i * k, k).ToArray());
            var squared = Reference.Squared(vectors, i, vectors, expected[0], Mixtures.Dimension);
            Assert.Equal(metric == VectorMetric.Cosine ? squared / 2 : Math.Sqrt(squared), table.Distance[i * k], 3); // float32 products of unit vectors
        }
    }

    [Fact]
    public void A_row_is_no_neighbour_of_itself_but_its_duplicate_is()
    {
        float[] points = [0, 0, 5, 5, 0, 0, 9, 9];

        var table = Neighbours.Among(points, 4, 2, 1, VectorMetric.L2);

        Assert.Equal([2, 3, 0, 1], table.Index);
        Assert.Equal(0, table.Distance[0]);
    }

    [Fact]
    public void Rows_beyond_one_block_are_searched_too()
    {
        const int rows = (1 << 15) + 500;
        var points = Enumerable.Range(0, rows).Select(i => (float)i / rows).ToArray();
        using var scope = torch.NewDisposeScope();
        var line = HostCopies.ToTensor(points, [rows, 1], torch.CPU);

        var table = Neighbours.Of(line.slice(0, rows - 1, rows, 1), line, 3, VectorMetric.L2);

        Assert.Equal(rows - 1, table.Index[0]);
        Assert.All(table.Index, row => Assert.InRange(row, rows - 20, rows - 1)); // float32 keeps neighbours apart only roughly here
    }

    [Fact]
    public void Too_many_neighbours_are_refused()
    {
        var problem = Assert.Throws<ArgumentException>(() => Neighbours.Among(new float[6], 3, 2, 3, VectorMetric.L2));

        Assert.Contains("1 to 2 neighbours among 3 vectors", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void No_tensor_outlives_a_search()
    {
        var (vectors, _) = Mixtures.EmbeddingLike(300, 5);
        var before = torch.Tensor.TotalCount;

        Neighbours.Among(vectors, 300, Mixtures.Dimension, 3, VectorMetric.Cosine);

        Assert.Equal(before, torch.Tensor.TotalCount);
    }
}
