// Pictures that SkiaSharp does not know (TIFF, HEIC, AVIF, JPEG 2000, JPEG XL, Targa, Netpbm, Photoshop…) or refuses though they
// are sound, by ImageMagick (Magick.NET, 8 bit). The format is always named, never guessed: ImageMagick also knows formats
// that read other files or run scripts. Its own limits stop it before it allocates.
using FeatureForge.Data;
using ImageMagick;
using SkiaSharp;

namespace FeatureForge.Ingest;

/// <summary>Pixels that turned up: RGB, interleaved, alpha over white; <paramref name="Origin"/> says how they are to be turned.</summary>
internal sealed record RarePicture(byte[] Rgb, int Width, int Height, int Channels, SKEncodedOrigin Origin);

internal static class RarePictureReader
{
    private static readonly Dictionary<string, MagickFormat[]> Formats = new()
    {
        ["image/tiff"] = [MagickFormat.Tiff],
        ["image/jp2"] = [MagickFormat.Jp2, MagickFormat.J2k],
        ["image/jxl"] = [MagickFormat.Jxl],
        ["image/heic"] = [MagickFormat.Heic],
        ["image/avif"] = [MagickFormat.Avif],
        ["image/x-icon"] = [MagickFormat.Ico],
        ["image/x-tga"] = [MagickFormat.Tga],
        ["image/x-portable-anymap"] = [MagickFormat.Pnm],
        ["image/vnd.adobe.photoshop"] = [MagickFormat.Psd],
        ["image/vnd-ms.dds"] = [MagickFormat.Dds],
        ["image/x-sgi"] = [MagickFormat.Sgi],
        ["image/x-pcx"] = [MagickFormat.Pcx],
        ["image/fits"] = [MagickFormat.Fits],
        ["image/x-xbitmap"] = [MagickFormat.Xbm],
        ["image/x-xpixmap"] = [MagickFormat.Xpm],
        ["image/qoi"] = [MagickFormat.Qoi],
        ["image/x-xcf"] = [MagickFormat.Xcf],
        ["image/x-exr"] = [MagickFormat.Exr],
        ["image/vnd.radiance"] = [MagickFormat.Hdr],
        ["image/x-sun-raster"] = [MagickFormat.Sun],
        ["image/bmp"] = [MagickFormat.Bmp],
        ["image/gif"] = [MagickFormat.Gif],
        ["image/png"] = [MagickFormat.Png],
        ["image/jpeg"] = [MagickFormat.Jpeg],
        ["image/webp"] = [MagickFormat.WebP],
    };

    /// <summary>Whether the native library loads on this machine.</summary>
    public static bool IsPresent { get; } = Prepare();

    /// <summary>For instance "ImageMagick 7.1.2-3 Q8".</summary>
    public static string Version => MagickNET.ImageMagickVersion;

    public static bool Knows(MediaFormat format) => Formats.ContainsKey(format.MediaType);

    /// <param name="mayWarn">Whether small damage that the library works around is let pass.</param>
    /// <exception cref="MediaRejectedException">The picture is bad, too large, or the library is missing.</exception>
    public static RarePicture Read(ReadOnlySpan<byte> bytes, MediaFormat format, IngestLimits limits, long workingBytes, bool mayWarn)
    {
        if (!IsPresent) throw new MediaRejectedException(RejectionCode.MissingDecoder, $"A {format.Name} picture needs ImageMagick's native library, which does not load on this machine. Convert the picture to PNG or JPEG.");
        MagickException? failure = null;
        foreach (var candidate in Formats[format.MediaType])
        {
            try
            {
                return Read(bytes, format, candidate, limits, workingBytes, mayWarn);
            }
            catch (MagickException error)
            {
                failure ??= error;
            }
        }
        throw Failure(failure!, format);
    }

    private static RarePicture Read(ReadOnlySpan<byte> bytes, MediaFormat format, MagickFormat named, IngestLimits limits, long workingBytes, bool mayWarn)
    {
        var settings = new MagickReadSettings { Format = named, FrameIndex = 0, FrameCount = 1 };
        // A Photoshop file's first frame is the picture as it was saved, an icon's frames are sizes of the same picture.
        if (named is MagickFormat.Ico) (settings.FrameIndex, settings.FrameCount) = (null, null);
        var header = Largest(bytes, settings);
        if (header.Width == 0 || header.Height == 0) throw new MediaRejectedException(RejectionCode.Empty, $"The picture is {header.Width}x{header.Height} pixels.");
        if ((long)header.Width * header.Height > limits.ImagePixels)
            throw new MediaRejectedException(RejectionCode.TooLarge, $"The picture is {header.Width}x{header.Height} pixels, {(long)header.Width * header.Height} in all; the limit is {limits.ImagePixels}.");
        // Five bytes a pixel inside (with room for a palette or a mask), three as they come out.
        if ((long)header.Width * header.Height * 8 > workingBytes) throw new TooBigForNowException();

        (settings.FrameIndex, settings.FrameCount) = (header.Frame, 1);
        var warnings = new List<string>();
        using var image = new MagickImage();
        image.Warning += (_, warning) => warnings.Add(warning.Message);
        image.Read(bytes, settings);
        if (image.Width == 0 || image.Height == 0) throw new MediaRejectedException(RejectionCode.Malformed, $"The {format.Name} header declares {header.Width}x{header.Height} pixels; decoding gave none.");
        if (warnings.FirstOrDefault(IsCutOff) is { } cut) throw new MediaRejectedException(RejectionCode.Truncated, $"The {format.Name} picture is cut off: {Tidy(cut)}");
        if (!mayWarn && warnings.Count > 0) throw new MediaRejectedException(RejectionCode.Malformed, $"The {format.Name} picture is damaged: {Tidy(warnings[0])}");
        var origin = (SKEncodedOrigin)(int)image.Orientation is >= SKEncodedOrigin.TopLeft and <= SKEncodedOrigin.LeftBottom and var known ? known : SKEncodedOrigin.TopLeft;
        // A HEIC or AVIF container turns its pictures itself; the EXIF orientation beside it counts no more.
        if (named is MagickFormat.Heic or MagickFormat.Avif or MagickFormat.Jxl) origin = SKEncodedOrigin.TopLeft;
        var channels = image.HasAlpha ? 4 : image.ColorSpace is ColorSpace.Gray or ColorSpace.LinearGray ? 1 : 3;
        if (image.GetColorProfile() is { } profile) image.TransformColorSpace(profile, ColorProfiles.SRGB);
        else if (image.ColorSpace is not (ColorSpace.sRGB or ColorSpace.Gray)) image.ColorSpace = ColorSpace.sRGB;
        if (image.HasAlpha)
        {
            image.BackgroundColor = MagickColors.White;
            image.Alpha(AlphaAction.Remove);
        }
        image.ColorSpace = ColorSpace.sRGB;
        using var pixels = image.GetPixelsUnsafe();
        var rgb = pixels.ToByteArray(PixelMapping.RGB) ?? throw new MediaRejectedException(RejectionCode.Malformed, $"The {format.Name} picture holds no pixels.");
        return new(rgb, (int)image.Width, (int)image.Height, channels, origin);
    }

    // The size from the header alone; of an icon's pictures the largest.
    private static (uint Width, uint Height, uint Frame) Largest(ReadOnlySpan<byte> bytes, MagickReadSettings settings)
    {
        if (settings.FrameIndex != null)
        {
            using var one = new MagickImage();
            one.Ping(bytes, settings);
            return (one.Width, one.Height, 0);
        }
        using var frames = new MagickImageCollection();
        frames.Ping(bytes, settings);
        if (frames.Count == 0) return default;
        var best = Enumerable.Range(0, frames.Count).MaxBy(frame => (long)frames[frame].Width * frames[frame].Height);
        return (frames[best].Width, frames[best].Height, (uint)best);
    }

    private static bool IsCutOff(string message) =>
        new[] { "end of file", "endoffile", "EOF", "truncat", "premature", "not enough data", "insufficient image data", "incomplete", "Read error on strip", "Read error at scanline", "inconsistent with stream length", "outside of file bounds", "unable to read image data", "UnableToReadImageData" }
            .Any(sign => message.Contains(sign, StringComparison.OrdinalIgnoreCase));

    private static MediaRejectedException Failure(MagickException error, MediaFormat format)
    {
        var said = Tidy(error.Message);
        var code = error switch
        {
            _ when IsCutOff(error.Message) => RejectionCode.Truncated,
            MagickResourceLimitErrorException => RejectionCode.TooLarge,
            MagickMissingDelegateErrorException => RejectionCode.UnsupportedFeature,
            _ when error.Message.Contains("not supported", StringComparison.OrdinalIgnoreCase) || error.Message.Contains("unsupported", StringComparison.OrdinalIgnoreCase) => RejectionCode.UnsupportedFeature,
            _ => RejectionCode.Malformed,
        };
        return new(code, code == RejectionCode.UnsupportedFeature
            ? $"The {format.Name} picture uses a feature that no decoder here takes ({said}). Convert it to PNG or JPEG."
            : $"The {format.Name} picture cannot be decoded: {said}");
    }

    // "improper image header `' @ error/tiff.c/ReadTIFFImage/1234" without the place in the library's source.
    private static string Tidy(string message) => message.Split('@')[0].Split('\n')[0].Replace("`'", "", StringComparison.Ordinal).Trim();

    private static bool Prepare()
    {
        try
        {
            ResourceLimits.Thread = 1;
            ResourceLimits.Disk = 0;
            ResourceLimits.Memory = 1UL << 30;
            ResourceLimits.MaxMemoryRequest = 1UL << 30;
            ResourceLimits.ListLength = 256;
            return true;
        }
        catch (Exception error) when (error is TypeInitializationException or DllNotFoundException or BadImageFormatException or EntryPointNotFoundException)
        {
            return false;
        }
    }
}
