// Spectrograms and views: what they keep and what they change.
using FeatureForge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning.Tests;

public sealed class FrontEndAndViewTests
{
    private static Tensor Tone(double hertz) => HostCopies.ToTensor(
        Enumerable.Range(0, 16_000 + 2 * LogMel.Margin).Select(i => (short)(10_000 * Math.Sin(2 * Math.PI * hertz * i / 16_000))).ToArray(), [1, 16_000 + 2 * LogMel.Margin], CPU);

    [Fact]
    public void One_second_gives_a_hundred_frames_of_64_bands()
    {
        using var scope = NewDisposeScope();
        using var mel = new LogMel();

        Assert.Equal([1, 64, 100], mel.forward(Tone(440)).shape);
    }

    [Fact]
    public void A_higher_tone_excites_a_higher_band()
    {
        using var scope = NewDisposeScope();
        using var mel = new LogMel();
        long Loudest(double hertz) => mel.forward(Tone(hertz)).mean([2]).argmax().item<long>();

        var bands = new[] { 150.0, 440, 1000, 3000, 7000 }.Select(Loudest).ToList();

        Assert.Equal(bands.Order(), bands);
        Assert.Equal(5, bands.Distinct().Count());
    }

    [Fact]
    public void Image_views_of_a_gray_picture_stay_inside_zero_and_one_and_differ()
    {
        using var scope = NewDisposeScope();
        var pixels = rand(4, 3, 16, 16, generator: new Generator(1));

        var views = ImageViews.Global(pixels, new(), 2, 16, new StepRandom(0, 0, DrawPurpose.Views));

        Assert.Equal([8, 3, 16, 16], views.shape);
        Assert.InRange(views.min().item<float>(), 0, 1);
        Assert.InRange(views.max().item<float>(), 0, 1);
        Assert.True((views[..4] - views[4..]).abs().mean().item<float>() > 0.01f);
    }

    [Fact]
    public void Image_views_without_any_alteration_are_the_picture()
    {
        using var scope = NewDisposeScope();
        var pixels = rand(2, 3, 8, 8, generator: new Generator(1));
        var nothing = new ImageViewSpec { SmallestCrop = 1, Flip = false, Colour = 0, Gray = 0 };

        // The aspect still varies: a box as high as the picture may be narrower, so only the mean is compared.
        var views = ImageViews.Global(pixels, nothing, 2, 8, new StepRandom(0, 0, DrawPurpose.Views));

        Assert.Equal(pixels.mean().item<float>(), views.mean().item<float>(), 0.05);
    }

    [Fact]
    public void Views_are_the_same_for_the_same_seed_and_step_and_differ_for_the_next_step()
    {
        using var scope = NewDisposeScope();
        var spectrograms = rand(4, 1, 32, 50, generator: new Generator(1));
        Tensor Views(long step) => AudioViews.Alter(spectrograms, new(), zeros(1), new StepRandom(5, step, DrawPurpose.Views));

        Assert.True(Views(3).equal(Views(3)).all().item<bool>());
        Assert.False(Views(3).equal(Views(4)).all().item<bool>());
    }

    [Fact]
    public void Text_halves_share_no_word_even_where_words_repeat()
    {
        int[] tokens = [.. Enumerable.Range(1, 30), .. Enumerable.Range(1, 30)];
        var (first, second) = TextViews.Cut(tokens, new() { WindowShare = 0, Drop = 0 }, new StepRandom(0, 0, DrawPurpose.Gather));

        Assert.Empty(first.Intersect(second));
        Assert.Equal(tokens.Order(), first.Concat(second).Order());
    }

    [Fact]
    public void Long_documents_are_always_cut_into_windows()
    {
        var tokens = Enumerable.Range(1, 40).ToArray();
        var (first, second) = TextViews.Cut(tokens, new() { WindowShare = 0, WindowsBeyond = 39, Drop = 0 }, new StepRandom(0, 0, DrawPurpose.Gather));

        Assert.All([first, second], view => Assert.Equal(Enumerable.Range(view[0], view.Length), view));
    }

    [Fact]
    public void A_book_gives_its_views_from_one_stretch()
    {
        var (start, length) = TextViews.Stretch(100_000, new() { Longest = 50 }, new StepRandom(0, 0, DrawPurpose.Gather));

        Assert.Equal(200, length);
        Assert.InRange(start, 0, 99_800);
        Assert.Equal((0, 30), TextViews.Stretch(30, new() { Longest = 50 }, new StepRandom(0, 0, DrawPurpose.Gather)));
    }

    [Fact]
    public void A_document_of_one_token_still_gives_two_views()
    {
        var (first, second) = TextViews.Cut([7], new() { Drop = 0.9 }, new StepRandom(0, 0, DrawPurpose.Gather));

        Assert.Equal([7], first);
        Assert.Equal([7], second);
    }

    [Fact]
    public void Every_epoch_visits_each_item_at_most_once()
    {
        var order = default((long, int[]));
        var seen = Enumerable.Range(0, 3).SelectMany(step => BatchReader.Items(10, 3, seed: 1, step, ref order).ToArray()).ToList();

        Assert.Equal(9, seen.Distinct().Count());
    }
}
