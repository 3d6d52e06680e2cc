// Our own resampler and libsoxr: right length, right tone, nothing folded back.
using FeatureForge.TestKit;

namespace FeatureForge.Ingest.Tests;

public sealed class ResamplerTests
{
    [Theory]
    [InlineData(8000, 16000)]
    [InlineData(44100, 16000)]
    [InlineData(11025, 16000)]
    [InlineData(48000, 16000)]
    [InlineData(22051, 16000)]
    public void A_tone_keeps_its_length_its_pitch_and_its_loudness(int from, int to)
    {
        using var resampler = new SincResampler(from, to);

        AssertTone(Run(resampler, Tone(1000, from, from)), to);
    }

    [NeedsToolFact("soxr")]
    public void Libsoxr_keeps_them_too()
    {
        using var resampler = new SoxrResampler(44100, 16000);

        AssertTone(Run(resampler, Tone(1000, 44100, 44100)), 16000);
    }

    [Fact]
    public void A_tone_above_the_new_range_is_silenced()
    {
        using var resampler = new SincResampler(44100, 16000);

        var samples = Run(resampler, Tone(12000, 44100, 44100));

        // -60 dB, away from the ends where the tone starts at once.
        Assert.All(samples[1000..^1000], sample => Assert.InRange(sample, -0.0005f, 0.0005f));
    }

    [Fact]
    public void Block_boundaries_leave_no_trace()
    {
        var tone = Tone(700, 11025, 5000);
        using var whole = new SincResampler(11025, 16000);
        using var blocks = new SincResampler(11025, 16000);

        var expected = Run(whole, tone, tone.Length);

        Assert.Equal(expected, Run(blocks, tone, 37));
    }

    private static void AssertTone(float[] samples, int rate)
    {
        Assert.InRange(samples.Length, rate - 1, rate + 1);
        // Correlation with the ideal tone over the middle; 1 % of loudness and of phase error allowed.
        double same = 0, energy = 0;
        for (var i = 1000; i < rate - 1000; i++)
        {
            var ideal = 0.5 * Math.Sin(2 * Math.PI * 1000 * i / rate);
            same += ideal * samples[i];
            energy += ideal * ideal;
        }
        Assert.InRange(same / energy, 0.99, 1.01);
    }

    private static float[] Tone(double hertz, int rate, int count) => [.. Enumerable.Range(0, count).Select(i => (float)(0.5 * Math.Sin(2 * Math.PI * hertz * i / rate)))];

    private static float[] Run(IResampler resampler, float[] samples, int block = 4096)
    {
        var output = new List<float>();
        for (var at = 0; at < samples.Length; at += block) output.AddRange(resampler.Process(samples.AsSpan(at, Math.Min(block, samples.Length - at))));
        output.AddRange(resampler.Finish());
        return [.. output];
    }
}
