// Two views of a document: two windows of it, or two halves of its vocabulary, each with some tokens dropped.
// Crops of one document beat dropout views by far: Gonzalez-Marquez et al. 2025 (arXiv 2508.03453), and our own measurement.
// The halves share no word, so that a pair is not told by a rare word that both repeat; only by words that occur together.
namespace FeatureForge.Learning;

/// <summary>How documents are cut; in the recipe.</summary>
internal sealed record TextViewSpec
{
    /// <summary>Tokens of a view at most.</summary>
    public int Longest { get; init; } = 200;
    /// <summary>Share of the documents that are cut into two windows; the others into halves without a common word.</summary>
    public double WindowShare { get; init; } = 0.5;
    /// <summary>Documents of more tokens than this are always cut into windows.</summary>
    public int WindowsBeyond { get; init; } = 128;
    /// <summary>Share of the tokens dropped from each view.</summary>
    public double Drop { get; init; } = 0.2;
}

internal static class TextViews
{
    // Shorter documents have no two windows that differ.
    private const int ShortestForWindows = 8;

    /// <summary>Which tokens of a document the views are cut from: [start, start + length).</summary>
    /// <remarks>A long document gives its views from one stretch, so that they are about the same thing.</remarks>
    public static (int Start, int Length) Stretch(int tokens, TextViewSpec spec, StepRandom random)
    {
        var length = Math.Min(tokens, 4 * spec.Longest);
        return (tokens > length ? random.Below(tokens - length + 1) : 0, length);
    }

    /// <summary>The token numbers of two views; none only when there are no tokens.</summary>
    public static (int[] First, int[] Second) Cut(ReadOnlySpan<int> tokens, TextViewSpec spec, StepRandom random)
    {
        if (tokens.Length >= ShortestForWindows && (tokens.Length > spec.WindowsBeyond || random.Chance(spec.WindowShare)))
            return (Window(tokens, spec, random), Window(tokens, spec, random));
        var first = FirstHalf(tokens, random);
        var (one, other) = (new List<int>(tokens.Length), new List<int>(tokens.Length));
        foreach (var token in tokens) (first.Contains(token) ? one : other).Add(token);
        // A document of one word can only be compared with itself.
        return (Keep([.. one], spec, random), Keep([.. other.Count > 0 ? other : one], spec, random));
    }

    private static HashSet<int> FirstHalf(ReadOnlySpan<int> tokens, StepRandom random)
    {
        int[] distinct = [.. TokenBag.Of(tokens).Numbers];
        random.Shuffle(distinct.AsSpan());
        return [.. distinct.Take((distinct.Length + 1) / 2)];
    }

    private static int[] Window(ReadOnlySpan<int> tokens, TextViewSpec spec, StepRandom random)
    {
        var length = Math.Clamp((int)Math.Round(tokens.Length * random.Uniform(0.3, 0.7)), 1, tokens.Length);
        return Keep(tokens.Slice(random.Below(tokens.Length - length + 1), length), spec, random);
    }

    private static int[] Keep(ReadOnlySpan<int> tokens, TextViewSpec spec, StepRandom random)
    {
        var kept = new List<int>(Math.Min(tokens.Length, spec.Longest));
        foreach (var token in tokens)
        {
            if (kept.Count == spec.Longest) break;
            if (!random.Chance(spec.Drop)) kept.Add(token);
        }
        if (kept.Count == 0 && tokens.Length > 0) kept.Add(tokens[0]);
        return [.. kept];
    }
}
