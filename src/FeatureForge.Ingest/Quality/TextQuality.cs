// Issue scores of a document, from its first characters: how much of it is symbols, how much repeats itself.
using System.Text;

namespace FeatureForge.Ingest;

internal static class TextQuality
{
    private const int SampledUnits = 200_000;
    private const int WordsPerPhrase = 3;

    /// <summary>
    /// symbol_share: code points that are neither letters, marks, digits nor white space.
    /// repetition: phrases of three words that occurred before in the same document.
    /// </summary>
    public static IReadOnlyDictionary<string, float> Of(string text)
    {
        var sample = text.AsSpan(0, Math.Min(text.Length, SampledUnits));
        return new Dictionary<string, float> { ["symbol_share"] = SymbolShare(sample), ["repetition"] = Repetition(sample) };
    }

    private static float SymbolShare(ReadOnlySpan<char> text)
    {
        var (all, symbols) = (0, 0);
        foreach (var rune in text.EnumerateRunes())
        {
            all++;
            var category = Rune.GetUnicodeCategory(rune);
            var ordinary = category <= System.Globalization.UnicodeCategory.OtherNumber || Rune.IsWhiteSpace(rune);
            if (!ordinary) symbols++;
        }
        return all == 0 ? 0 : (float)symbols / all;
    }

    private static float Repetition(ReadOnlySpan<char> text)
    {
        var (seen, phrases, repeated) = (new HashSet<int>(), 0, 0);
        Span<int> words = stackalloc int[WordsPerPhrase];
        var count = 0;
        foreach (var range in text.SplitAny(" \t\r\n"))
        {
            var word = text[range];
            if (word.IsEmpty) continue;
            words[count++ % WordsPerPhrase] = StableHash(word);
            if (count < WordsPerPhrase) continue;
            var phrase = unchecked((words[count % WordsPerPhrase] * 31 + words[(count + 1) % WordsPerPhrase]) * 31 + words[(count + 2) % WordsPerPhrase]);
            phrases++;
            if (!seen.Add(phrase)) repeated++;
        }
        return phrases == 0 ? 0 : (float)repeated / phrases;
    }

    // string.GetHashCode differs between processes; scores must not.
    private static int StableHash(ReadOnlySpan<char> word)
    {
        var hash = 2166136261u;
        foreach (var unit in word) hash = unchecked((hash ^ unit) * 16777619);
        return (int)hash;
    }
}
