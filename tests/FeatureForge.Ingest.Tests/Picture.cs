// Pictures for tests, encoded by SkiaSharp from a function of the pixel.
using SkiaSharp;

namespace FeatureForge.Ingest.Tests;

internal static class Picture
{
    public static byte[] Encode(int width, int height, Func<int, int, SKColor> colour, SKEncodedImageFormat format = SKEncodedImageFormat.Png)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(width, height, SKColorType.Rgba8888, colour(0, 0).Alpha == 255 ? SKAlphaType.Opaque : SKAlphaType.Unpremul));
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++) bitmap.SetPixel(x, y, colour(x, y));
        }
        using var data = bitmap.Encode(format, 95);
        return data.ToArray();
    }

    public static byte[] Gradient(int width, int height, int seed, SKEncodedImageFormat format = SKEncodedImageFormat.Png) =>
        Encode(width, height, (x, y) => new((byte)(x * 7 + seed), (byte)(y * 5), (byte)(seed * 13)), format);
}
