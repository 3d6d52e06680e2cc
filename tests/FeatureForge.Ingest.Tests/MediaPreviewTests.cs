// What the dashboard gets to show and play.
using FeatureForge.Data;
using FeatureForge.TestKit;
using SkiaSharp;

namespace FeatureForge.Ingest.Tests;

public sealed class MediaPreviewTests : IngestTest
{
    [Fact]
    public async Task A_thumbnail_fits_the_square_and_keeps_the_proportions()
    {
        _source.Write("wide.png", Picture.Gradient(400, 200, 1));
        var item = (await Ingested.RunAsync(_store, _source.Path)).Items.Single();

        var thumbnail = MediaPreview.Thumbnail(item, 128)!;

        using var codec = SKCodec.Create(SKData.CreateCopy(thumbnail.Bytes));
        Assert.Equal(("image/jpeg", 128, 64), (thumbnail.MediaType, codec.Info.Width, codec.Info.Height));
    }

    [Fact]
    public async Task Raw_pixels_of_an_IDX_file_become_a_PNG()
    {
        _source.Write("images-idx3-ubyte", [0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 10, 20, 30, 40, 50, 60]);
        var item = (await Ingested.RunAsync(_store, _source.Path)).Items.Single();

        var thumbnail = MediaPreview.Thumbnail(item, 64)!;

        using var codec = SKCodec.Create(SKData.CreateCopy(thumbnail.Bytes));
        using var bitmap = new SKBitmap(codec.Info);
        codec.GetPixels(codec.Info, bitmap.GetPixels());
        Assert.Equal(("image/png", 3, 2), (thumbnail.MediaType, bitmap.Width, bitmap.Height));
        Assert.Equal(60, bitmap.GetPixel(2, 1).Red);
    }

    [Fact]
    public async Task Sound_becomes_a_mono_WAV_at_its_own_rate()
    {
        _source.Write("stereo.wav", Wave.Sine(440, 11025, 0.5, channels: 2));
        var item = (await Ingested.RunAsync(_store, _source.Path)).Items.Single();

        var wave = MediaPreview.Wave(item, mostSeconds: 0.25, default)!;

        using var sink = new SoundSink(11025, new(), long.MaxValue, "", default);
        Assert.True(WavReader.Decode(new MemoryStream(wave.Bytes), sink, default));
        Assert.Equal((1, 11025, 250), (sink.Channels, sink.SampleRate, sink.Finish().DurationMs));
    }

    [Fact]
    public void A_text_has_no_picture_and_no_sound()
    {
        var item = new ItemRow { ItemId = ContentId.Of("a"), Modality = Modality.Text, SourceUri = "file:///a", Path = "a", MediaType = "text/plain", ByteSize = 1, Text = "a", IngestedAt = default };

        Assert.Null(MediaPreview.Thumbnail(item, 64));
        Assert.Null(MediaPreview.Wave(item, 1, default));
    }
}
