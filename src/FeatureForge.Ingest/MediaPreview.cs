// What the dashboard shows of an item: a small picture, or sound that every browser plays.
using FeatureForge.Data;
using SkiaSharp;

namespace FeatureForge.Ingest;

/// <summary>A file made for a browser.</summary>
public sealed record PreviewFile(byte[] Bytes, string MediaType);

/// <summary>Previews from item rows read with their content (or by reference, from their files).</summary>
public static class MediaPreview
{
    private const int SmallSide = 64;
    private const int HighestRate = 48000;

    /// <summary>A picture that fits a square of <paramref name="side"/> pixels; never larger than the source. PNG when small, else JPEG. Null when the item is no image or cannot be decoded now.</summary>
    public static PreviewFile? Thumbnail(ItemRow row, int side)
    {
        if (row.Modality != Modality.Image) return null;
        try
        {
            using var upright = Upright(row, side);
            var scale = Math.Min(1f, (float)side / Math.Max(upright.Width, upright.Height));
            var info = new SKImageInfo(Math.Max(1, (int)MathF.Round(upright.Width * scale)), Math.Max(1, (int)MathF.Round(upright.Height * scale)), SKColorType.Rgba8888, SKAlphaType.Opaque);
            using var small = upright.Resize(info, new SKSamplingOptions(SKFilterMode.Linear, SKMipmapMode.Linear));
            var asPng = Math.Max(info.Width, info.Height) <= SmallSide;
            using var data = small.Encode(asPng ? SKEncodedImageFormat.Png : SKEncodedImageFormat.Jpeg, 85);
            return new(data.ToArray(), asPng ? "image/png" : "image/jpeg");
        }
        catch (Exception error) when (IsGone(error))
        {
            return null;
        }
    }

    /// <summary>Mono 16-bit WAV of the item's sound at its own rate (at most 48 kHz), cut after <paramref name="mostSeconds"/>. Null when the item is no audio or cannot be decoded now.</summary>
    public static PreviewFile? Wave(ItemRow row, double mostSeconds, CancellationToken stop)
    {
        if (row.Modality != Modality.Audio) return null;
        var scratch = Path.Combine(Path.GetTempPath(), $"featureforge-preview-{Guid.NewGuid():N}");
        try
        {
            var rate = Math.Clamp(row.SampleRate ?? HighestRate, 1000, HighestRate);
            var audio = StoredItem.Audio(row, rate, scratch, stop);
            var samples = audio.Samples.AsSpan(0, (int)Math.Min(audio.Samples.Length, mostSeconds * rate));
            return new(WaveFile.Of(samples, rate), "audio/wav");
        }
        catch (Exception error) when (IsGone(error))
        {
            return null;
        }
        finally
        {
            if (Directory.Exists(scratch)) Directory.Delete(scratch, recursive: true);
        }
    }

    private static bool IsGone(Exception error) => error is MediaRejectedException or IOException or UnauthorizedAccessException;

    private static SKBitmap Upright(ItemRow row, int side)
    {
        var pixels = StoredItem.Rgb(row, side);
        var rgb = pixels.Rgb.Span;
        var (width, height, origin) = (pixels.Width, pixels.Height, pixels.Origin);
        using var bitmap = new SKBitmap(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        var rgba = new byte[width * height * 4];
        for (int from = 0, to = 0; from < rgb.Length; from += 3, to += 4) (rgba[to], rgba[to + 1], rgba[to + 2], rgba[to + 3]) = (rgb[from], rgb[from + 1], rgb[from + 2], 255);
        System.Runtime.InteropServices.Marshal.Copy(rgba, 0, bitmap.GetPixels(), rgba.Length);

        var isTurned = (int)origin >= 5;
        var upright = new SKBitmap(new SKImageInfo(isTurned ? height : width, isTurned ? width : height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        using var canvas = new SKCanvas(upright);
        canvas.SetMatrix(Turn(origin, upright.Width, upright.Height));
        canvas.DrawBitmap(bitmap, 0, 0);
        return upright;
    }

    // From stored to upright pixels, as EXIF numbers the eight orientations.
    private static SKMatrix Turn(SKEncodedOrigin origin, int width, int height) => origin switch
    {
        SKEncodedOrigin.TopRight => new(-1, 0, width, 0, 1, 0, 0, 0, 1),
        SKEncodedOrigin.BottomRight => new(-1, 0, width, 0, -1, height, 0, 0, 1),
        SKEncodedOrigin.BottomLeft => new(1, 0, 0, 0, -1, height, 0, 0, 1),
        SKEncodedOrigin.LeftTop => new(0, 1, 0, 1, 0, 0, 0, 0, 1),
        SKEncodedOrigin.RightTop => new(0, -1, width, 1, 0, 0, 0, 0, 1),
        SKEncodedOrigin.RightBottom => new(0, -1, width, -1, 0, height, 0, 0, 1),
        SKEncodedOrigin.LeftBottom => new(0, 1, 0, -1, 0, height, 0, 0, 1),
        _ => SKMatrix.Identity,
    };
}
