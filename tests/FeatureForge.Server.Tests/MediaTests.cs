// Pictures, recordings and texts of items over HTTP: types, ranges, and refusals.
using System.Net;
using System.Net.Http.Headers;
using FeatureForge.Data;
using SkiaSharp;

namespace FeatureForge.Server.Tests;

public sealed class MediaTests(FilledServer server) : IClassFixture<FilledServer>
{
    private string Address(Modality modality, string what) => $"/media/mixed/{server.ItemOf(modality).ItemId}/{what}";

    [Fact]
    public async Task A_thumbnail_keeps_the_shape_of_its_picture()
    {
        var response = await server.Client.GetAsync(Address(Modality.Image, "thumbnail?size=160"));

        using var picture = SKImage.FromEncodedData(await response.Content.ReadAsByteArrayAsync());
        Assert.Equal("image/jpeg", response.Content.Headers.ContentType!.MediaType);
        Assert.Equal((160, 120), (picture.Width, picture.Height));
    }

    [Fact]
    public async Task A_recording_is_sent_as_wav()
    {
        var bytes = await server.Client.GetByteArrayAsync(Address(Modality.Audio, "audio"));

        Assert.Equal(44 + 2 * 8000, bytes.Length);
        Assert.Equal("RIFF"u8.ToArray(), bytes[..4]);
    }

    [Fact]
    public async Task A_range_of_a_recording_is_that_part_of_it()
    {
        var whole = await server.Client.GetByteArrayAsync(Address(Modality.Audio, "audio"));
        var request = new HttpRequestMessage(HttpMethod.Get, Address(Modality.Audio, "audio"));
        request.Headers.Range = new RangeHeaderValue(40, 1039);

        var response = await server.Client.SendAsync(request);

        Assert.Equal(HttpStatusCode.PartialContent, response.StatusCode);
        Assert.Equal("bytes 40-1039/16044", response.Content.Headers.ContentRange!.ToString());
        Assert.Equal(whole[40..1040], await response.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task A_waveform_has_as_many_bars_as_asked_for()
    {
        var svg = await server.Client.GetStringAsync(Address(Modality.Audio, "waveform?bars=30"));

        Assert.Equal(30, svg.Split("<rect").Length - 1);
    }

    [Fact]
    public async Task A_text_is_sent_as_plain_text()
    {
        var response = await server.Client.GetAsync(Address(Modality.Text, "text"));

        Assert.Equal("text/plain", response.Content.Headers.ContentType!.MediaType);
        Assert.EndsWith("<end>", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_kept_picture_is_not_sent_again()
    {
        var first = await server.Client.GetAsync(Address(Modality.Image, "thumbnail"));
        var again = new HttpRequestMessage(HttpMethod.Get, Address(Modality.Image, "thumbnail"));
        again.Headers.IfNoneMatch.Add(first.Headers.ETag!);

        var response = await server.Client.SendAsync(again);

        Assert.Equal(HttpStatusCode.NotModified, response.StatusCode);
    }

    [Fact]
    public async Task What_an_item_does_not_have_is_not_found()
    {
        var waveformOfPicture = await server.Client.GetAsync(Address(Modality.Image, "waveform"));
        var pictureOfText = await server.Client.GetAsync(Address(Modality.Text, "thumbnail"));

        Assert.Equal(HttpStatusCode.NotFound, waveformOfPicture.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, pictureOfText.StatusCode);
    }

    [Theory]
    [InlineData("/media/mixed/zzz/thumbnail", HttpStatusCode.NotFound)]
    [InlineData("/media/mixed/00000000000000000000000000000000/thumbnail", HttpStatusCode.NotFound)]
    [InlineData("/media/..%2fmixed/00000000000000000000000000000000/thumbnail", HttpStatusCode.NotFound)]
    [InlineData("/media/mixed/00000000000000000000000000000000/thumbnail?size=100000", HttpStatusCode.BadRequest)]
    public async Task Addresses_that_name_nothing_are_refused(string address, HttpStatusCode expected)
    {
        var response = await server.Client.GetAsync(address);

        Assert.Equal(expected, response.StatusCode);
    }
}
