// What a picture shares with its resized, recompressed, slightly brightened or trimmed copies: a 64-bit perceptual hash (signs of the
// low frequencies of a cosine transform; Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010)
// to find candidates, and a normalised 12 x 12 picture with its mean colours to confirm them.
// A mirror image is another picture: writing, maps and left and right hands would be confused otherwise.
using System.Buffers.Binary;
using System.Numerics;
using SkiaSharp;

namespace FeatureForge.Ingest;

internal static class ImageSignature
{
    public const byte Kind = 1;
    public const int Bytes = ColoursAt + 8;

    private const int HashSide = 32;
    private const int Frequencies = 8;
    private const int TileSide = 12;
    private const int HashAt = 1;
    private const int TilesAt = HashAt + 8;
    private const int ColoursAt = TilesAt + TileSide * TileSide / 2;
    // Levels of 255: below, there is only noise to compare.
    private const double LeastDeviation = 2;
    private const float LevelsPerDeviation = 3;

    private static readonly float[] _cosines = Cosines();

    /// <summary>Null when the picture is of one colour, more or less.</summary>
    public static byte[]? Of(PixelCensus census, SKEncodedOrigin turn)
    {
        var luma = Channel(census, 0.299f, 0.587f, 0.114f, 0);
        var tiles = Square(luma, census, TileSide, turn);
        var mean = tiles.Average();
        var deviation = Math.Sqrt(tiles.Average(tile => (double)(tile - mean) * (tile - mean)));
        if (deviation < LeastDeviation) return null;

        var signature = new byte[Bytes];
        signature[0] = Kind;
        BinaryPrimitives.WriteUInt64LittleEndian(signature.AsSpan(HashAt), Hash(Square(luma, census, HashSide, turn)));
        for (var i = 0; i < tiles.Length; i++)
        {
            var level = Math.Clamp((int)MathF.Round((tiles[i] - mean) / (float)deviation * LevelsPerDeviation + 7.5f), 0, 15);
            signature[TilesAt + i / 2] |= (byte)(level << (4 * (i & 1)));
        }
        var blue = Square(Channel(census, -0.169f, -0.331f, 0.5f, 128), census, 2, turn);
        var red = Square(Channel(census, 0.5f, -0.419f, -0.081f, 128), census, 2, turn);
        for (var i = 0; i < 4; i++) (signature[ColoursAt + i], signature[ColoursAt + 4 + i]) = (ToByte(blue[i]), ToByte(red[i]));
        return signature;
    }

    public static ulong HashOf(ReadOnlySpan<byte> signature) => BinaryPrimitives.ReadUInt64LittleEndian(signature[HashAt..]);

    /// <summary>Bits in which the perceptual hashes differ, 0 to 64.</summary>
    public static int Distance(ulong a, ulong b) => BitOperations.PopCount(a ^ b);

    /// <summary>Correlation of the small pictures, -1 to 1.</summary>
    public static double Correlation(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
    {
        long sumA = 0, sumB = 0, squaresA = 0, squaresB = 0, products = 0;
        for (var i = TilesAt; i < ColoursAt; i++)
        {
            int lowA = a[i] & 15, highA = a[i] >> 4, lowB = b[i] & 15, highB = b[i] >> 4;
            sumA += lowA + highA;
            sumB += lowB + highB;
            squaresA += lowA * lowA + highA * highA;
            squaresB += lowB * lowB + highB * highB;
            products += lowA * lowB + highA * highB;
        }
        const double Count = TileSide * TileSide;
        var spread = Math.Sqrt((squaresA - sumA * sumA / Count) * (squaresB - sumB * sumB / Count));
        return spread <= 0 ? 0 : (products - sumA * sumB / Count) / spread;
    }

    /// <summary>Largest difference of mean colour (Cb or Cr of a quarter), in levels of 255.</summary>
    public static int ColourDifference(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
    {
        var most = 0;
        for (var i = ColoursAt; i < Bytes; i++) most = Math.Max(most, Math.Abs(a[i] - b[i]));
        return most;
    }

    // One weighted sum of the channels.
    private static float[] Channel(PixelCensus census, float red, float green, float blue, float offset)
    {
        var plane = new float[census.Width * census.Height];
        for (int i = 0, at = 0; i < plane.Length; i++, at += 3) plane[i] = red * census.Thumbnail[at] + green * census.Thumbnail[at + 1] + blue * census.Thumbnail[at + 2] + offset;
        return plane;
    }

    // In a square of this side, turned upright.
    private static float[] Square(float[] plane, PixelCensus census, int side, SKEncodedOrigin turn)
    {
        var (narrow, square) = (new float[side * census.Height], new float[side * side]);
        var across = Cover(census.Width, side);
        for (var y = 0; y < census.Height; y++)
        {
            for (var x = 0; x < side; x++)
            {
                var (first, shares) = across[x];
                var sum = 0f;
                for (var i = 0; i < shares.Length; i++) sum += shares[i] * plane[y * census.Width + first + i];
                narrow[y * side + x] = sum;
            }
        }
        var down = Cover(census.Height, side);
        for (var y = 0; y < side; y++)
        {
            var (first, shares) = down[y];
            for (var x = 0; x < side; x++)
            {
                var sum = 0f;
                for (var i = 0; i < shares.Length; i++) sum += shares[i] * narrow[(first + i) * side + x];
                var (toX, toY) = Upright(x, y, side - 1, turn);
                square[toY * side + toX] = sum;
            }
        }
        return square;
    }

    // Which pixels each cell covers, and with which share; also when there are more cells than pixels.
    private static (int First, float[] Shares)[] Cover(int pixels, int cells)
    {
        var cover = new (int, float[])[cells];
        for (var i = 0; i < cells; i++)
        {
            var (from, to) = ((double)i * pixels / cells, (double)(i + 1) * pixels / cells);
            var first = (int)from;
            var shares = new float[Math.Min(pixels - 1, (int)Math.Ceiling(to) - 1) - first + 1];
            for (var j = 0; j < shares.Length; j++) shares[j] = (float)((Math.Min(to, first + j + 1) - Math.Max(from, first + j)) / (to - from));
            cover[i] = (first, shares);
        }
        return cover;
    }

    // Where a stored pixel lies in the upright picture.
    private static (int X, int Y) Upright(int x, int y, int last, SKEncodedOrigin turn) => turn switch
    {
        SKEncodedOrigin.TopRight => (last - x, y),
        SKEncodedOrigin.BottomRight => (last - x, last - y),
        SKEncodedOrigin.BottomLeft => (x, last - y),
        SKEncodedOrigin.LeftTop => (y, x),
        SKEncodedOrigin.RightTop => (last - y, x),
        SKEncodedOrigin.RightBottom => (last - y, last - x),
        SKEncodedOrigin.LeftBottom => (y, last - x),
        _ => (x, y),
    };

    // A bit per frequency, the constant left out of the median and always 0.
    private static ulong Hash(float[] luma)
    {
        var rows = new float[HashSide * Frequencies];
        for (var y = 0; y < HashSide; y++)
        {
            for (var u = 0; u < Frequencies; u++) rows[y * Frequencies + u] = Dot(luma.AsSpan(y * HashSide, HashSide), _cosines.AsSpan(u * HashSide, HashSide));
        }
        var spectrum = new float[Frequencies * Frequencies];
        for (var v = 0; v < Frequencies; v++)
        {
            for (var u = 0; u < Frequencies; u++)
            {
                for (var y = 0; y < HashSide; y++) spectrum[v * Frequencies + u] += rows[y * Frequencies + u] * _cosines[v * HashSide + y];
            }
        }
        var sorted = spectrum[1..];
        Array.Sort(sorted);
        var median = sorted[sorted.Length / 2];
        var hash = 0UL;
        for (var i = 1; i < spectrum.Length; i++)
        {
            if (spectrum[i] > median) hash |= 1UL << i;
        }
        return hash;
    }

    private static float Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        var sum = 0f;
        for (var i = 0; i < a.Length; i++) sum += a[i] * b[i];
        return sum;
    }

    private static float[] Cosines()
    {
        var cosines = new float[Frequencies * HashSide];
        for (var i = 0; i < cosines.Length; i++) cosines[i] = (float)Math.Cos(Math.PI * (i / HashSide) * (i % HashSide + 0.5) / HashSide);
        return cosines;
    }

    private static byte ToByte(float value) => (byte)Math.Clamp((int)MathF.Round(value), 0, 255);
}
