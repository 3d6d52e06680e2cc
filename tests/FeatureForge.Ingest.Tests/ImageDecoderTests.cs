// Pictures: limits from the header, truncation, alpha, orientation, and the prepared form.
using FeatureForge.Data;
using SkiaSharp;

namespace FeatureForge.Ingest.Tests;

public sealed class ImageDecoderTests
{
    private static readonly MediaFormat Png = new(MediaKind.Image, "image/png", "PNG");
    private static readonly MediaFormat Jpeg = new(MediaKind.Image, "image/jpeg", "JPEG");

    [Fact]
    public void A_picture_of_the_prepared_size_keeps_its_pixels()
    {
        var image = Decode(Picture.Encode(16, 16, (x, y) => new((byte)(x * 16), (byte)(y * 16), 7)), Png, 16);

        var planar = image.Forms[16];
        Assert.Equal((48, 160, 7), (planar[5 * 16 + 3], planar[256 + 10 * 16 + 2], planar[512 + 99]));
    }

    [Fact]
    public void Squeezing_averages_all_source_pixels()
    {
        var checks = Decode(Picture.Encode(256, 256, (x, y) => ((x ^ y) & 1) == 0 ? SKColors.Black : SKColors.White), Png, 16);

        Assert.All(checks.Forms[16], value => Assert.InRange(value, 126, 129));
    }

    [Fact]
    public void Alpha_is_laid_over_white()
    {
        var image = Decode(Picture.Encode(8, 8, (_, _) => new(200, 0, 0, 0)), Png, 8);

        Assert.Equal(4, image.Channels);
        Assert.All(image.Forms[8], value => Assert.Equal(255, value));
    }

    [Theory]
    [InlineData(SKEncodedImageFormat.Jpeg, "image/jpeg")]
    [InlineData(SKEncodedImageFormat.Png, "image/png")]
    [InlineData(SKEncodedImageFormat.Webp, "image/webp")]
    public void A_picture_that_is_cut_off_is_truncated(SKEncodedImageFormat format, string mediaType)
    {
        var whole = Picture.Gradient(300, 200, 1, format);

        var error = Assert.Throws<MediaRejectedException>(() => Decode(whole[..(whole.Length / 2)], new(MediaKind.Image, mediaType, "picture"), 32));

        Assert.Equal(RejectionCode.Truncated, error.Code);
    }

    [Fact]
    public void The_header_alone_refuses_a_picture_of_too_many_pixels()
    {
        // A PNG header of 30,000 x 30,000 pixels with no pixels behind it.
        byte[] header = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52, 0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30, 8, 2, 0, 0, 0];
        byte[] checksum = [0xE9, 0x45, 0x6F, 0xED];

        var error = Assert.Throws<MediaRejectedException>(() => Decode([.. header, .. checksum, 0, 0, 0, 1, 0x49, 0x44, 0x41, 0x54, 0x78, 0, 0, 0, 0], Png, 32));

        Assert.Equal(RejectionCode.TooLarge, error.Code);
    }

    [Fact]
    public void EXIF_orientation_turns_the_picture_upright()
    {
        // Left half dark as stored; orientation 6 says: turn clockwise, so that the top is dark.
        var jpeg = Picture.Encode(64, 32, (x, _) => x < 32 ? SKColors.Black : SKColors.White, SKEncodedImageFormat.Jpeg);
        byte[] exif = [0xFF, 0xE1, 0, 34, .. "Exif"u8, 0, 0, .. "MM"u8, 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0];

        var image = Decode([.. jpeg[..2], .. exif, .. jpeg[2..]], Jpeg, 32);

        Assert.Equal((32, 64), (image.Width, image.Height));
        Assert.InRange(image.Forms[32][4 * 32 + 16], 0, 20);
        Assert.InRange(image.Forms[32][28 * 32 + 16], 235, 255);
    }

    private static DecodedImage Decode(byte[] bytes, MediaFormat format, int size)
    {
        using var data = SKData.CreateCopy(bytes);
        return ImageDecoder.Decode(data, format, [size], new(), long.MaxValue);
    }
}
