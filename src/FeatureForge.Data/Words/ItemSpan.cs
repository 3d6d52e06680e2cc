// The part of an item that a vector covers, in native units.
namespace FeatureForge.Data;

/// <summary>
/// A half-open part of an item. Audio: [Start, End) in milliseconds. Text: [Start, End) in Unicode code points.
/// Image: a pixel rectangle of the source image (X, Y, Width, Height). Half-open so that neighbours share a border.
/// </summary>
public readonly record struct ItemSpan
{
    private ItemSpan(int first, int second, int width, int height) => (Start, End, Width, Height) = (first, second, width, height);

    /// <summary>First millisecond or code point (audio, text).</summary>
    public int Start { get; }

    /// <summary>One past the last millisecond or code point (audio, text).</summary>
    public int End { get; }

    /// <summary>Left edge in source pixels (image).</summary>
    public int X => Start;

    /// <summary>Top edge in source pixels (image).</summary>
    public int Y => End;

    /// <summary>Width in source pixels; 0 for audio and text.</summary>
    public int Width { get; }

    /// <summary>Height in source pixels; 0 for audio and text.</summary>
    public int Height { get; }

    /// <summary>[start, end) in milliseconds or code points.</summary>
    /// <exception cref="ArgumentOutOfRangeException">start is negative or end before start.</exception>
    public static ItemSpan Range(int start, int end)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfLessThan(end, start);
        return new(start, end, 0, 0);
    }

    /// <summary>A rectangle in source pixels.</summary>
    /// <exception cref="ArgumentOutOfRangeException">a negative origin or an empty rectangle.</exception>
    public static ItemSpan Rectangle(int x, int y, int width, int height)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(x);
        ArgumentOutOfRangeException.ThrowIfNegative(y);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        return new(x, y, width, height);
    }
}
