// The hash of a word: of its letters and digits in lower case, as UTF-8, eight bytes at a time.
using System.Text;

namespace FeatureForge.Ingest;

/// <summary>A word that is put together letter by letter; <see cref="Of"/> gives the same for one that lies in memory.</summary>
internal struct WordHash
{
    private const ulong LowerCase = 0x2020202020202020;

    private ulong _hash;
    private ulong _bytes;
    private int _count;

    /// <summary>Letters and digits so far.</summary>
    public int Length { get; private set; }

    public void Add(char asciiLetterOrDigit)
    {
        Length++;
        // Upper case differs from lower case in this bit; digits have it set already.
        AddByte((byte)(asciiLetterOrDigit | 0x20));
    }

    public void Add(Rune rune)
    {
        Length++;
        Span<byte> bytes = stackalloc byte[4];
        foreach (var one in bytes[..Rune.ToLowerInvariant(rune).EncodeToUtf8(bytes)]) AddByte(one);
    }

    public readonly uint Value => Finish(_hash, _bytes, _count);

    /// <summary>Of letters and digits of ASCII, in any case.</summary>
    /// <param name="bytes">Where the word begins; at least eight bytes more than its length can be read.</param>
    public static unsafe uint Of(byte* bytes, int length)
    {
        var hash = 0UL;
        var left = length;
        for (; left >= 8; left -= 8, bytes += 8) hash = Mixed(hash ^ (*(ulong*)bytes | LowerCase));
        return Finish(hash, left == 0 ? 0 : (*(ulong*)bytes | LowerCase) & (ulong.MaxValue >> (64 - 8 * left)), length);
    }

    private void AddByte(byte one)
    {
        _bytes |= (ulong)one << (8 * (_count & 7));
        if ((++_count & 7) != 0) return;
        _hash = Mixed(_hash ^ _bytes);
        _bytes = 0;
    }

    private static uint Finish(ulong hash, ulong rest, int length)
    {
        hash = Mixed(hash ^ rest ^ ((ulong)length << 56));
        return (uint)(hash ^ (hash >> 32));
    }

    private static ulong Mixed(ulong value)
    {
        value = unchecked(value * 0x9E3779B97F4A7C15);
        return value ^ (value >> 29);
    }
}
