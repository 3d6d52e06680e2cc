// Cuts a tokenised document into spans: the whole, sentences (long ones cut, short ones joined), or a few tokens.
using FeatureForge.Data;

namespace FeatureForge.Learning;

/// <summary>A document with its tokens and their numbers.</summary>
internal sealed record TextDocument(string ItemId, IReadOnlyList<Token> Tokens, int[] Numbers, int CodePoints);

/// <summary>One span of a document and the numbers of its tokens.</summary>
internal readonly record struct TextSpan(string ItemId, int Index, ItemSpan Span, ReadOnlyMemory<int> Tokens);

internal static class TextSpans
{
    private const int LongestSegment = 64;
    private const int ShortestSegment = 8;
    private const int PatchTokens = 8;

    /// <summary>The document's spans in order. The item grain always has one; the others only where there are tokens.</summary>
    public static IEnumerable<TextSpan> Of(TextDocument document, Grain grain)
    {
        if (grain == Grain.Item)
        {
            yield return new(document.ItemId, 0, ItemSpan.Range(0, document.CodePoints), document.Numbers);
            yield break;
        }
        var (index, from) = (0, 0);
        for (var next = 1; next <= document.Tokens.Count; next++)
        {
            if (next < document.Tokens.Count && !Ends(document.Tokens, from, next, grain)) continue;
            var span = ItemSpan.Range(document.Tokens[from].Start, document.Tokens[next - 1].End);
            yield return new(document.ItemId, index++, span, document.Numbers.AsMemory(from, next - from));
            from = next;
        }
    }

    private static bool Ends(IReadOnlyList<Token> tokens, int from, int next, Grain grain)
    {
        if (grain == Grain.Patch) return next - from == PatchTokens;
        return next - from == LongestSegment || (tokens[next].BeginsSentence && next - from >= ShortestSegment);
    }

    /// <summary>Unicode code points of a text.</summary>
    public static int CodePoints(string text)
    {
        var count = 0;
        foreach (var _ in text.EnumerateRunes()) count++;
        return count;
    }
}
