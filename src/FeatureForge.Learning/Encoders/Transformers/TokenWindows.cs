// Long documents go through a transformer in windows that overlap by a quarter; a token's vector comes from the window in which it
// lies farther from the edge. Memory depends on the window's length, not on the document's.
namespace FeatureForge.Learning;

/// <summary>Tokens [Start, Start + Length) of a document are seen together; those of [From, To) are answered for.</summary>
internal readonly record struct TokenWindow(int Start, int Length, int From, int To)
{
    /// <summary>Windows of at most <paramref name="longest"/> tokens over <paramref name="count"/>; one empty window when there are none.</summary>
    public static IEnumerable<TokenWindow> Of(int count, int longest)
    {
        var overlap = longest / 4;
        var from = 0;
        for (var start = 0; ; start += longest - overlap)
        {
            var isLast = start + longest >= count;
            var to = isLast ? count : start + longest - overlap / 2;
            yield return new(start, Math.Min(longest, count - start), from, to);
            if (isLast) yield break;
            from = to;
        }
    }
}
