// Items that can be told apart, for tests in which an encoder has to learn something: mosaics, chords, documents about two subjects.
namespace FeatureForge.Learning.Tests;

/// <summary>Item number i has class i % 4, which decides half of what is in it; the rest is its own.</summary>
internal static class VariedItems
{
    public const int Classes = 4;

    /// <summary>A mosaic of 4 x 4 tiles in colours of its own over the brightness of its class, 3 x 16 x 16.</summary>
    public static byte[] Image(int number)
    {
        var (kind, own, pixels) = (new Random(number % Classes), new Random(1000 + number), new byte[3 * 16 * 16]);
        for (var tile = 0; tile < 16; tile++)
        {
            var bright = kind.Next(2) * 90;
            for (var c = 0; c < 3; c++)
            {
                var colour = own.Next(120) + bright;
                for (var p = 0; p < 16; p++) pixels[c * 256 + (tile / 4 * 4 + p / 4) * 16 + tile % 4 * 4 + p % 4] = (byte)(colour + own.Next(20));
            }
        }
        return pixels;
    }

    /// <summary>A second of two tones of its class and two of its own.</summary>
    public static short[] Audio(int number)
    {
        var (kind, own) = (new Random(number % Classes), new Random(1000 + number));
        double Pitch(Random random) => 150 * Math.Pow(2, 5 * random.NextDouble());
        double[] pitches = [Pitch(kind), Pitch(kind), Pitch(own), Pitch(own)];
        return [.. Enumerable.Range(0, 16_000).Select(i => (short)(pitches.Sum(pitch => 2500 * Math.Sin(2 * Math.PI * pitch * i / 16_000)) + own.Next(-300, 300)))];
    }

    /// <summary>Forty words: a third about the subject of its class, a third about another, a third about nothing.</summary>
    public static string Text(int number)
    {
        var own = new Random(1000 + number);
        var (subject, other) = (number % Classes, Classes + own.Next(12));
        string Word() => own.Next(3) switch
        {
            0 => $"subject{(char)('a' + subject)}{(char)('a' + own.Next(12))}",
            1 => $"theme{(char)('a' + other)}{(char)('a' + own.Next(12))}",
            _ => $"common{(char)('a' + own.Next(20))}",
        };
        return string.Join(' ', Enumerable.Range(0, 40).Select(_ => Word()));
    }
}
