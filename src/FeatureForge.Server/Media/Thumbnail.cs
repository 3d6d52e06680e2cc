// Small pictures: from the stored picture by Skia's scaled decoding, or from the prepared pixels.
using SkiaSharp;

namespace FeatureForge.Server;

/// <summary>Makes thumbnails. They keep the picture's shape and are never enlarged.</summary>
public static class Thumbnail
{
    /// <summary>A picture with more pixels is shown from its prepared form.</summary>
    private const long MaxPixels = 100_000_000;
    /// <summary>Pixels on the longer side up to which nothing may be lost.</summary>
    private const int LosslessSide = 128;

    /// <summary>The thumbnail of an encoded picture, or null when Skia cannot read it.</summary>
    /// <param name="size">Pixels on the longer side at most.</param>
    public static EncodedPicture? FromEncoded(byte[] bytes, int size)
    {
        using var data = SKData.CreateCopy(bytes);
        using var codec = SKCodec.Create(data);
        if (codec == null || (long)codec.Info.Width * codec.Info.Height > MaxPixels) return null;
        var scaled = codec.GetScaledDimensions(Math.Min(1f, 2f * size / Math.Max(codec.Info.Width, codec.Info.Height)));
        using var bitmap = new SKBitmap(new SKImageInfo(scaled.Width, scaled.Height, SKColorType.Rgba8888, SKAlphaType.Premul));
        // A cut-off picture shows as far as it goes.
        if (codec.GetPixels(bitmap.Info, bitmap.GetPixels()) is not (SKCodecResult.Success or SKCodecResult.IncompleteInput)) return null;
        return Draw(bitmap, codec.EncodedOrigin, codec.Info.Width, codec.Info.Height, size);
    }

    /// <summary>The thumbnail of prepared pixels, in the shape of their source.</summary>
    /// <param name="pixels">[3, side, side] uint8, channel first.</param>
    public static EncodedPicture FromPrepared(ReadOnlySpan<byte> pixels, int side, int sourceWidth, int sourceHeight, int size)
    {
        var interleaved = new byte[side * side * 4];
        for (var pixel = 0; pixel < side * side; pixel++)
        {
            for (var channel = 0; channel < 3; channel++) interleaved[pixel * 4 + channel] = pixels[channel * side * side + pixel];
            interleaved[pixel * 4 + 3] = 255;
        }
        var info = new SKImageInfo(side, side, SKColorType.Rgba8888, SKAlphaType.Opaque);
        using var data = SKData.CreateCopy(interleaved);
        using var image = SKImage.FromPixels(info, data, info.RowBytes);
        using var bitmap = SKBitmap.FromImage(image);
        return Draw(bitmap, SKEncodedOrigin.TopLeft, sourceWidth, sourceHeight, size);
    }

    private static EncodedPicture Draw(SKBitmap bitmap, SKEncodedOrigin origin, int width, int height, int size)
    {
        var scale = Math.Min(1f, (float)size / Math.Max(width, height));
        var (drawnWidth, drawnHeight) = (Math.Max(1, (int)(width * scale)), Math.Max(1, (int)(height * scale)));
        var turned = origin is SKEncodedOrigin.LeftTop or SKEncodedOrigin.RightTop or SKEncodedOrigin.RightBottom or SKEncodedOrigin.LeftBottom;
        using var surface = SKSurface.Create(new SKImageInfo(turned ? drawnHeight : drawnWidth, turned ? drawnWidth : drawnHeight, SKColorType.Rgba8888, SKAlphaType.Premul));
        surface.Canvas.Concat(Upright(origin, drawnWidth, drawnHeight));
        using var image = SKImage.FromBitmap(bitmap);
        surface.Canvas.DrawImage(image, new SKRect(0, 0, drawnWidth, drawnHeight), new SKSamplingOptions(SKFilterMode.Linear, SKMipmapMode.Linear));
        using var drawn = surface.Snapshot();
        var lossless = Math.Max(width, height) <= LosslessSide;
        using var encoded = drawn.Encode(lossless ? SKEncodedImageFormat.Png : SKEncodedImageFormat.Webp, 82);
        return new(encoded.ToArray(), lossless ? "image/png" : "image/webp");
    }

    // How EXIF says the camera was held.
    private static SKMatrix Upright(SKEncodedOrigin origin, float width, float height) => origin switch
    {
        SKEncodedOrigin.TopRight => new(-1, 0, width, 0, 1, 0, 0, 0, 1),
        SKEncodedOrigin.BottomRight => new(-1, 0, width, 0, -1, height, 0, 0, 1),
        SKEncodedOrigin.BottomLeft => new(1, 0, 0, 0, -1, height, 0, 0, 1),
        SKEncodedOrigin.LeftTop => new(0, 1, 0, 1, 0, 0, 0, 0, 1),
        SKEncodedOrigin.RightTop => new(0, -1, height, 1, 0, 0, 0, 0, 1),
        SKEncodedOrigin.RightBottom => new(0, -1, height, -1, 0, width, 0, 0, 1),
        SKEncodedOrigin.LeftBottom => new(0, 1, 0, -1, 0, width, 0, 0, 1),
        _ => SKMatrix.Identity,
    };
}

/// <summary>A small file ready to be sent.</summary>
public sealed record EncodedPicture(byte[] Bytes, string MediaType);
