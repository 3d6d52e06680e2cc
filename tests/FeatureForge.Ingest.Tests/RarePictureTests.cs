// Formats beyond SkiaSharp's: decoded whole, turned upright, limited by their header, and never silently half grey.
using FeatureForge.Data;
using ImageMagick;
using SkiaSharp;

namespace FeatureForge.Ingest.Tests;

public sealed class RarePictureTests
{
    [Theory]
    [InlineData(MagickFormat.Tiff, "picture.tif")]
    [InlineData(MagickFormat.Jp2, "picture.jp2")]
    [InlineData(MagickFormat.Tga, "picture.tga")]
    [InlineData(MagickFormat.Ppm, "picture.ppm")]
    [InlineData(MagickFormat.Psd, "picture.psd")]
    [InlineData(MagickFormat.Ico, "picture.ico")]
    [InlineData(MagickFormat.Sgi, "picture.sgi")]
    [InlineData(MagickFormat.Pcx, "picture.pcx")]
    public void A_rare_format_keeps_size_and_colours(MagickFormat format, string name)
    {
        var image = Decode(Encode(format), name);

        Assert.Equal((64, 32), (image.Width, image.Height));
        Assert.InRange(image.Forms[32][5], 195, 205);
    }

    [Theory]
    [InlineData(MagickFormat.Tiff, "picture.tif")]
    [InlineData(MagickFormat.Jp2, "picture.jp2")]
    [InlineData(MagickFormat.Tga, "picture.tga")]
    [InlineData(MagickFormat.Ppm, "picture.ppm")]
    [InlineData(MagickFormat.Psd, "picture.psd")]
    public void A_rare_format_that_is_cut_off_is_refused(MagickFormat format, string name)
    {
        var bytes = Encode(format);

        Assert.Throws<MediaRejectedException>(() => Decode(bytes[..(bytes.Length / 2)], name));
    }

    [Fact]
    public void Orientation_turns_a_TIFF_upright()
    {
        var image = Decode(Encode(MagickFormat.Tiff, Orientation.RightTop), "turned.tif");

        Assert.Equal((32, 64), (image.Width, image.Height));
    }

    [Fact]
    public void The_header_alone_refuses_a_rare_picture_of_too_many_pixels()
    {
        var error = Assert.Throws<MediaRejectedException>(() => Decode(Encode(MagickFormat.Tiff), "picture.tif", new() { ImagePixels = 2000 }));

        Assert.Equal(RejectionCode.TooLarge, error.Code);
    }

    private static byte[] Encode(MagickFormat format, ImageMagick.Orientation orientation = Orientation.TopLeft)
    {
        using var image = new MagickImage(new MagickColor(200, 30, 90), 64, 32) { Format = format, Orientation = orientation };
        image.Settings.Compression = CompressionMethod.NoCompression;
        return image.ToByteArray();
    }

    private static DecodedImage Decode(byte[] bytes, string name, IngestLimits? limits = null)
    {
        using var data = SKData.CreateCopy(bytes);
        return ImageDecoder.Decode(data, MediaFormat.Recognise(bytes.AsSpan(0, Math.Min(bytes.Length, MediaFormat.HeadBytes)), name), [32], limits ?? new(), long.MaxValue);
    }
}
