// Where k-means begins with few clusters: where the best of several descents on a sample of the rows ended. A few clusters leave swaps little choice, and where
// a descent ends depends on where it began: on whitened vectors of pictures, ten clusters, one start in two ended 0.1 to 1 % of inertia and up to 12 points of
// normalised mutual information from the best known (measured: RESULTS.md).
namespace FeatureForge.Tensors;

internal static class KMeansTrials
{
    private const int SampleRows = 8192;
    private const int FewClusters = 32;
    private const int Trials = 16;

    /// <summary>Whether trials are worth their time: not where plain Lloyd is asked for.</summary>
    internal static bool Suit(KMeansOptions options) => options.Clusters is > 1 and <= FewClusters && options.SwapRounds > 0 && !options.RandomSeeds;

    /// <summary>The rows that trials look at; null: all.</summary>
    internal static int[]? Sample(CounterRandom random, int rows) => rows <= SampleRows ? null : random.Stream(3).Sample(SampleRows, rows);

    /// <summary>The trial that ends with the least inertia; the earlier one at a tie.</summary>
    internal static T Best<T>(CounterRandom random, Func<CounterRandom, T> descend, Func<T, double> inertia)
    {
        var best = descend(random.Stream(4));
        for (var trial = 1; trial < Trials; trial++)
            if (descend(random.Stream(4 + trial)) is var found && inertia(found) < inertia(best)) best = found;
        return best;
    }
}
