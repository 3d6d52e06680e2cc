// Text to tokens: runs of letters and digits, lower case; scripts written without spaces (Han, Kana, Thai, …) give overlapping
// pairs of characters instead, because words cannot be told apart there without a dictionary.
using System.Globalization;
using System.Text;

namespace FeatureForge.Learning;

/// <summary>One token and where it is, [Start, End) in Unicode code points.</summary>
/// <param name="BeginsSentence">Whether a sentence ended since the token before.</param>
internal readonly record struct Token(string Text, int Start, int End, bool BeginsSentence);

internal static class Words
{
    private const int LongestToken = 40;

    /// <summary>The tokens of a text in order.</summary>
    public static List<Token> Of(string text)
    {
        var tokens = new List<Token>();
        var word = new StringBuilder();
        var (position, start, runStart) = (0, 0, -1); // runStart: first character of a run without spaces
        var (afterStop, newSentence) = (false, false);
        var previous = default(Rune);

        void Add(string token, int from, int to)
        {
            tokens.Add(new(token, from, to, newSentence));
            newSentence = false;
        }
        void CloseWord()
        {
            if (word.Length > 0) Add(word.ToString(), start, position);
            word.Clear();
        }
        void CloseRun()
        {
            // A run of one character has no pair: it stands alone.
            if (runStart == position - 1) Add(previous.ToString(), position - 1, position);
            runStart = -1;
        }

        foreach (var rune in text.EnumerateRunes())
        {
            if (IsUnspaced(rune.Value))
            {
                CloseWord();
                if (runStart < 0) runStart = position;
                else Add(previous.ToString() + rune, position - 1, position + 1);
            }
            else
            {
                if (runStart >= 0) CloseRun();
                if (!IsWordPart(rune, word.Length > 0)) CloseWord();
                else
                {
                    if (word.Length == 0) start = position;
                    if (word.Length < LongestToken) word.Append(Rune.ToLowerInvariant(rune));
                }
                newSentence |= IsWideStop(rune.Value) || (afterStop && Rune.IsWhiteSpace(rune));
                afterStop = rune.Value is '.' or '!' or '?' or '…' || (afterStop && rune.Value is '"' or '\'' or ')' or '”');
            }
            previous = rune;
            position++;
        }
        if (runStart >= 0) CloseRun();
        CloseWord();
        return tokens;
    }

    private static bool IsWordPart(Rune rune, bool inside) => Rune.IsLetterOrDigit(rune)
        || (inside && Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark);

    private static bool IsWideStop(int value) => value is '。' or '！' or '？' or '।' or '؟' or '\u2029';

    private static bool IsUnspaced(int value) => value is
        (>= 0x3040 and <= 0x30FF) or (>= 0x3400 and <= 0x4DBF) or (>= 0x4E00 and <= 0x9FFF) or (>= 0xF900 and <= 0xFAFF) // Kana, Han
        or (>= 0x0E01 and <= 0x0E4E) or (>= 0x0E81 and <= 0x0EDF) or (>= 0x1000 and <= 0x109F) or (>= 0x1780 and <= 0x17D3) // Thai, Lao, Myanmar, Khmer
        or (>= 0x20000 and <= 0x3134F);
}
