// k nearest neighbours by cosine; every neighbour votes with its similarity (Wu et al. 2018 use the same with exponentials).
using FeatureForge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

internal static class NeighbourVote
{
    public const int K = 20;

    /// <summary>Share of the test rows whose label wins the vote among their nearest training rows.</summary>
    public static double Accuracy(Tensor train, IReadOnlyList<int> trainLabels, Tensor test, IReadOnlyList<int> testLabels, int classes, CancellationToken stop)
    {
        var k = Math.Min(K, trainLabels.Count);
        var found = Neighbours.Of(test, train, k, VectorMetric.Cosine, null, stop);
        var right = 0;
        for (var row = 0; row < testLabels.Count; row++)
        {
            var neighbours = Enumerable.Range(row * k, k).Select(i => (trainLabels[found.Index[i]], 1 - found.Distance[i]));
            if (Winner(neighbours, classes) == testLabels[row]) right++;
        }
        return right / (double)testLabels.Count;
    }

    /// <summary>The label with the most similarity; the smaller number wins a tie.</summary>
    public static int Winner(IEnumerable<(int Label, float Similarity)> neighbours, int classes)
    {
        var votes = new double[classes];
        foreach (var (label, similarity) in neighbours) votes[label] += Math.Max(0, similarity) + 1e-9;
        return Array.IndexOf(votes, votes.Max());
    }
}
