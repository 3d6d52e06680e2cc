// Pictures that are raw pixels already (IDX): to RGB and to prepared forms.
namespace FeatureForge.Ingest;

internal static class RawPixels
{
    public const string MediaType = "application/x-idx-ubyte";

    /// <param name="pixels">[height, width, channels]; 1 = grey, 3 = RGB, 4 = RGB and alpha (over white).</param>
    /// <returns>[height, width, 3].</returns>
    public static byte[] ToRgb(ReadOnlySpan<byte> pixels, int channels)
    {
        if (channels == 3) return pixels.ToArray();
        var rgb = new byte[pixels.Length / channels * 3];
        for (int from = 0, to = 0; to < rgb.Length; from += channels, to += 3)
        {
            for (var c = 0; c < 3; c++)
            {
                rgb[to + c] = channels == 1 ? pixels[from] : (byte)((pixels[from + c] * pixels[from + 3] + 255 * (255 - pixels[from + 3]) + 127) / 255);
            }
        }
        return rgb;
    }

    public static DecodedImage Decode(byte[] pixels, int width, int height, int channels, IReadOnlyList<int> sizes, bool measures = true)
    {
        var rgb = ToRgb(pixels, channels);
        return new(width, height, channels, sizes.ToDictionary(size => size, size => ImageScaling.Squeeze(rgb, width, height, size)), !measures ? Measured.Nothing : ImageQuality.Of(rgb, width, height, width, height));
    }
}
