// Issue scores of a picture: too dark, too bright, hardly anything to see.
namespace FeatureForge.Ingest;

internal static class ImageQuality
{
    /// <summary>
    /// In [0,1], higher is worse. darkness: 1 - the 95th percentile of luminance. brightness: the 5th percentile.
    /// low_information: 1 - the entropy of luminance over its possible 8 bits.
    /// </summary>
    /// <param name="rgb">Interleaved.</param>
    public static IReadOnlyDictionary<string, float> Of(ReadOnlySpan<byte> rgb)
    {
        var histogram = new long[256];
        for (var i = 0; i < rgb.Length; i += 3) histogram[(rgb[i] * 77 + rgb[i + 1] * 150 + rgb[i + 2] * 29) >> 8]++;
        var pixels = rgb.Length / 3;
        return new Dictionary<string, float>
        {
            ["darkness"] = 1 - Percentile(histogram, pixels, 0.95) / 255f,
            ["brightness"] = Percentile(histogram, pixels, 0.05) / 255f,
            ["low_information"] = 1 - Entropy(histogram, pixels) / 8,
        };
    }

    private static int Percentile(long[] histogram, long pixels, double share)
    {
        var below = 0L;
        for (var level = 0; level < 256; level++)
        {
            below += histogram[level];
            if (below >= pixels * share) return level;
        }
        return 255;
    }

    private static float Entropy(long[] histogram, long pixels)
    {
        var bits = 0.0;
        foreach (var count in histogram)
        {
            if (count > 0) bits -= (double)count / pixels * Math.Log2((double)count / pixels);
        }
        return (float)bits;
    }
}
