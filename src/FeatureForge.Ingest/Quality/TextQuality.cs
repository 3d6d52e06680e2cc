// Scores of a document and its signature, in one pass over its words. Repetition follows the rules that were published for
// MassiveText (Rae et al., "Scaling Language Models: Methods, Analysis & Insights from Training Gopher", 2021, table A1): the share
// of characters in repeated lines and in the commonest phrase, and the share of repeated phrases.
// Letters that are written without spaces (Han, kana, Thai, Lao, Khmer, Burmese) count as words one by one.
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace FeatureForge.Ingest;

internal static class TextQuality
{
    private const int SampledUnits = 1_000_000;

    /// <summary>
    /// word_count. symbol_share: code points that are neither letters, marks, digits nor white space. repetition: phrases of three words
    /// that occurred before. top_phrase_share: characters in the commonest repeated phrase. duplicate_line_share:
    /// characters in lines that occurred before. All from the first million UTF-16 units.
    /// </summary>
    public static Measured Of(string text)
    {
        var sample = text.AsSpan(0, Math.Min(text.Length, SampledUnits));
        using var phrases = new PhraseTable(sample.Length);
        var (characters, symbols) = Scan(Unified(sample), phrases);
        return Measures(phrases, characters, symbols, sample.Contains('\n') ? DuplicateLineShare(sample) : 0);
    }

    /// <summary>The same for bytes that are all ASCII.</summary>
    public static Measured OfAscii(ReadOnlySpan<byte> text)
    {
        var sample = text[..Math.Min(text.Length, SampledUnits)];
        using var phrases = new PhraseTable(sample.Length);
        var symbols = AsciiWords.Scan(sample, phrases);
        return Measures(phrases, sample.Length, symbols, sample.Contains((byte)'\n') ? DuplicateLineShare(sample) : 0);
    }

    private static Measured Measures(PhraseTable phrases, int characters, int symbols, float duplicateLineShare)
    {
        phrases.Finish();
        var scores = new Dictionary<string, float>
        {
            ["word_count"] = phrases.Words,
            ["symbol_share"] = characters == 0 ? 0 : (float)symbols / characters,
            ["repetition"] = phrases.RepeatedShare,
            ["top_phrase_share"] = characters == 0 ? 0 : Math.Min(1, (float)phrases.CommonestCharacters / characters),
            ["duplicate_line_share"] = duplicateLineShare,
        };
        return new(scores, phrases.Words == 0 ? null : SketchSignature.OfText(phrases.Sketch, phrases.Different));
    }

    // Code points and symbols are counted on the way.
    private static (int Characters, int Symbols) Scan(ReadOnlySpan<char> text, PhraseTable phrases) =>
        AsciiWords.TryScan(text, phrases, out var symbols) ? (text.Length, symbols) : ScanAny(text, phrases);

    /// <summary>The same for text of any script.</summary>
    internal static (int Characters, int Symbols) ScanAny(ReadOnlySpan<char> text, PhraseTable phrases)
    {
        var (characters, symbols) = (0, 0);
        var word = new WordHash();
        for (var i = 0; i < text.Length; i++)
        {
            var unit = text[i];
            characters++;
            if (unit < 128)
            {
                if (char.IsAsciiLetterOrDigit(unit))
                {
                    word.Add(unit);
                    continue;
                }
                if (unit > ' ' && unit != 127) symbols++;
                // An apostrophe within a word does not end it.
                if (word.Length == 0 || (unit == '\'' && i + 1 < text.Length && char.IsAsciiLetter(text[i + 1]))) continue;
                phrases.Add(word.Value, word.Length);
                word = new();
                continue;
            }
            if (Rune.DecodeFromUtf16(text[i..], out var rune, out var consumed) != System.Buffers.OperationStatus.Done) rune = Rune.ReplacementChar;
            i += consumed - 1;
            var category = Rune.GetUnicodeCategory(rune);
            var isPart = category <= UnicodeCategory.OtherNumber;
            if (!isPart && !Rune.IsWhiteSpace(rune) && category != UnicodeCategory.Format) symbols++;
            if (isPart && !IsWordAlone(rune.Value))
            {
                word.Add(rune);
                continue;
            }
            if (word.Length > 0) phrases.Add(word.Value, word.Length);
            word = new();
            if (!isPart) continue;
            word.Add(rune);
            phrases.Add(word.Value, 1);
            word = new();
        }
        if (word.Length > 0) phrases.Add(word.Value, word.Length);
        return (characters, symbols);
    }

    private static bool IsWordAlone(int codePoint) => codePoint is
        >= 0x2E80 and <= 0x9FFF and not (>= 0x3130 and <= 0x318F) // Han, kana and their signs, without Hangul letters
        or >= 0x0E00 and <= 0x0EFF // Thai, Lao
        or >= 0x1000 and <= 0x109F or >= 0x1780 and <= 0x17FF // Burmese, Khmer
        or >= 0xF900 and <= 0xFAFF or >= 0x20000 and <= 0x3FFFF;

    private static float DuplicateLineShare(ReadOnlySpan<char> text)
    {
        var lines = new LineShare();
        foreach (var range in text.Split('\n'))
        {
            var line = text[range].Trim();
            lines.Add(MemoryMarshal.AsBytes(line), line.Length);
        }
        return lines.Repeated;
    }

    private static float DuplicateLineShare(ReadOnlySpan<byte> ascii)
    {
        var lines = new LineShare();
        foreach (var range in ascii.Split((byte)'\n'))
        {
            var line = ascii[range];
            line = line[Ascii.Trim(line)];
            lines.Add(line, line.Length);
        }
        return lines.Repeated;
    }

    /// <summary>How much of some lines is in lines that came before.</summary>
    private sealed class LineShare
    {
        private readonly HashSet<ulong> _seen = [];
        private long _all;
        private long _repeated;

        public float Repeated => _all == 0 ? 0 : (float)_repeated / _all;

        public void Add(ReadOnlySpan<byte> line, int units)
        {
            if (line.IsEmpty) return;
            _all += units;
            if (!_seen.Add(Hash(line))) _repeated += units;
        }
    }

    // Eight bytes at a time. string.GetHashCode differs between processes; scores must not.
    private static ulong Hash(ReadOnlySpan<byte> line)
    {
        var hash = (ulong)line.Length;
        foreach (var bytes in MemoryMarshal.Cast<byte, ulong>(line)) hash = Step(hash, bytes);
        foreach (var one in line[(line.Length & ~7)..]) hash = Step(hash, one);
        return hash;

        static ulong Step(ulong hash, ulong value)
        {
            hash = unchecked((hash ^ value) * 0x9E3779B97F4A7C15);
            return hash ^ (hash >> 29);
        }
    }

    // Letters that look the same but are written differently (full width, base letter and accent apart) become one.
    private static ReadOnlySpan<char> Unified(ReadOnlySpan<char> text)
    {
        try
        {
            return Ascii.IsValid(text) || text.IsNormalized(NormalizationForm.FormKC) ? text : text.ToString().Normalize(NormalizationForm.FormKC);
        }
        catch (ArgumentException)
        {
            return text; // half a surrogate pair: tables may hold such text
        }
    }
}
