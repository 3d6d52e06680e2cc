// How far two clusterings of the same rows agree.
namespace FeatureForge.Clustering;

internal static class Agreement
{
    /// <summary>Adjusted Rand index (Hubert, Arabie 1985): 1 for the same partition, about 0 for unrelated ones.</summary>
    internal static double AdjustedRand(int[] left, int[] right)
    {
        double both = 0, ofLeft = 0, ofRight = 0;
        foreach (var count in Counts(left.Zip(right, (a, b) => ((long)a << 32) | (uint)b))) both += Pairs(count);
        foreach (var count in Counts(left.Select(a => (long)a))) ofLeft += Pairs(count);
        foreach (var count in Counts(right.Select(b => (long)b))) ofRight += Pairs(count);
        var expected = ofLeft * ofRight / Math.Max(1, Pairs(left.Length));
        var highest = (ofLeft + ofRight) / 2;
        return highest - expected < 1e-9 ? 1 : (both - expected) / (highest - expected);
    }

    private static double Pairs(long count) => count * (count - 1.0) / 2;

    private static IEnumerable<long> Counts(IEnumerable<long> keys)
    {
        var counts = new Dictionary<long, long>();
        foreach (var key in keys) counts[key] = counts.GetValueOrDefault(key) + 1;
        return counts.Values;
    }
}
