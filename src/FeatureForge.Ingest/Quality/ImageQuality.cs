// Issue scores of a picture. The definitions follow those that cleanvision publishes (percentiles of brightness, entropy,
// spread of an edge image at 64 pixels, side ratio), turned round so that higher is always worse.
namespace FeatureForge.Ingest;

internal static class ImageQuality
{
    private const double EdgeScale = 0.01;
    private const double LeastContrast = 0.18;
    private const double SmallestSide = 64;
    private const double LargestSide = 4096;
    private const double OctavesToWorst = 3;

    /// <summary>Scores in [0,1], higher is worse, and the picture's signature.</summary>
    /// <param name="rgb">Interleaved; may be a reduced picture.</param>
    /// <param name="sourceWidth">Pixels of the source; its shape and size are judged by them.</param>
    /// <param name="turn">Turns the stored picture upright, so that a copy saved upright has the same signature.</param>
    public static Measured Of(ReadOnlySpan<byte> rgb, int width, int height, int sourceWidth, int sourceHeight, SkiaSharp.SKEncodedOrigin turn = SkiaSharp.SKEncodedOrigin.TopLeft)
    {
        var census = PixelCensus.Of(rgb, width, height);
        var scores = new Dictionary<string, float>
        {
            ["blur"] = Blur(census),
            ["darkness"] = 1 - Percentile(census, 0.99) / 255f,
            ["brightness"] = Percentile(census, 0.05) / 255f,
            ["low_information"] = 1 - Entropy(census) / 8,
            ["odd_aspect"] = 1 - (float)Math.Min(sourceWidth, sourceHeight) / Math.Max(sourceWidth, sourceHeight),
            ["odd_size"] = OddSize(Math.Sqrt((double)sourceWidth * sourceHeight)),
            ["grayscale"] = (float)census.GreyPixels / census.Pixels,
        };
        return new(scores, ImageSignature.Of(census, turn));
    }

    // Edges say how sharp it is, contrast how much there could be; a picture without contrast is not called sharp for its noise.
    private static float Blur(PixelCensus census)
    {
        var luma = new float[census.Width * census.Height];
        for (var i = 0; i < luma.Length; i++) luma[i] = 0.299f * census.Thumbnail[3 * i] + 0.587f * census.Thumbnail[3 * i + 1] + 0.114f * census.Thumbnail[3 * i + 2];
        var contrast = 1 - Math.Exp(-EdgeScale * Deviation(luma));
        var sharpness = 1 - Math.Exp(-EdgeScale * Deviation(Edges(luma, census.Width, census.Height)));
        return (float)(1 - Math.Min(1, sharpness + (contrast <= LeastContrast ? 0 : contrast)));
    }

    // Eight times the pixel less its neighbours, within 0 and 255; the margin stays as it is.
    private static float[] Edges(float[] luma, int width, int height)
    {
        var edges = luma.ToArray();
        for (var y = 1; y < height - 1; y++)
        {
            for (var x = 1; x < width - 1; x++)
            {
                var at = y * width + x;
                var around = luma[at - width - 1] + luma[at - width] + luma[at - width + 1] + luma[at - 1] + luma[at + 1] + luma[at + width - 1] + luma[at + width] + luma[at + width + 1];
                edges[at] = Math.Clamp(8 * luma[at] - around, 0, 255);
            }
        }
        return edges;
    }

    private static double Deviation(float[] values)
    {
        var (sum, squares) = (0.0, 0.0);
        foreach (var value in values)
        {
            sum += value;
            squares += (double)value * value;
        }
        var mean = sum / values.Length;
        return Math.Sqrt(Math.Max(0, squares / values.Length - mean * mean));
    }

    private static float OddSize(double side)
    {
        var octaves = side < SmallestSide ? Math.Log2(SmallestSide / side) : side > LargestSide ? Math.Log2(side / LargestSide) : 0;
        return (float)Math.Min(1, octaves / OctavesToWorst);
    }

    private static int Percentile(PixelCensus census, double share)
    {
        var below = 0L;
        for (var level = 0; level < 256; level++)
        {
            below += census.Luma[level];
            if (below >= census.Pixels * share) return level;
        }
        return 255;
    }

    private static float Entropy(PixelCensus census)
    {
        var bits = 0.0;
        foreach (var count in census.Luma)
        {
            if (count > 0) bits -= (double)count / census.Pixels * Math.Log2((double)count / census.Pixels);
        }
        return (float)bits;
    }
}
