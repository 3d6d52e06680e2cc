// Words of a text in any script: runs of letters and digits, lower case; Chinese and Japanese runs as bigrams,
// since those scripts put no spaces between words.
using System.Globalization;
using System.Text;

namespace FeatureForge.Clustering;

internal static class TextWords
{
    private const int LongestWord = 40;

    internal static IEnumerable<string> Of(string text)
    {
        var word = new StringBuilder();
        Rune? previous = null;
        foreach (var rune in text.EnumerateRunes())
        {
            if (IsUnspaced(rune))
            {
                if (Take(word) is { } before) yield return before;
                if (previous is { } left) yield return $"{left}{rune}";
                previous = rune;
                continue;
            }
            previous = null;
            if (Rune.IsLetterOrDigit(rune) || IsMark(rune)) word.Append(Rune.ToLowerInvariant(rune).ToString());
            // An apostrophe inside a word ends it: "don't" gives "don"; lone letters are dropped below.
            else if (Take(word) is { } found) yield return found;
        }
        if (Take(word) is { } last) yield return last;
    }

    private static string? Take(StringBuilder word)
    {
        var text = word.ToString();
        word.Clear();
        return text.Length is < 3 or > LongestWord || text.All(char.IsAsciiDigit) ? null : text;
    }

    private static bool IsMark(Rune rune) => Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark;

    // Hiragana, Katakana, CJK ideographs with extensions. Hangul and Thai are left as runs: Korean has spaces.
    private static bool IsUnspaced(Rune rune) => rune.Value is (>= 0x3040 and <= 0x30ff) or (>= 0x3400 and <= 0x4dbf) or (>= 0x4e00 and <= 0x9fff) or (>= 0xf900 and <= 0xfaff) or (>= 0x20000 and <= 0x3134f);
}
