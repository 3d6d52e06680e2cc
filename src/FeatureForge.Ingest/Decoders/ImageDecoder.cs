// Pictures by SkiaSharp's SKCodec, which says when a file is cut off; rarer formats by RarePictureReader. JPEG and WebP are decoded
// at a reduced size when only a small form is wanted; all bytes of the file are read all the same.
using FeatureForge.Data;
using SkiaSharp;

namespace FeatureForge.Ingest;

/// <summary>A decoded picture. <paramref name="Width"/> and <paramref name="Height"/> are the source's, upright; forms are [3, S, S] by S.</summary>
internal sealed record DecodedImage(int Width, int Height, int Channels, IReadOnlyDictionary<int, byte[]> Forms, Measured Quality);

/// <summary>RGB, interleaved, alpha over white, as stored (not turned upright). Source size in pixels, as stored too.</summary>
internal sealed record DecodedPixels(ReadOnlyMemory<byte> Rgb, int Width, int Height, SKEncodedOrigin Origin, int SourceWidth, int SourceHeight, int Channels);

internal static class ImageDecoder
{
    // Scores and signatures must not depend on the forms that happen to be wanted.
    private const int LeastSide = 64;

    /// <param name="sizes">Sides in pixels of the prepared forms to make.</param>
    /// <param name="workingBytes">Most memory that decoding may take; above it a <see cref="TooBigForNowException"/> is thrown.</param>
    /// <exception cref="MediaRejectedException">The picture is bad.</exception>
    public static DecodedImage Decode(SKData data, MediaFormat format, IReadOnlyList<int> sizes, IngestLimits limits, long workingBytes, bool measures = true)
    {
        var pixels = Read(data, format, sizes.Count == 0 ? int.MaxValue : Math.Max(LeastSide, sizes.Max()), limits, workingBytes);
        var isTurned = (int)pixels.Origin >= 5;
        var rgb = pixels.Rgb.Span;
        var forms = new Dictionary<int, byte[]>();
        foreach (var size in sizes) forms[size] = ImageScaling.Upright(ImageScaling.Squeeze(rgb, pixels.Width, pixels.Height, size), size, pixels.Origin);
        return new(isTurned ? pixels.SourceHeight : pixels.SourceWidth, isTurned ? pixels.SourceWidth : pixels.SourceHeight, pixels.Channels, forms, !measures ? Measured.Nothing : ImageQuality.Of(rgb, pixels.Width, pixels.Height, pixels.SourceWidth, pixels.SourceHeight, pixels.Origin));
    }

    /// <summary>Pixels of both sides at least <paramref name="size"/> where the source has that many.</summary>
    public static DecodedPixels Read(SKData data, MediaFormat format, int size, IngestLimits limits, long workingBytes)
    {
        if (!IsForSkia(format))
        {
            return RarePictureReader.Knows(format) ? Rare(data, format, limits, workingBytes)
                : throw new MediaRejectedException(RejectionCode.UnsupportedFormat, $"No decoder here takes a {format.Name}. Convert it to PNG or JPEG first.");
        }
        try
        {
            return BySkia(data, format, size, limits, workingBytes);
        }
        // Skia is strict about features that others take (odd bit depths, JPEG variants): a second opinion, but no patience with damage.
        catch (MediaRejectedException error) when (error.Code is RejectionCode.Malformed or RejectionCode.UnsupportedFeature && RarePictureReader.Knows(format) && RarePictureReader.IsPresent)
        {
            try { return Rare(data, format, limits, workingBytes, mayWarn: false); }
            catch (MediaRejectedException second) when (second.Code is RejectionCode.Malformed) { throw error; }
        }
    }

    /// <summary>Which decoders this machine has, for people.</summary>
    public static string MadeWith => $"SkiaSharp {typeof(SKCodec).Assembly.GetName().Version}; {(RarePictureReader.IsPresent ? RarePictureReader.Version : "no ImageMagick")}";

    private static bool IsForSkia(MediaFormat format) => format.MediaType is "image/jpeg" or "image/png" or "image/gif" or "image/webp" or "image/bmp";

    private static DecodedPixels Rare(SKData data, MediaFormat format, IngestLimits limits, long workingBytes, bool mayWarn = true)
    {
        var picture = RarePictureReader.Read(data.AsSpan(), format, limits, workingBytes, mayWarn);
        return new(picture.Rgb, picture.Width, picture.Height, picture.Origin, picture.Width, picture.Height, picture.Channels);
    }

    private static DecodedPixels BySkia(SKData data, MediaFormat format, int size, IngestLimits limits, long workingBytes)
    {
        using var codec = SKCodec.Create(data) ?? throw new MediaRejectedException(RejectionCode.Malformed, $"The bytes are no readable {format.Name} picture.");
        var full = codec.Info;
        if (full.Width <= 0 || full.Height <= 0) throw new MediaRejectedException(RejectionCode.Empty, $"The picture is {full.Width}x{full.Height} pixels.");
        if ((long)full.Width * full.Height > limits.ImagePixels)
            throw new MediaRejectedException(RejectionCode.TooLarge, $"The picture is {full.Width}x{full.Height} pixels, {(long)full.Width * full.Height} in all; the limit is {limits.ImagePixels}. Scale it down, or raise the limit (--max-pixels).");
        var reduced = Reduced(codec, size);
        if ((long)reduced.Width * reduced.Height * 4 > workingBytes) throw new TooBigForNowException();
        var channels = full.ColorType == SKColorType.Gray8 ? 1 : full.AlphaType == SKAlphaType.Opaque ? 3 : 4;
        return new(Pixels(codec, reduced.Width, reduced.Height), reduced.Width, reduced.Height, codec.EncodedOrigin, full.Width, full.Height, channels);
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

    // Decoded as RGBA in sRGB, then packed to RGB in place: a picture at the limit takes four bytes a pixel, not seven.
    private static unsafe ReadOnlyMemory<byte> Pixels(SKCodec codec, int width, int height)
    {
        if ((long)width * height * 4 > Array.MaxLength) throw new MediaRejectedException(RejectionCode.TooLarge, $"The picture is {width}x{height} pixels; at most {Array.MaxLength / 4} fit in memory at once. Scale it down.");
        var info = new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Premul, SKColorSpace.CreateSrgb());
        var pixels = GC.AllocateUninitializedArray<byte>(width * height * 4);
        fixed (byte* start = pixels)
        {
            var result = codec.GetPixels(info, (nint)start);
            if (result != SKCodecResult.Success) throw Failure(result);
        }
        for (int from = 0, to = 0; from < pixels.Length; from += 4, to += 3)
        {
            var white = 255 - pixels[from + 3];
            (pixels[to], pixels[to + 1], pixels[to + 2]) = ((byte)(pixels[from] + white), (byte)(pixels[from + 1] + white), (byte)(pixels[from + 2] + white));
        }
        return pixels.AsMemory(0, width * height * 3);
    }

    private static MediaRejectedException Failure(SKCodecResult result) => result switch
    {
        SKCodecResult.IncompleteInput => new(RejectionCode.Truncated, "The picture is cut off: its bytes end before its last row."),
        SKCodecResult.Unimplemented or SKCodecResult.InvalidConversion => new(RejectionCode.UnsupportedFeature, "The picture uses a feature of its format that no decoder here takes. Convert it first."),
        _ => new(RejectionCode.Malformed, $"The picture's bytes contradict its format ({result})."),
    };
}
