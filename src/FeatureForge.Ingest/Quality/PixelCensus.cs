// One pass over a picture's pixels: how bright, how colourful, and a small copy of it for everything that looks at shapes.
// Pictures of more than half a million pixels are sampled on a regular grid: at least 130,000 pixels tell the same.
namespace FeatureForge.Ingest;

internal sealed class PixelCensus
{
    private const int ThumbnailSide = 64;
    private const long MostPixels = 1 << 17;
    private const int GreySpread = 8;

    private PixelCensus(int width, int height) => (Width, Height, Thumbnail) = (width, height, new float[width * height * 3]);

    /// <summary>Pixels by luma, 0 to 255.</summary>
    public long[] Luma { get; } = new long[256];
    public long Pixels { get; private set; }
    /// <summary>Pixels whose channels differ by 8 levels at most.</summary>
    public long GreyPixels { get; private set; }
    /// <summary>Of the thumbnail: the picture's own shape, the longer side at most 64 pixels.</summary>
    public int Width { get; }
    public int Height { get; }
    /// <summary>[height, width, 3], 0 to 255, each the mean of the area that it stands for.</summary>
    public float[] Thumbnail { get; }

    /// <param name="rgb">[height, width, 3], interleaved.</param>
    public static PixelCensus Of(ReadOnlySpan<byte> rgb, int width, int height)
    {
        var step = Math.Max(1, (int)Math.Sqrt((double)width * height / MostPixels));
        var (columns, rows) = ((width + step - 1) / step, (height + step - 1) / step);
        var reduction = Math.Max(1.0, Math.Max(columns, rows) / (double)ThumbnailSide);
        var census = new PixelCensus(Math.Clamp((int)Math.Round(columns / reduction), 1, ThumbnailSide), Math.Clamp((int)Math.Round(rows / reduction), 1, ThumbnailSide));
        census.Count(rgb, width, step, AreaShares.Of(columns, census.Width), AreaShares.Of(rows, census.Height));
        return census;
    }

    private void Count(ReadOnlySpan<byte> rgb, int width, int step, AreaShares across, AreaShares down)
    {
        var line = new float[Width * 3];
        for (var row = 0; row < down.First.Length; row++)
        {
            CountRow(rgb.Slice(row * step * width * 3, width * 3), step, across, line);
            AddScaled(line, down.First[row], down.Share[row] * down.Scale);
            if (down.Share[row] < 1) AddScaled(line, down.First[row] + 1, (1 - down.Share[row]) * down.Scale);
        }
    }

    private void CountRow(ReadOnlySpan<byte> pixels, int step, AreaShares across, float[] line)
    {
        Array.Clear(line);
        var luma = Luma;
        var grey = 0;
        for (int x = 0, at = 0; x < across.First.Length; x++, at += 3 * step)
        {
            int r = pixels[at], g = pixels[at + 1], b = pixels[at + 2];
            luma[(r * 77 + g * 150 + b * 29) >> 8]++;
            if (Math.Max(Math.Max(r, g), b) - Math.Min(Math.Min(r, g), b) <= GreySpread) grey++;
            var (cell, share) = (across.First[x] * 3, across.Share[x]);
            line[cell] += share * r;
            line[cell + 1] += share * g;
            line[cell + 2] += share * b;
            if (share >= 1) continue;
            line[cell + 3] += (1 - share) * r;
            line[cell + 4] += (1 - share) * g;
            line[cell + 5] += (1 - share) * b;
        }
        for (var i = 0; i < line.Length; i++) line[i] *= across.Scale;
        GreyPixels += grey;
        Pixels += across.First.Length;
    }

    private void AddScaled(float[] line, int row, float weight)
    {
        var target = Thumbnail.AsSpan(row * line.Length, line.Length);
        for (var i = 0; i < target.Length; i++) target[i] += weight * line[i];
    }
}

/// <summary>How source pixels in a row fall into fewer or equally many cells: each into one, or shared by two neighbours.</summary>
/// <param name="First">The first cell of each pixel.</param>
/// <param name="Share">How much of the pixel falls into it; the rest falls into the next.</param>
/// <param name="Scale">Cells per pixel: turns sums into means.</param>
internal sealed record AreaShares(int[] First, float[] Share, float Scale)
{
    public static AreaShares Of(int pixels, int cells)
    {
        var (first, share) = (new int[pixels], new float[pixels]);
        for (var i = 0; i < pixels; i++)
        {
            // In whole numbers, so that no rounding puts a pixel outside.
            var (from, to) = ((long)i * cells, (long)(i + 1) * cells);
            first[i] = (int)(from / pixels);
            var boundary = (long)(first[i] + 1) * pixels;
            share[i] = boundary >= to ? 1 : (float)(boundary - from) / cells;
        }
        return new(first, share, (float)cells / pixels);
    }
}
