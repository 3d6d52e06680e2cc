// What all text levels are computed from: the distinct tokens of a span and how often each occurs.
namespace FeatureForge.Learning;

/// <summary>Token numbers, ascending, and their counts, one for one. Padding (number 0) is never among them.</summary>
internal readonly record struct TokenBag(int[] Numbers, int[] Counts)
{
    public static TokenBag Of(ReadOnlySpan<int> tokens)
    {
        int[] sorted = [.. tokens];
        Array.Sort(sorted);
        var (numbers, counts) = (new List<int>(sorted.Length), new List<int>(sorted.Length));
        foreach (var token in sorted)
        {
            if (token == 0) continue;
            if (numbers.Count > 0 && numbers[^1] == token) counts[^1]++;
            else
            {
                numbers.Add(token);
                counts.Add(1);
            }
        }
        return new([.. numbers], [.. counts]);
    }
}
