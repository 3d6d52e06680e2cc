// Each score says what its name promises, on media whose answer is known.
using FeatureForge.Data;
using SkiaSharp;

namespace FeatureForge.Ingest.Tests;

public sealed class QualityTests
{
    private const int Side = 96;

    private static IReadOnlyDictionary<string, float> Picture(Func<int, int, (int R, int G, int B)> colour, int width = Side, int height = Side)
    {
        var rgb = new byte[width * height * 3];
        for (var i = 0; i < width * height; i++)
        {
            var (r, g, b) = colour(i % width, i / width);
            (rgb[3 * i], rgb[3 * i + 1], rgb[3 * i + 2]) = ((byte)r, (byte)g, (byte)b);
        }
        return ImageQuality.Of(rgb, width, height, width, height).Scores;
    }

    private static bool Has(IReadOnlyDictionary<string, float> scores, Modality modality, string issue) =>
        new QualityThresholds().IssuesOf(new() { ItemId = "", Modality = modality, SourceUri = "", Path = "", MediaType = "", ByteSize = 0, Quality = scores, IngestedAt = default }).Any(found => found.Name == issue);

    private static int Noise(int x, int y) => (int)(MinHash.Mixed((uint)(x * 7919 + y * 104729 + 1)) % 256);

    [Fact]
    public void A_picture_of_noise_has_no_issue_but_to_be_gray()
    {
        var scores = Picture((x, y) => (Noise(x, y), Noise(x, y), Noise(x, y)));

        Assert.Equal(1, scores["grayscale"]);
        Assert.InRange(scores["blur"], 0, 0.3);
        Assert.All(QualityIssue.All.Where(issue => issue is { Modality: Modality.Image, Name: not "grayscale" }), issue => Assert.False(Has(scores, Modality.Image, issue.Name), issue.Name));
    }

    [Fact]
    public void Dark_bright_blurred_and_empty_pictures_are_told_apart()
    {
        Assert.True(Has(Picture((x, y) => (Noise(x, y) / 8, Noise(y, x) / 8, 20)), Modality.Image, "darkness"));
        Assert.True(Has(Picture((x, y) => (250 + Noise(x, y) / 64, 250, 255)), Modality.Image, "brightness"));
        Assert.True(Has(Picture((x, y) => (120 + x / 8, 110 + y / 8, 100)), Modality.Image, "blur"));
        Assert.True(Has(Picture((x, y) => (90, 120, 60)), Modality.Image, "low_information"));
        Assert.False(Has(Picture((x, y) => (Noise(x, y), Noise(y, x), 20)), Modality.Image, "grayscale"));
    }

    [Fact]
    public void Shape_and_size_are_judged_by_the_source()
    {
        Assert.Equal(0.75f, Picture((x, y) => (Noise(x, y), 0, 0), 400, 100)["odd_aspect"]);
        Assert.True(Has(Picture((x, y) => (Noise(x, y), 0, 0), 16, 16), Modality.Image, "odd_size"));
        Assert.Equal(0, Picture((x, y) => (Noise(x, y), 0, 0), 200, 200)["odd_size"]);
    }

    private static IReadOnlyDictionary<string, float> Sound(int rate, double seconds, Func<double, double> wave)
    {
        var samples = new float[(int)(rate * seconds)];
        for (var i = 0; i < samples.Length; i++) samples[i] = (float)wave((double)i / rate);
        var measures = new SoundMeasures(rate, rate);
        // In uneven blocks, as decoders give them.
        for (var at = 0; at < samples.Length; at += 777)
        {
            measures.AddDecoded(samples.AsSpan(at, Math.Min(777, samples.Length - at)));
            measures.AddKept(samples.AsSpan(at, Math.Min(777, samples.Length - at)));
        }
        return measures.Finish(seconds).Scores;
    }

    [Fact]
    public void A_full_scale_tone_of_997_hertz_has_the_level_and_loudness_of_the_standard()
    {
        var scores = Sound(48000, 3, t => 0.999 * Math.Sin(2 * Math.PI * 997 * t));

        Assert.Equal(-3.02, scores["level_dbfs"], 0.02);
        Assert.Equal(-3.02, scores["loudness_lufs"], 0.1); // BS.1770: a 997 Hz sine at 0 dBFS in one channel reads -3.01
        Assert.InRange(scores["bandwidth_hz"], 997, 1400); // the window spreads a tone over some bins of 47 Hz
        Assert.True(Has(scores, Modality.Audio, "narrow_bandwidth"));
    }

    [Fact]
    public void Silence_clipping_and_offset_are_measured_as_shares()
    {
        var scores = Sound(16000, 4, t => t < 3 ? 0 : Math.Clamp(4 * Math.Sin(2 * Math.PI * 440 * t), -1, 1));

        Assert.Equal(0.75, scores["silence_share"], 0.02);
        Assert.Equal(0.21, scores["clipping_share"], 0.01); // a quarter of the time, of which 84 % lies above full scale
        Assert.Equal(0.25, Sound(16000, 1, t => 0.25 + 0.1 * Math.Sin(2 * Math.PI * 300 * t))["dc_offset"], 0.005);
        Assert.True(Has(Sound(16000, 1, _ => 0), Modality.Audio, "low_level"));
    }

    [Fact]
    public void Bandwidth_tells_where_the_spectrum_ends_not_what_the_header_says()
    {
        static double Band(double t) => Enumerable.Range(1, 30).Sum(k => Math.Sin(2 * Math.PI * 100 * k * t + k * k)) / 30;

        var scores = Sound(44100, 2, Band);

        Assert.InRange(scores["bandwidth_hz"], 2950, 3400);
        Assert.Equal(1 - scores["bandwidth_hz"] / 8000, scores["narrow_bandwidth"], 1e-4);
    }

    [Fact]
    public void Syllables_chords_and_hiss_are_taken_for_speech_music_and_noise()
    {
        var random = new Random(1);
        var speech = Sound(16000, 5, t => Math.Max(0, Math.Sin(2 * Math.PI * 4 * t)) * (Math.Sin(2 * Math.PI * 4 * t * 0.5) > 0 ? Math.Sin(2 * Math.PI * 180 * t) : 0.5 * Math.Sin(2 * Math.PI * 2500 * t)));
        var music = Sound(16000, 5, t => 0.2 * (Math.Sin(2 * Math.PI * 262 * t) + Math.Sin(2 * Math.PI * 330 * t) + Math.Sin(2 * Math.PI * 392 * t)));
        var noise = Sound(16000, 5, _ => random.NextDouble() - 0.5);

        Assert.True(speech["speech"] > 0.6, $"{speech["speech"]}");
        Assert.True(music["music"] > 0.6, $"{music["music"]}");
        Assert.True(noise["noise"] > 0.6, $"{noise["noise"]}");
        Assert.Equal(1, speech["speech"] + speech["music"] + speech["noise"], 1e-5);
    }

    [Theory]
    [InlineData("One fish two fish red fish blue fish", 8)]
    [InlineData("don't stop -- ever!", 3)]
    [InlineData("我们今天去北京", 7)]
    [InlineData("สวัสดี", 6)]
    [InlineData("नमस्ते दुनिया", 2)]
    [InlineData("👍🏽 🎉", 0)]
    public void Words_are_counted_in_every_script(string text, int words) => Assert.Equal(words, TextQuality.Of(text).Scores["word_count"]);

    [Fact]
    public void Repetition_is_found_in_phrases_and_in_lines()
    {
        var plain = TextQuality.Of("The quick brown fox jumps over the lazy dog while seven wizards brew strong coffee.").Scores;
        var phrases = TextQuality.Of(string.Concat(Enumerable.Repeat("buy cheap pills now ", 50))).Scores;
        var lines = TextQuality.Of(string.Concat(Enumerable.Range(0, 20).Select(i => i % 2 == 0 ? "Click here to subscribe\n" : $"line number {i * 37}\n"))).Scores;

        Assert.Equal((0, 0, 0), (plain["repetition"], plain["top_phrase_share"], plain["duplicate_line_share"]));
        Assert.True(phrases["repetition"] > 0.9 && phrases["top_phrase_share"] > 0.5);
        Assert.InRange(lines["duplicate_line_share"], 0.5, 0.65);
        Assert.Equal(1, TextQuality.Of("$$$ !!! ###").Scores["symbol_share"] + 2f / 11, 1e-5);
    }

    [Fact]
    public void A_threshold_can_be_changed_by_name_and_a_wrong_name_is_refused()
    {
        Assert.Equal(0.9f, new QualityThresholds().With(["blur=0.9"]).Blur);
        Assert.Equal(-40, new QualityThresholds().With(["low_level=-40"]).LowLevel);
        var error = Assert.Throws<BadRequestException>(() => new QualityThresholds().With(["blurr=1", "blur=much"]));
        Assert.Equal(2, error.Problems.Count);
    }

    [Fact]
    public void Every_threshold_has_its_issue() =>
        Assert.Equal(typeof(QualityThresholds).GetProperties().Length, QualityIssue.All.Select(issue => issue.WithThreshold(new(), 12345)).Distinct().Count());
}
