// Squeezes pictures to a square with a triangle filter whose width grows with the reduction (antialiased bilinear): every
// source pixel counts, and the result is the same on every machine. Same size in, same pixels out.
using SkiaSharp;

namespace FeatureForge.Ingest;

internal static class ImageScaling
{
    /// <param name="rgb">[height, width, 3], interleaved.</param>
    /// <returns>[3, size, size], channel first.</returns>
    public static byte[] Squeeze(ReadOnlySpan<byte> rgb, int width, int height, int size)
    {
        var across = Weights(width, size);
        var down = Weights(height, size);
        // Every source row is squeezed across once and added to the few output rows that it belongs to.
        var sums = new float[size * size * 3]; // [size, size, 3]
        var row = new float[size * 3];
        var firstOpen = 0;
        for (var y = 0; y < height; y++)
        {
            SqueezeRow(rgb.Slice(y * width * 3, width * 3), across, row);
            while (firstOpen < size && down[firstOpen].First + down[firstOpen].Weights.Length <= y) firstOpen++;
            for (var i = firstOpen; i < size && down[i].First <= y; i++)
            {
                var at = y - down[i].First;
                if (at >= down[i].Weights.Length) continue;
                var weight = down[i].Weights[at];
                var target = sums.AsSpan(i * row.Length, row.Length);
                for (var x = 0; x < row.Length; x++) target[x] += weight * row[x];
            }
        }

        var planar = new byte[3 * size * size];
        for (var pixel = 0; pixel < size * size; pixel++)
        {
            for (var c = 0; c < 3; c++) planar[c * size * size + pixel] = (byte)Math.Clamp((int)MathF.Round(sums[pixel * 3 + c]), 0, 255);
        }
        return planar;
    }

    private static void SqueezeRow(ReadOnlySpan<byte> line, (int First, float[] Weights)[] across, float[] row)
    {
        for (var x = 0; x < across.Length; x++)
        {
            var (first, weights) = across[x];
            float r = 0, g = 0, b = 0;
            for (int i = 0, at = first * 3; i < weights.Length; i++, at += 3)
            {
                r += weights[i] * line[at];
                g += weights[i] * line[at + 1];
                b += weights[i] * line[at + 2];
            }
            (row[x * 3], row[x * 3 + 1], row[x * 3 + 2]) = (r, g, b);
        }
    }

    /// <summary>Turns and mirrors a square as the EXIF orientation says.</summary>
    public static byte[] Upright(byte[] planar, int size, SKEncodedOrigin origin)
    {
        if (origin is SKEncodedOrigin.TopLeft or SKEncodedOrigin.Default) return planar;
        var turned = new byte[planar.Length];
        for (var y = 0; y < size; y++)
        {
            for (var x = 0; x < size; x++)
            {
                var (fromX, fromY) = Source(x, y, size - 1, origin);
                for (var c = 0; c < 3; c++) turned[(c * size + y) * size + x] = planar[(c * size + fromY) * size + fromX];
            }
        }
        return turned;
    }

    private static (int X, int Y) Source(int x, int y, int last, SKEncodedOrigin origin) => origin switch
    {
        SKEncodedOrigin.TopRight => (last - x, y),
        SKEncodedOrigin.BottomRight => (last - x, last - y),
        SKEncodedOrigin.BottomLeft => (x, last - y),
        SKEncodedOrigin.LeftTop => (y, x),
        SKEncodedOrigin.RightTop => (y, last - x),
        SKEncodedOrigin.RightBottom => (last - y, last - x),
        SKEncodedOrigin.LeftBottom => (last - y, x),
        _ => (x, y),
    };

    private static (int First, float[] Weights)[] Weights(int from, int to)
    {
        var scale = (double)from / to;
        var reach = Math.Max(1, scale);
        var result = new (int, float[])[to];
        for (var i = 0; i < to; i++)
        {
            var centre = (i + 0.5) * scale;
            var first = Math.Max(0, (int)(centre - reach + 0.5));
            var end = Math.Min(from, (int)(centre + reach + 0.5));
            var weights = new double[Math.Max(1, end - first)];
            for (var j = 0; j < weights.Length; j++) weights[j] = Math.Max(0, 1 - Math.Abs((first + j + 0.5 - centre) / reach));
            var sum = weights.Sum();
            result[i] = (first, [.. weights.Select(weight => (float)(sum > 0 ? weight / sum : 1.0 / weights.Length))]);
        }
        return result;
    }
}
