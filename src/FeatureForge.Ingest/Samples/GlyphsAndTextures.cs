// Small pictures of ten kinds: five signs drawn from strokes and five textures, in any colours, sizes and directions.
// No fonts: bare machines have none.
using FeatureForge.Data;
using SkiaSharp;

namespace FeatureForge.Ingest;

/// <summary>Made pictures: PNG files of 48 x 48 pixels.</summary>
public static class GlyphsAndTextures
{
    private const int Side = 48;

    private static readonly (string Name, Action<SKCanvas, SKPaint, Random> Draw)[] Kinds =
    [
        ("cross", (canvas, paint, _) => Strokes(canvas, paint, [(-1, 0), (1, 0)], [(0, -1), (0, 1)])),
        ("ring", (canvas, paint, _) => canvas.DrawCircle(0, 0, 0.8f, paint)),
        ("triangle", (canvas, paint, _) => Strokes(canvas, paint, [(-0.9f, 0.7f), (0, -0.9f), (0.9f, 0.7f), (-0.9f, 0.7f)])),
        ("zigzag", (canvas, paint, _) => Strokes(canvas, paint, [(-0.9f, -0.8f), (0.9f, -0.8f), (-0.9f, 0.8f), (0.9f, 0.8f)])),
        ("fork", (canvas, paint, _) => Strokes(canvas, paint, [(0, 1), (0, -1)], [(-0.8f, -1), (-0.8f, -0.1f), (0.8f, -0.1f), (0.8f, -1)])),
        ("stripes", (canvas, paint, random) => Repeat(random, step => canvas.DrawLine(step, -4, step, 4, paint))),
        ("checks", Checks),
        ("dots", Dots),
        ("waves", Waves),
        ("grain", Grain),
    ];

    /// <summary>Writes <paramref name="count"/> pictures and their labels below the folder.</summary>
    public static SampleCorpus Write(string folder, int count, int seed)
    {
        var source = Path.Combine(folder, "pictures");
        Directory.CreateDirectory(source);
        var rows = new List<(string, string)>();
        for (var i = 0; i < count; i++)
        {
            var (name, draw) = Kinds[i % Kinds.Length];
            File.WriteAllBytes(Path.Combine(source, $"{i:D5}.png"), Render(draw, SampleCorpus.RandomOf(seed, i)));
            rows.Add(($"{i:D5}.png", name));
        }
        return new(Modality.Image, source, SampleCorpus.WriteLabels(Path.Combine(folder, "pictures-labels.csv"), rows));
    }

    private static byte[] Render(Action<SKCanvas, SKPaint, Random> draw, Random random)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(Side, Side, SKColorType.Rgba8888, SKAlphaType.Opaque));
        using var canvas = new SKCanvas(bitmap);
        var hue = random.NextSingle() * 360;
        var (dark, light) = (SKColor.FromHsl(hue, 60 * random.NextSingle(), 12 + 20 * random.NextSingle()), SKColor.FromHsl((hue + 90 + 180 * random.NextSingle()) % 360, 60 * random.NextSingle(), 70 + 20 * random.NextSingle()));
        var isInverted = random.Next(2) == 0;
        canvas.Clear(isInverted ? dark : light);
        using var paint = new SKPaint { Color = isInverted ? light : dark, IsAntialias = true, Style = SKPaintStyle.Stroke, StrokeWidth = 0.18f + 0.16f * random.NextSingle(), StrokeCap = SKStrokeCap.Round, StrokeJoin = SKStrokeJoin.Round };
        // Everything is drawn in a square from -1 to 1, moved, sized and turned a little.
        canvas.Translate(Side * (0.42f + 0.16f * random.NextSingle()), Side * (0.42f + 0.16f * random.NextSingle()));
        canvas.RotateDegrees(50 * random.NextSingle() - 25);
        canvas.Scale(Side * (0.26f + 0.14f * random.NextSingle()));
        draw(canvas, paint, random);
        using var data = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        return data.ToArray();
    }

    private static void Strokes(SKCanvas canvas, SKPaint paint, params (float X, float Y)[][] strokes)
    {
        foreach (var stroke in strokes)
        {
            using var path = new SKPath();
            path.MoveTo(stroke[0].X, stroke[0].Y);
            foreach (var (x, y) in stroke[1..]) path.LineTo(x, y);
            canvas.DrawPath(path, paint);
        }
    }

    private static void Repeat(Random random, Action<float> draw)
    {
        var distance = 0.35f + 0.25f * random.NextSingle();
        for (var at = -3.6f; at < 3.6f; at += distance) draw(at);
    }

    private static void Checks(SKCanvas canvas, SKPaint paint, Random random)
    {
        paint.Style = SKPaintStyle.Fill;
        var size = 0.35f + 0.25f * random.NextSingle();
        for (var row = -10; row < 10; row++)
        {
            for (var column = -10 + (row & 1); column < 10; column += 2) canvas.DrawRect(column * size, row * size, size, size, paint);
        }
    }

    private static void Dots(SKCanvas canvas, SKPaint paint, Random random)
    {
        paint.Style = SKPaintStyle.Fill;
        var distance = 0.45f + 0.25f * random.NextSingle();
        for (var y = -3.6f; y < 3.6f; y += distance)
        {
            for (var x = -3.6f; x < 3.6f; x += distance) canvas.DrawCircle(x, y, distance * 0.28f, paint);
        }
    }

    private static void Waves(SKCanvas canvas, SKPaint paint, Random random)
    {
        paint.StrokeWidth = 0.14f;
        var (length, height) = (3 + 3 * random.NextSingle(), 0.12f + 0.12f * random.NextSingle());
        Repeat(random, at =>
        {
            using var path = new SKPath();
            path.MoveTo(-4, at);
            for (var x = -4f; x < 4; x += 0.1f) path.LineTo(x, at + height * MathF.Sin(length * x));
            canvas.DrawPath(path, paint);
        });
    }

    private static void Grain(SKCanvas canvas, SKPaint paint, Random random)
    {
        paint.Style = SKPaintStyle.Fill;
        for (var i = 0; i < 900; i++) canvas.DrawRect(random.NextSingle() * 7 - 3.5f, random.NextSingle() * 7 - 3.5f, 0.1f, 0.1f, paint);
    }
}
