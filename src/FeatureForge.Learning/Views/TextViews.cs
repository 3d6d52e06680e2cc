// Two views of a document: disjoint halves of its tokens, or two windows of it, each with some tokens dropped.
// Crops of one document beat dropout views by far: Gonzalez-Marquez et al. 2025 (arXiv 2508.03453), and our own measurement.
namespace FeatureForge.Learning;

/// <summary>How documents are cut; in the recipe.</summary>
internal sealed record TextViewSpec
{
    /// <summary>Tokens of a view at most.</summary>
    public int Longest { get; init; } = 64;
    /// <summary>Share of the documents that are cut into two windows; the others into disjoint halves.</summary>
    public double WindowShare { get; init; } = 0.3;
    /// <summary>Share of the tokens dropped from each view.</summary>
    public double Drop { get; init; } = 0.1;
}

internal static class TextViews
{
    // Shorter documents have no two windows that differ.
    private const int ShortestForWindows = 8;

    /// <summary>Writes the two views' token numbers; the rest stays 0 (padding).</summary>
    public static void Cut(ReadOnlySpan<int> tokens, TextViewSpec spec, StepRandom random, Span<long> first, Span<long> second)
    {
        // A long document gives its views from one stretch, so that they are about the same thing.
        var stretch = tokens.Length > 4 * spec.Longest ? tokens.Slice(random.Below(tokens.Length - 4 * spec.Longest + 1), 4 * spec.Longest) : tokens;
        if (stretch.Length >= ShortestForWindows && random.Chance(spec.WindowShare))
        {
            Window(stretch, spec, random, first);
            Window(stretch, spec, random, second);
            return;
        }
        int[] shuffled = [.. stretch];
        random.Shuffle(shuffled.AsSpan());
        var half = (shuffled.Length + 1) / 2;
        Keep(shuffled.AsSpan(0, half), spec, random, first);
        // A document of one token can only be compared with itself.
        Keep(shuffled.Length > 1 ? shuffled.AsSpan(half) : shuffled, spec, random, second);
    }

    private static void Window(ReadOnlySpan<int> tokens, TextViewSpec spec, StepRandom random, Span<long> view)
    {
        var length = Math.Clamp((int)Math.Round(tokens.Length * random.Uniform(0.3, 0.7)), 1, tokens.Length);
        Keep(tokens.Slice(random.Below(tokens.Length - length + 1), length), spec, random, view);
    }

    private static void Keep(ReadOnlySpan<int> tokens, TextViewSpec spec, StepRandom random, Span<long> view)
    {
        var kept = 0;
        foreach (var token in tokens)
        {
            if (kept == view.Length) return;
            if (!random.Chance(spec.Drop)) view[kept++] = token;
        }
        if (kept == 0 && tokens.Length > 0) view[0] = tokens[0];
    }
}
