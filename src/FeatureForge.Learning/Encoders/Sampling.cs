// Which items stand for a corpus where looking at all would take too long.
namespace FeatureForge.Learning;

internal static class Sampling
{
    /// <summary>At most <paramref name="most"/> of the numbers 0 … count-1, spread evenly, ascending.</summary>
    public static IEnumerable<int> Evenly(int count, int most)
    {
        var taken = Math.Min(count, most);
        for (var i = 0; i < taken; i++) yield return (int)((long)i * count / taken);
    }
}
