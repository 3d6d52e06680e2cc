// What a prepared picture (RGB, 8 bit, channel first) looks like, in a few numbers and a colour word.
namespace FeatureForge.Clustering;

internal static class PictureAxes
{
    internal static IReadOnlyList<Axis> All { get; } = [new("dark", "bright"), new("flat", "contrasty"), new("smooth", "detailed"), new("pale", "colourful"),
        new("bottom-heavy", "top-heavy"), new("open centre", "filled centre"), new("upright lines", "level lines")];

    /// <summary>One value per axis.</summary>
    internal static float[] Measure(ReadOnlySpan<byte> pixels, int size)
    {
        var plane = size * size;
        double sum = 0, squares = 0, colour = 0, top = 0, centre = 0, across = 0, down = 0;
        int centreCount = 0;
        for (var i = 0; i < plane; i++)
        {
            var (red, green, blue) = (pixels[i], pixels[plane + i], pixels[2 * plane + i]);
            var light = 0.299 * red + 0.587 * green + 0.114 * blue;
            sum += light;
            squares += light * light;
            colour += Math.Max(red, Math.Max(green, blue)) - Math.Min(red, Math.Min(green, blue));
            var (x, y) = (i % size, i / size);
            top += y * 2 < size ? light : -light;
            if (x * 4 >= size && x * 4 < 3 * size && y * 4 >= size && y * 4 < 3 * size)
            {
                centre += light;
                centreCount++;
            }
            if (x > 0) across += Math.Abs(pixels[plane + i] - pixels[plane + i - 1]);
            if (y > 0) down += Math.Abs(pixels[plane + i] - pixels[plane + i - size]);
        }
        var mean = sum / plane;
        return [(float)mean, (float)Math.Sqrt(Math.Max(0, squares / plane - mean * mean)), (float)(across / plane), (float)(colour / plane),
            (float)(top / plane), (float)(centre / Math.Max(1, centreCount) - mean),
            (float)((down - across) / Math.Max(1, down + across))];
    }

    /// <summary>The mean colour of a picture.</summary>
    internal static (double Red, double Green, double Blue) Tint(ReadOnlySpan<byte> pixels)
    {
        var plane = pixels.Length / 3;
        double red = 0, green = 0, blue = 0;
        for (var i = 0; i < plane; i++)
        {
            red += pixels[i];
            green += pixels[plane + i];
            blue += pixels[2 * plane + i];
        }
        return (red / plane, green / plane, blue / plane);
    }

    /// <summary>The word for a mean colour; null when it is next to grey.</summary>
    internal static string? ColourWord((double Red, double Green, double Blue) tint)
    {
        var (red, green, blue) = tint;
        var (high, low) = (Math.Max(red, Math.Max(green, blue)), Math.Min(red, Math.Min(green, blue)));
        if (high - low < 12) return null;
        var hue = high == red ? (green - blue) / (high - low) : high == green ? 2 + (blue - red) / (high - low) : 4 + (red - green) / (high - low);
        var degrees = (hue * 60 + 360) % 360;
        return degrees switch
        {
            < 15 or >= 345 => "red",
            < 45 => high < 140 ? "brown" : "orange",
            < 70 => "yellow",
            < 165 => "green",
            < 200 => "cyan",
            < 260 => "blue",
            < 300 => "purple",
            _ => "pink",
        };
    }
}
