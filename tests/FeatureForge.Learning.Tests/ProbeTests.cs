// Label-free scores on vectors whose answers are known.
using FeatureForge.Data;
using FeatureForge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning.Tests;

public sealed class ProbeTests
{
    private static Tensor Unit(int rows, int width, int seed) => nn.functional.normalize(randn(rows, width, generator: new Generator((ulong)seed)), p: 2, dim: 1);

    [Fact]
    public void Equal_views_share_all_neighbours_and_independent_ones_only_by_chance()
    {
        using var scope = NewDisposeScope();
        var (one, other) = (Unit(200, 16, 1), Unit(200, 16, 2));

        Assert.Equal(1, QualityProbe.NeighbourOverlap(one, one, 10), 1e-6);
        Assert.InRange(QualityProbe.NeighbourOverlap(one, other, 10), 0.02, 0.09); // 10 of 199 by chance
    }

    [Fact]
    public void Retrieval_finds_every_item_in_equal_views()
    {
        using var scope = NewDisposeScope();
        var one = Unit(50, 8, 1);

        Assert.Equal(1, QualityProbe.Retrieval(one, one));
        Assert.Equal(0, QualityProbe.Retrieval(one, one.roll(1, 0)));
    }

    [Fact]
    public void Uniformity_of_antipodes_is_the_closed_form()
    {
        using var scope = NewDisposeScope();
        var pair = HostCopies.ToTensor(new float[] { 1, 0, -1, 0 }, [2, 2], CPU);

        Assert.Equal(-8, QualityProbe.Uniformity(pair), 1e-3); // distance 2: exp(-2 x 4)
    }

    [Fact]
    public void Effective_rank_of_isotropic_rows_is_nearly_the_width_and_of_a_line_is_one()
    {
        using var scope = NewDisposeScope();
        var line = mm(randn(100, 1, generator: new Generator(1)), ones(1, 8));

        Assert.InRange(QualityProbe.EffectiveRank(randn(4000, 8, generator: new Generator(2))), 7.9, 8);
        Assert.Equal(1, QualityProbe.EffectiveRank(line), 0.01);
    }

    [Fact]
    public void The_recommended_level_has_the_best_mean_rank_and_the_deeper_one_wins_a_tie()
    {
        var scores = new Dictionary<string, double>();
        foreach (var measure in new[] { "retrieval", "neighbours", "rankme_ratio" })
            foreach (var level in Level.All) scores[$"{measure}.{level}"] = level == Level.Mid ? 0.9 : 0.5;

        Assert.Equal(Level.Mid, LevelChoice.Recommended(scores));
        Assert.Equal(Level.High, LevelChoice.Recommended(scores.ToDictionary(pair => pair.Key, _ => 1.0)));
        Assert.Null(LevelChoice.Recommended(new Dictionary<string, double>()));
    }

    [Fact]
    public void Masks_hide_the_same_number_of_cells_in_every_row_in_blocks()
    {
        using var scope = NewDisposeScope();
        var hidden = CellMasks.Draw(6, 8, 8, new(0.5, 2), new StepRandom(1, 0, DrawPurpose.Mask), CPU);

        Assert.Equal(Enumerable.Repeat(32L, 6), HostCopies.ToArray<long>(hidden.sum(1)));
        var right = hidden.view(6, 8, 8);
        // Blocks: a hidden cell's neighbour is hidden more often than not.
        Assert.True((right[.., .., ..7] & right[.., .., 1..]).sum().item<long>() > 6 * 7 * 8 * 0.3);
    }
}
