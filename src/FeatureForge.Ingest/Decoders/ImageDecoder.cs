// Pictures by SkiaSharp's SKCodec, which says when a file is cut off. JPEG and WebP are decoded at a reduced size when
// only a small form is wanted; all bytes of the file are read all the same.
using FeatureForge.Data;
using SkiaSharp;

namespace FeatureForge.Ingest;

/// <summary>A decoded picture. <paramref name="Width"/> and <paramref name="Height"/> are the source's, upright; forms are [3, S, S] by S.</summary>
internal sealed record DecodedImage(int Width, int Height, int Channels, IReadOnlyDictionary<int, byte[]> Forms, Measured Quality);

internal static class ImageDecoder
{
    // Scores and signatures must not depend on the forms that happen to be wanted.
    private const int LeastSide = 64;

    /// <param name="sizes">Sides in pixels of the prepared forms to make.</param>
    /// <param name="workingBytes">Most memory that decoding may take; above it a <see cref="TooBigForNowException"/> is thrown.</param>
    /// <exception cref="MediaRejectedException">The picture is bad.</exception>
    public static DecodedImage Decode(SKData data, MediaFormat format, IReadOnlyList<int> sizes, IngestLimits limits, long workingBytes)
    {
        var (rgb, width, height, origin, info) = Read(data, format, sizes.Count == 0 ? int.MaxValue : Math.Max(LeastSide, sizes.Max()), limits, workingBytes);
        var channels = info.ColorType == SKColorType.Gray8 ? 1 : info.AlphaType == SKAlphaType.Opaque ? 3 : 4;
        var isTurned = (int)origin >= 5;
        var forms = sizes.ToDictionary(size => size, size => ImageScaling.Upright(ImageScaling.Squeeze(rgb, width, height, size), size, origin));
        return new(isTurned ? info.Height : info.Width, isTurned ? info.Width : info.Height, channels, forms, ImageQuality.Of(rgb, width, height, info.Width, info.Height, origin));
    }

    /// <summary>RGB pixels as stored (not turned upright), of both sides at least <paramref name="size"/> where the source has that many.</summary>
    public static (byte[] Rgb, int Width, int Height, SKEncodedOrigin Origin, SKImageInfo Info) Read(SKData data, MediaFormat format, int size, IngestLimits limits, long workingBytes)
    {
        using var codec = Open(data, format);
        var full = codec.Info;
        if (full.Width <= 0 || full.Height <= 0) throw new MediaRejectedException(RejectionCode.Empty, $"The picture is {full.Width}x{full.Height} pixels.");
        if ((long)full.Width * full.Height > limits.ImagePixels)
            throw new MediaRejectedException(RejectionCode.TooLarge, $"The picture is {full.Width}x{full.Height} pixels, {(long)full.Width * full.Height} in all; the limit is {limits.ImagePixels}.");
        var reduced = Reduced(codec, size);
        if ((long)reduced.Width * reduced.Height * 4 > workingBytes) throw new TooBigForNowException();
        return (Pixels(codec, reduced.Width, reduced.Height), reduced.Width, reduced.Height, codec.EncodedOrigin, full);
    }

    private static SKCodec Open(SKData data, MediaFormat format)
    {
        if (format.MediaType is not ("image/jpeg" or "image/png" or "image/gif" or "image/webp" or "image/bmp"))
            throw new MediaRejectedException(RejectionCode.UnsupportedFormat, $"The picture's format is {format.Name}; expected JPEG, PNG, WebP, GIF or BMP. Convert it first.");
        return SKCodec.Create(data) ?? throw new MediaRejectedException(RejectionCode.Malformed, $"The bytes are no readable {format.Name} picture.");
    }

    // Twice the wanted size keeps the final scaling sharp.
    private static SKSizeI Reduced(SKCodec codec, int size)
    {
        var full = codec.Info.Size;
        var scale = 2f * size / Math.Min(full.Width, full.Height);
        if (scale >= 1) return full;
        var reduced = codec.GetScaledDimensions(scale);
        return reduced.Width >= size && reduced.Height >= size ? reduced : full;
    }

    // RGB, interleaved, alpha over white.
    private static byte[] Pixels(SKCodec codec, int width, int height)
    {
        var info = new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Premul, SKColorSpace.CreateSrgb());
        using var bitmap = new SKBitmap();
        if (!bitmap.TryAllocPixels(info)) throw new MediaRejectedException(RejectionCode.TooLarge, $"No memory for {width}x{height} pixels.");
        var result = codec.GetPixels(info, bitmap.GetPixels());
        if (result != SKCodecResult.Success) throw Failure(result);

        var rgba = bitmap.GetPixelSpan();
        var rgb = new byte[width * height * 3];
        for (int from = 0, to = 0; to < rgb.Length; from += 4, to += 3)
        {
            var white = 255 - rgba[from + 3];
            rgb[to] = (byte)(rgba[from] + white);
            rgb[to + 1] = (byte)(rgba[from + 1] + white);
            rgb[to + 2] = (byte)(rgba[from + 2] + white);
        }
        return rgb;
    }

    private static MediaRejectedException Failure(SKCodecResult result) => result switch
    {
        SKCodecResult.IncompleteInput => new(RejectionCode.Truncated, "The picture is cut off: its bytes end before its last row."),
        SKCodecResult.Unimplemented or SKCodecResult.InvalidConversion => new(RejectionCode.UnsupportedFeature, "The picture uses a feature of its format that no decoder here takes. Convert it first."),
        _ => new(RejectionCode.Malformed, $"The picture's bytes contradict its format ({result})."),
    };
}
