// Text to word pieces as BERT's vocabularies expect them: cleaned, split at white space and punctuation, then the longest piece of
// the vocabulary again and again (Wu et al. 2016, arXiv 1609.08144; Devlin et al. 2019, arXiv 1810.04805). Every piece knows where it
// came from in the text as it was, in code points, also when cleaning has dropped or decomposed characters.
using System.Globalization;
using System.Text;
using FeatureForge.Data;

namespace FeatureForge.Learning;

/// <summary>How a vocabulary of word pieces wants its text; in the architecture of an encoder.</summary>
internal sealed record WordPieceSpec
{
    /// <summary>Whether text is lower-cased first.</summary>
    public bool LowerCase { get; init; } = true;
    /// <summary>Whether accents go; usual with lower case.</summary>
    public bool StripAccents { get; init; } = true;
    /// <summary>The line of the padding piece in the vocabulary, from 0.</summary>
    public int PaddingNumber { get; init; }
    /// <summary>The line of the unknown piece.</summary>
    public int UnknownNumber { get; init; }
    /// <summary>The line of the piece before the first word.</summary>
    public int FirstNumber { get; init; }
    /// <summary>The line of the piece after the last word.</summary>
    public int LastNumber { get; init; }
    /// <summary>The line of the mask.</summary>
    public int MaskNumber { get; init; }

    /// <summary>Finds the special lines of a vocabulary.</summary>
    /// <exception cref="BadRequestException">One is missing.</exception>
    public static WordPieceSpec Of(IReadOnlyList<string> lines, bool lowerCase, bool stripAccents)
    {
        var problems = new List<string>();
        int Find(string word)
        {
            for (var i = 0; i < lines.Count; i++) if (lines[i] == word) return i;
            problems.Add($"The vocabulary has no line '{word}'; expected BERT's vocab.txt.");
            return 0;
        }
        var spec = new WordPieceSpec
        {
            LowerCase = lowerCase,
            StripAccents = stripAccents,
            PaddingNumber = Find("[PAD]"),
            UnknownNumber = Find("[UNK]"),
            FirstNumber = Find("[CLS]"),
            LastNumber = Find("[SEP]"),
            MaskNumber = Find("[MASK]"),
        };
        if (spec.PaddingNumber != 0) problems.Add($"The vocabulary has '[PAD]' on line {spec.PaddingNumber + 1}; expected the first line, as BERT's have it.");
        BadRequestException.ThrowIfAny(problems);
        return spec;
    }
}

/// <summary>Pieces of a text with their numbers.</summary>
internal sealed class WordPiece
{
    private const int LongestWord = 100;

    private readonly Dictionary<string, int> _numbers = new(StringComparer.Ordinal);
    private readonly WordPieceSpec _spec;

    /// <param name="lines">The vocabulary; the first line has number 0.</param>
    public WordPiece(IReadOnlyList<string> lines, WordPieceSpec spec)
    {
        _spec = spec;
        for (var i = 0; i < lines.Count; i++) _numbers.TryAdd(lines[i], i);
    }

    /// <summary>One cleaned character and the code point of the text that it came from.</summary>
    private readonly record struct Mark(Rune Rune, int Place);

    /// <summary>The text's pieces in order, without the special first and last one.</summary>
    public (List<Token> Tokens, int[] Numbers) Of(string text)
    {
        var (tokens, numbers) = (new List<Token>(), new List<int>());
        var word = new List<Mark>();
        var (place, afterStop, newSentence) = (0, false, false);

        void Close()
        {
            if (word.Count > 0) Split(word, newSentence, tokens, numbers);
            if (word.Count > 0) newSentence = false;
            word.Clear();
        }
        foreach (var rune in text.EnumerateRunes())
        {
            if (IsSpace(rune))
            {
                Close();
                newSentence |= afterStop;
            }
            else if (!IsDropped(rune))
            {
                var stands = IsPunctuation(rune) || IsHan(rune.Value);
                if (stands) Close();
                Clean(rune, place, word);
                if (stands) Close();
                if (!stands || !IsClosing(rune)) afterStop = rune.Value is '.' or '!' or '?' or '…';
                newSentence |= rune.Value is '。' or '！' or '？' or '।' or '؟';
            }
            place++;
        }
        Close();
        return (tokens, [.. numbers]);
    }

    // A character may become several (decomposition, lower case) or none (accents).
    private void Clean(Rune rune, int place, List<Mark> word)
    {
        if (!_spec.LowerCase && !_spec.StripAccents)
        {
            word.Add(new(rune, place));
            return;
        }
        foreach (var part in _spec.StripAccents ? Accents.Without(rune) : [rune]) word.Add(new(_spec.LowerCase ? Rune.ToLowerInvariant(part) : part, place));
    }

    private void Split(List<Mark> word, bool beginsSentence, List<Token> tokens, List<int> numbers)
    {
        var first = tokens.Count;
        var found = new List<(string Text, int Number, int From, int To)>();
        for (var from = 0; word.Count <= LongestWord && from < word.Count;)
        {
            var piece = Longest(word, from);
            if (piece.Number < 0) break;
            found.Add(piece);
            from = piece.To;
        }
        // A word that the pieces do not cover is unknown as a whole.
        if (found.Count == 0 || found[^1].To != word.Count) found = [("[UNK]", _spec.UnknownNumber, 0, word.Count)];
        foreach (var (text, number, from, to) in found)
        {
            tokens.Add(new(text, word[from].Place, word[to - 1].Place + 1, beginsSentence && tokens.Count == first));
            numbers.Add(number);
        }
    }

    private (string Text, int Number, int From, int To) Longest(List<Mark> word, int from)
    {
        for (var to = word.Count; to > from; to--)
        {
            var piece = (from == 0 ? "" : "##") + string.Concat(word.Skip(from).Take(to - from).Select(mark => mark.Rune.ToString()));
            if (_numbers.TryGetValue(piece, out var number)) return (piece, number, from, to);
        }
        return ("", -1, from, from);
    }

    private static bool IsSpace(Rune rune) => rune.Value is ' ' or '\t' or '\n' or '\r' || Rune.GetUnicodeCategory(rune) == UnicodeCategory.SpaceSeparator;

    private static bool IsDropped(Rune rune) => rune.Value is 0 or 0xFFFD
        || Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.PrivateUse or UnicodeCategory.Surrogate or UnicodeCategory.OtherNotAssigned;

    // All of ASCII that is no letter, digit or space counts, also what Unicode calls a symbol ($, ^, `).
    private static bool IsPunctuation(Rune rune) => rune.Value is (>= 33 and <= 47) or (>= 58 and <= 64) or (>= 91 and <= 96) or (>= 123 and <= 126)
        || Rune.GetUnicodeCategory(rune) is UnicodeCategory.ConnectorPunctuation or UnicodeCategory.DashPunctuation or UnicodeCategory.OpenPunctuation or UnicodeCategory.ClosePunctuation
            or UnicodeCategory.InitialQuotePunctuation or UnicodeCategory.FinalQuotePunctuation or UnicodeCategory.OtherPunctuation;

    private static bool IsClosing(Rune rune) => rune.Value is '"' or '\'' or ')' or '”';

    private static bool IsHan(int value) => value is (>= 0x4E00 and <= 0x9FFF) or (>= 0x3400 and <= 0x4DBF) or (>= 0x20000 and <= 0x2A6DF)
        or (>= 0x2A700 and <= 0x2CEAF) or (>= 0xF900 and <= 0xFAFF) or (>= 0x2F800 and <= 0x2FA1F);
}
