// Agreement measures against values worked out by hand or by exhaustive search.
namespace FeatureForge.Learning.Tests;

public sealed class AgreementTests
{
    private static readonly int[] _labels = [0, 0, 0, 1, 1, 1];
    private static readonly int[] _clusters = [0, 0, 1, 1, 2, 2];

    [Fact]
    public void Mutual_information_equals_the_hand_worked_value()
    {
        // Table [[2,0],[1,1],[0,2]]: I = 2/3 ln 2, H(clusters) = ln 3, H(labels) = ln 2.
        var expected = 2.0 / 3 * Math.Log(2) / ((Math.Log(3) + Math.Log(2)) / 2);

        Assert.Equal(expected, Agreement.NormalisedMutualInformation(_clusters, _labels), 1e-12);
    }

    [Fact]
    public void Rand_index_equals_the_hand_worked_value() =>
        // Pairs together: 2; by cluster 3, by label 6, of 15: (2 - 1.2) / (4.5 - 1.2).
        Assert.Equal(0.8 / 3.3, Agreement.AdjustedRandIndex(_clusters, _labels), 1e-12);

    [Fact]
    public void Accuracy_uses_the_best_matching() => Assert.Equal(4.0 / 6, Agreement.MatchedAccuracy(_clusters, _labels), 1e-12);

    [Fact]
    public void Renamed_clusters_agree_fully()
    {
        int[] renamed = [2, 2, 2, 0, 0, 0];

        Assert.Equal(1, Agreement.NormalisedMutualInformation(renamed, _labels), 1e-12);
        Assert.Equal(1, Agreement.AdjustedRandIndex(renamed, _labels), 1e-12);
        Assert.Equal(1, Agreement.MatchedAccuracy(renamed, _labels), 1e-12);
    }

    [Fact]
    public void One_cluster_for_all_tells_nothing()
    {
        int[] one = [0, 0, 0, 0, 0, 0];

        Assert.Equal(0, Agreement.NormalisedMutualInformation(one, _labels), 1e-12);
        Assert.Equal(0, Agreement.AdjustedRandIndex(one, _labels), 1e-12);
    }

    [Fact]
    public void Hungarian_matching_is_as_cheap_as_the_best_of_all_permutations()
    {
        var random = new StepRandom(7, 0, DrawPurpose.Sample);
        for (var trial = 0; trial < 50; trial++)
        {
            var costs = new double[5, 5];
            for (var r = 0; r < 5; r++) for (var c = 0; c < 5; c++) costs[r, c] = random.Uniform(-10, 10);

            var matching = Hungarian.Match(costs);

            Assert.Equal([0, 1, 2, 3, 4], matching.Order());
            Assert.Equal(Cheapest(costs, 0, []), Enumerable.Range(0, 5).Sum(r => costs[r, matching[r]]), 1e-9);
        }
    }

    private static double Cheapest(double[,] costs, int row, HashSet<int> taken) => row == 5 ? 0
        : Enumerable.Range(0, 5).Where(c => !taken.Contains(c)).Min(c => costs[row, c] + Cheapest(costs, row + 1, [.. taken, c]));

    [Fact]
    public void Refuses_groupings_of_different_lengths() =>
        Assert.Throws<ArgumentException>(() => Agreement.NormalisedMutualInformation([0, 1], [0]));
}
