// What views of recordings change and what they leave alone, and which windows count in a recording.
using FeatureForge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning.Tests;

public sealed class AudioViewTests
{
    private static readonly AudioViewSpec _nothing = new()
    {
        FrequencyScale = 1,
        FrequencyShift = 0,
        TimeScale = 1,
        Gain = 0,
        Colour = 0,
        Mix = 0,
        BandMask = 0,
        TimeMask = 0,
    };

    private static Tensor Spectrograms(int count) => randn(count, 1, 32, 48, generator: new Generator(1));

    private static Tensor Views(Tensor spectrograms, AudioViewSpec spec) => AudioViews.Alter(spectrograms, spec, zeros(1), new StepRandom(5, 0, DrawPurpose.Views));

    [Fact]
    public void Without_any_alteration_views_are_the_spectrograms()
    {
        using var scope = NewDisposeScope();
        var spectrograms = Spectrograms(4);

        Assert.Equal(0, (Views(spectrograms, _nothing) - spectrograms).abs().max().item<float>(), 1e-4f);
    }

    [Fact]
    public void Colour_moves_the_average_spectrum_and_nothing_else()
    {
        using var scope = NewDisposeScope();
        var spectrograms = Spectrograms(64) + 3 * randn(64, 1, 32, 1, generator: new Generator(2));

        var change = Views(spectrograms, _nothing with { Colour = 1 }) - spectrograms;

        Assert.Equal(0, change.std(3, unbiased: false).max().item<float>(), 1e-3f);
        Assert.True(change.mean([3]).abs().mean().item<float>() > 0.5f);
    }

    [Fact]
    public void A_coloured_view_lies_between_two_recordings_average_spectra()
    {
        using var scope = NewDisposeScope();
        // Recording i is at level i in all bands: a view's level can only be between the smallest and the largest.
        var spectrograms = arange(16, dtype: ScalarType.Float32).view(16, 1, 1, 1).expand(16, 1, 32, 48).contiguous();

        var levels = Views(spectrograms, _nothing with { Colour = 1 }).mean([1, 2, 3]);

        Assert.InRange(levels.min().item<float>(), 0, 16);
        Assert.InRange(levels.max().item<float>(), 0, 15.001f);
        Assert.True((levels - spectrograms.mean([1, 2, 3])).abs().mean().item<float>() > 1);
    }

    [Fact]
    public void Digital_silence_has_no_colour_but_takes_up_other_sound()
    {
        using var scope = NewDisposeScope();
        var spectrograms = Spectrograms(8);
        spectrograms[..4, .., .., 24..] = LogMel.Silence;
        Tensor Silent(AudioViewSpec spec) => Views(spectrograms, spec)[..4, .., .., 24..];

        Assert.Equal(LogMel.Silence, Silent(_nothing with { Colour = 1 }).max().item<float>(), 1e-4f);
        Assert.True(Silent(_nothing with { Mix = 0.5 }).max().item<float>() > LogMel.Silence + 5);
    }

    [Theory]
    [InlineData(16_000, 0, 1.0)]
    [InlineData(4_000, 12_000, 0.25)]
    [InlineData(4_000, 0, 0.25)]
    [InlineData(0, 16_000, 0.0)]
    public void A_window_counts_by_its_share_of_sound(int sounding, int silent, double expected)
    {
        short[] samples = [.. Enumerable.Repeat((short)3, sounding), .. new short[silent]];

        Assert.Equal(expected, AudioEncoder.Sound(samples), 1e-9);
    }
}
