// Letters without their accents: canonical decomposition, marks dropped (Unicode 14, from the table beside this file).
// The runtime's own normalisation needs the ICU library, which this program does without.
using System.Globalization;
using System.Reflection;
using System.Text;

namespace FeatureForge.Learning;

internal static class Accents
{
    // Hangul syllables are composed by rule (Unicode 14, section 3.12).
    private const int FirstSyllable = 0xAC00;
    private const int LastSyllable = 0xD7A3;
    private const int Vowels = 21;
    private const int Finals = 28;

    private static readonly Dictionary<int, Rune[]> _bare = Load();

    /// <summary>What stays of a character: itself, its letter, several letters, or nothing when it was a mark.</summary>
    public static Rune[] Without(Rune rune)
    {
        if (rune.Value < 0x80) return [rune];
        if (rune.Value is >= FirstSyllable and <= LastSyllable) return Syllable(rune.Value - FirstSyllable);
        if (_bare.TryGetValue(rune.Value, out var bare)) return bare;
        return Rune.GetUnicodeCategory(rune) == UnicodeCategory.NonSpacingMark ? [] : [rune];
    }

    private static Rune[] Syllable(int number)
    {
        var (first, vowel, final) = (new Rune(0x1100 + number / (Vowels * Finals)), new Rune(0x1161 + number / Finals % Vowels), number % Finals);
        return final == 0 ? [first, vowel] : [first, vowel, new Rune(0x11A7 + final)];
    }

    private static Dictionary<int, Rune[]> Load()
    {
        using var reader = new StreamReader(Assembly.GetExecutingAssembly().GetManifestResourceStream("FeatureForge.Learning.FrontEnds.decompositions.txt")!);
        var bare = new Dictionary<int, Rune[]>();
        while (reader.ReadLine() is { } line)
        {
            if (line.StartsWith('#')) continue;
            var numbers = line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(part => int.Parse(part, NumberStyles.HexNumber, CultureInfo.InvariantCulture)).ToArray();
            bare[numbers[0]] = [.. numbers[1..].Select(number => new Rune(number))];
        }
        return bare;
    }
}
