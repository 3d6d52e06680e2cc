// Graphs, communities, agglomeration and agreement on cases one can check by hand.
using FeatureForge.Data;
using FeatureForge.Tensors;
using FeatureForge.Tensors.Tests;
using FeatureForge.TestKit;

namespace FeatureForge.Clustering.Tests;

public sealed class GraphTests
{
    // Two triangles 0-1-2 and 3-4-5; 2 also lists 3.
    private static readonly NeighbourTable _triangles = new([1, 2, 0, 2, 3, 1, 4, 5, 3, 5, 3, 4], new float[12], 2);

    [Fact]
    public void An_edge_weighs_two_when_both_ends_list_it_and_one_otherwise()
    {
        var graph = SimilarityGraph.Of(_triangles);

        Assert.Equal([0, 1, 3], graph.Targets[graph.Starts[2]..graph.Starts[3]]);
        Assert.Equal([1, 2, 1], graph.Weights[graph.Starts[2]..graph.Starts[3]]); // 2 lists 1 and 3, 0 and 1 list 2
        Assert.Equal(12 * 2, graph.TotalDegree);
    }

    [Fact]
    public void Joining_nodes_keeps_all_weight()
    {
        var graph = SimilarityGraph.Of(_triangles);

        var joined = graph.Aggregate([0, 0, 0, 1, 1, 1], 2);

        Assert.Equal(graph.TotalDegree, joined.TotalDegree);
        Assert.Equal([1], joined.Targets[..joined.Starts[1]]);
        Assert.Equal(1, joined.Weights[0]);
    }

    [Fact]
    public void Two_triangles_joined_by_one_edge_are_two_communities() =>
        Assert.Equal([0, 0, 0, 1, 1, 1], Leiden.Partition(SimilarityGraph.Of(_triangles), 1, new CounterRandom(4), default));

    [Theory]
    [InlineData(0.01, 1)]
    [InlineData(50, 6)]
    public void The_resolution_goes_from_one_community_to_single_nodes(double resolution, int communities) =>
        Assert.Equal(communities, Leiden.Partition(SimilarityGraph.Of(_triangles), resolution, new CounterRandom(4), default).Max() + 1);

    [Fact]
    public void A_ring_of_cliques_falls_into_its_cliques()
    {
        const int cliques = 12, size = 5;
        var index = new List<int>();
        for (var node = 0; node < cliques * size; node++)
        {
            var first = node / size * size;
            index.AddRange(Enumerable.Range(first, size).Where(other => other != node));
            index.Add((first + size) % (cliques * size)); // one edge to the next clique
        }

        var found = Leiden.Partition(SimilarityGraph.Of(new([.. index], new float[index.Count], size)), 2, new CounterRandom(0), default);

        Assert.Equal(Enumerable.Range(0, cliques * size).Select(node => node / size), found);
    }

    [Fact]
    public void The_same_seed_gives_the_same_communities()
    {
        var (vectors, _) = Mixtures.EmbeddingLike(600, 8);
        var graph = SimilarityGraph.Of(Neighbours.Among(vectors, 600, Mixtures.Dimension, 10, VectorMetric.Cosine));

        var first = Leiden.Partition(graph, 5, new CounterRandom(1), default);

        Assert.Equal(first, Leiden.Partition(graph, 5, new CounterRandom(1), default));
    }

    [Fact]
    public void Ward_joins_the_cheapest_pair_first_and_heights_grow()
    {
        // On a line: 0 and 1 are close, 10 stands apart; the heavy pair 20, 22 costs more than the light 0, 1.
        var merges = Ward.Merges([[0f], [1f], [10f], [20f], [22f]], [1, 1, 1, 10, 10]);

        Assert.Equal((0, 1), (merges[0].Left, merges[0].Right));
        Assert.Equal(0.5, merges[0].Height); // 1 * 1 / 2 * 1
        Assert.Equal((3, 4, 20.0), merges[1]); // 10 * 10 / 20 * 4
        Assert.Equal(merges.Select(merge => merge.Height).Order(), merges.Select(merge => merge.Height));
        Assert.Equal([5, 5, 2, 6, 6], Ward.Cut(merges, 5, 3));
    }

    [Fact]
    public void Agreement_is_one_for_renamed_groups_and_about_zero_for_unrelated_ones()
    {
        var random = new CounterRandom(8);
        var left = Enumerable.Range(0, 4000).Select(i => random.Below(i, 5)).ToArray();
        var right = Enumerable.Range(0, 4000).Select(i => random.Below(9000 + i, 7)).ToArray();

        Assert.Equal(1, Agreement.AdjustedRand(left, Array.ConvertAll(left, group => 9 - group)));
        Assert.Equal(0, Agreement.AdjustedRand(left, right), 0.03);
        Assert.Equal(Reference.AdjustedRand(left, right), Agreement.AdjustedRand(left, right), 1e-9);
    }

    [Fact]
    public void A_tree_skips_layers_that_divide_nothing()
    {
        var tree = ClusterTree.Of([[0, 0, 0, 1, 1], [0, 0, 0, 1, 1], [0, 0, 2, 1, 1]], 5);

        Assert.Equal([(-1, 0), (0, 1), (0, 1), (1, 2), (1, 2)], tree.Nodes.Select(node => (node.Parent, node.Depth)));
        Assert.Equal([3, 3, 4, 2, 2], tree.LeafOf);
        Assert.Equal([0, 1, 4], tree.PathTo(4));
    }

    [Fact]
    public void Rows_beyond_the_sample_join_the_leaves_of_their_kind()
    {
        using var temporary = new TemporaryStore();
        var (values, labels) = Mixtures.EmbeddingLike(900, 6);
        StoredSet.Write(temporary.Store, "set", values, Mixtures.Dimension);
        var vectors = SetVectors.Read(temporary.Store, "set", Level.High, Grain.Item, default);

        var found = TreeMethod.Run(vectors, FitSample.Of(vectors, 500, 0), 0, "cpu", (_, _, _) => { }, default);

        var agreement = Reference.AdjustedRand(labels, found.Tree.LeafOf);
        Assert.True(agreement > 0.95, $"ARI {agreement:f3} in {found.Tree.Leaves.Count()} leaves at resolution {found.Measures["resolution"]}");
        Assert.All(found.Strength, strength => Assert.InRange(strength, 0, 1));
    }
}
