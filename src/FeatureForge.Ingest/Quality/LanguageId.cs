// The language of a document: by its script where one language has it, by function words where they say enough, else by letter
// trigrams (Lingua, low-accuracy mode), between the languages that the words leave. The first costs nothing, the second microseconds, the third
// up to a millisecond between all of them.
using System.Collections.Concurrent;
using System.Text;
using Lingua;

namespace FeatureForge.Ingest;

/// <summary>A guess. <paramref name="Code"/> is ISO 639-1, null when no guess reaches <see cref="LanguageId.LeastConfidence"/>; <paramref name="Confidence"/> in [0,1] is that of the best guess.</summary>
internal readonly record struct LanguageGuess(string? Code, float Confidence);

internal static class LanguageId
{
    public const float LeastConfidence = 0.5f;

    /// <summary>What comes after so many UTF-16 units is not looked at.</summary>
    public const int SampledUnits = 4096;

    private const int FewestLetters = 8;
    // What trigrams look at: more text costs more time and decides nothing more.
    private const int TrigramUnits = 400;

    private static readonly Language[] WithTrigrams =
    [
        Language.English, Language.German, Language.French, Language.Spanish, Language.Portuguese, Language.Italian, Language.Dutch, Language.Swedish,
        Language.Danish, Language.Bokmal, Language.Finnish, Language.Icelandic, Language.Polish, Language.Czech, Language.Slovak, Language.Slovene,
        Language.Croatian, Language.Hungarian, Language.Romanian, Language.Turkish, Language.Vietnamese, Language.Indonesian, Language.Catalan,
        Language.Basque, Language.Estonian, Language.Latvian, Language.Lithuanian, Language.Albanian, Language.Swahili, Language.Tagalog,
        Language.Russian, Language.Ukrainian, Language.Belarusian, Language.Bulgarian, Language.Serbian, Language.Macedonian, Language.Kazakh, Language.Mongolian,
        Language.Arabic, Language.Persian, Language.Urdu, Language.Hindi,
    ];

    private static readonly Lazy<LanguageDetector?> Trigrams = new(() => Load(WithTrigrams));
    // By the codes between which they choose: what trigrams cost goes with the number of languages.
    private static readonly ConcurrentDictionary<string, LanguageDetector?> Few = new();

    public static LanguageGuess Of(string text)
    {
        var sample = Sample(text);
        var scripts = Scripts.Of(sample);
        if (scripts.Letters < FewestLetters) return new(null, 0);
        if (scripts.OneLanguage() is { } alone) return Guess(alone.Code, alone.Share);
        var words = FunctionWords.Guess(sample);
        if (words is { IsClear: true } clear) return Guess(clear.Code, clear.Confidence);
        return ByTrigrams(sample, words?.Near ?? []) ?? (words is { } unclear ? Guess(unclear.Code, unclear.Confidence) : new(null, 0));
    }

    // Half a surrogate pair at the cut is no letter of anything.
    private static string Sample(string text) => text.Length <= SampledUnits ? text : text[..SampledUnits];

    private static LanguageGuess Guess(string code, float confidence) => new(confidence >= LeastConfidence ? code : null, confidence);

    private static LanguageGuess? ByTrigrams(string sample, IReadOnlyList<string> near)
    {
        if (Between(near) is not { } detector) return null;
        var values = detector.ComputeLanguageConfidenceValues(sample.Length <= TrigramUnits ? sample : sample[..TrigramUnits]);
        var (best, probability) = values.FirstOrDefault();
        if (probability <= 0) return null;
        // Against the next likely one: there are forty of them, and most are out of the question.
        var next = values.Skip(1).FirstOrDefault().Value;
        return Guess(Code(best), (float)(probability / (probability + next)));
    }

    private static string Code(Language language) => language.IsoCode6391().ToString().ToLowerInvariant() is var code && code == "nb" ? "no" : code;

    private static LanguageDetector? Between(IReadOnlyList<string> near)
    {
        // One language is no choice, and of some there are no trigrams.
        if (near.Count < 2) return Trigrams.Value;
        return Few.GetOrAdd(string.Join(' ', near), _ =>
        {
            Language[] languages = [.. WithTrigrams.Where(language => near.Contains(Code(language)))];
            return languages.Length == near.Count ? Load(languages) : Trigrams.Value;
        });
    }

    private static LanguageDetector? Load(Language[] languages)
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "language-models");
        return Directory.Exists(folder) ? LanguageDetectorBuilder.FromLanguages(languages).WithLowAccuracyMode().WithLanguageModelsDirectory(folder).Build() : null;
    }

    /// <summary>How many letters of each script a text has.</summary>
    private readonly record struct Scripts(int Letters, int Han, int Kana, int Hangul, int Greek, int Hebrew, int Thai, int Other, string? OtherCode)
    {
        // Scripts that in practice one language is written with, by the first and last code point of their letters.
        private static readonly (int First, int Last, string Code)[] OneLanguageEach =
        [
            (0x0530, 0x058F, "hy"), (0x0980, 0x09FF, "bn"), (0x0A00, 0x0A7F, "pa"), (0x0A80, 0x0AFF, "gu"), (0x0B00, 0x0B7F, "or"), (0x0B80, 0x0BFF, "ta"),
            (0x0C00, 0x0C7F, "te"), (0x0C80, 0x0CFF, "kn"), (0x0D00, 0x0D7F, "ml"), (0x0D80, 0x0DFF, "si"), (0x0E80, 0x0EFF, "lo"), (0x0F00, 0x0FFF, "bo"),
            (0x1000, 0x109F, "my"), (0x10A0, 0x10FF, "ka"), (0x1200, 0x137F, "am"), (0x1780, 0x17FF, "km"),
        ];

        public static Scripts Of(string text)
        {
            var (letters, han, kana, hangul, greek, hebrew, thai, other) = (0, 0, 0, 0, 0, 0, 0, 0);
            string? otherCode = null;
            if (Ascii.IsValid(text))
            {
                foreach (var unit in text)
                    if (char.IsAsciiLetter(unit)) letters++;
                return new(letters, 0, 0, 0, 0, 0, 0, 0, null);
            }
            foreach (var rune in text.EnumerateRunes())
            {
                var point = rune.Value;
                if (point < 128)
                {
                    if (char.IsAsciiLetter((char)point)) letters++;
                    continue;
                }
                if (!Rune.IsLetter(rune)) continue;
                letters++;
                switch (point)
                {
                    case (>= 0x0370 and <= 0x03FF) or (>= 0x1F00 and <= 0x1FFF): greek++; break;
                    case >= 0x0590 and <= 0x05FF: hebrew++; break;
                    case >= 0x0E00 and <= 0x0E7F: thai++; break;
                    case (>= 0x3040 and <= 0x30FF) or (>= 0x31F0 and <= 0x31FF) or (>= 0xFF66 and <= 0xFF9D): kana++; break;
                    case (>= 0x1100 and <= 0x11FF) or (>= 0x3130 and <= 0x318F) or (>= 0xAC00 and <= 0xD7AF): hangul++; break;
                    case (>= 0x3400 and <= 0x9FFF) or (>= 0xF900 and <= 0xFAFF) or (>= 0x20000 and <= 0x3FFFF): han++; break;
                    default:
                        if (OneLanguageEach.FirstOrDefault(script => point >= script.First && point <= script.Last).Code is { } code)
                        {
                            other++;
                            otherCode ??= code;
                        }
                        break;
                }
            }
            return new(letters, han, kana, hangul, greek, hebrew, thai, other, otherCode);
        }

        /// <summary>The language and its share of the letters, when its script has most of them.</summary>
        public (string Code, float Share)? OneLanguage()
        {
            // Japanese mixes Han into kana; Chinese has none.
            (string Code, int Count)[] candidates =
            [
                KanaAndHan(), ("ko", Hangul), ("el", Greek), ("he", Hebrew), ("th", Thai), (OtherCode ?? "", Other),
            ];
            var best = candidates.MaxBy(candidate => candidate.Count);
            return best.Count * 2 > Letters ? (best.Code, (float)best.Count / Letters) : null;
        }

        private (string, int) KanaAndHan() => Kana * 20 > Kana + Han ? ("ja", Kana + Han) : ("zh", Han);
    }
}
