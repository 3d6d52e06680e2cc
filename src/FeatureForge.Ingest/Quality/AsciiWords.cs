// Words of text that is all ASCII: 64 bytes at a time become a mask of letters and digits, and its changes are where words begin and end.
using System.Buffers;
using System.Numerics;
using System.Runtime.Intrinsics;
using System.Text;

namespace FeatureForge.Ingest;

internal static unsafe class AsciiWords
{
    private const int Stride = 64;

    /// <summary>Adds every word; a word is letters and digits, with apostrophes that have a letter after them.</summary>
    /// <param name="symbols">Characters that are neither letters nor digits nor white space nor control characters.</param>
    /// <returns>False when the text holds other characters; nothing was added then.</returns>
    public static bool TryScan(ReadOnlySpan<char> text, PhraseTable phrases, out int symbols)
    {
        symbols = 0;
        // Room for whole strides and for hashes that read on.
        var rented = ArrayPool<byte>.Shared.Rent(text.Length + Stride + 8);
        try
        {
            if (Ascii.FromUtf16(text, rented, out var length) != OperationStatus.Done) return false;
            symbols = ScanPadded(rented, length, phrases);
            return true;
        }
        finally { ArrayPool<byte>.Shared.Return(rented); }
    }

    /// <summary>The same for bytes that are ASCII.</summary>
    /// <returns>Symbols.</returns>
    public static int Scan(ReadOnlySpan<byte> ascii, PhraseTable phrases)
    {
        var rented = ArrayPool<byte>.Shared.Rent(ascii.Length + Stride + 8);
        try
        {
            ascii.CopyTo(rented);
            return ScanPadded(rented, ascii.Length, phrases);
        }
        finally { ArrayPool<byte>.Shared.Return(rented); }
    }

    private static int ScanPadded(byte[] text, int length, PhraseTable phrases)
    {
        text.AsSpan(length, Stride + 8).Clear();
        fixed (byte* bytes = text) return Scan(bytes, length, phrases);
    }

    private static int Scan(byte* bytes, int length, PhraseTable phrases)
    {
        var (symbols, start, carry) = (0, -1, 0UL);
        var (isJoined, isContinued) = (false, false);
        for (var at = 0; at < length || start >= 0; at += Stride)
        {
            // Beyond the end lies a zero: the last word ends there.
            var (words, marks) = at < length ? Masks(bytes + at) : (0UL, 0UL);
            symbols += BitOperations.PopCount(marks);
            for (var changes = words ^ ((words << 1) | carry); changes != 0; changes &= changes - 1)
            {
                var place = at + BitOperations.TrailingZeroCount(changes);
                if (isContinued)
                {
                    isContinued = false; // the letter after an apostrophe
                    continue;
                }
                if (start < 0)
                {
                    (start, isJoined) = (place, false);
                    continue;
                }
                if (bytes[place] == '\'' && char.IsAsciiLetter((char)bytes[place + 1]))
                {
                    (isJoined, isContinued) = (true, true);
                    continue;
                }
                if (isJoined) AddJoined(bytes, start, place, phrases);
                else phrases.Add(WordHash.Of(bytes + start, place - start), place - start);
                start = -1;
            }
            carry = words >> 63;
        }
        return symbols;
    }

    private static void AddJoined(byte* bytes, int start, int end, PhraseTable phrases)
    {
        var word = new WordHash();
        for (var i = start; i < end; i++)
            if (bytes[i] != '\'') word.Add((char)bytes[i]);
        phrases.Add(word.Value, word.Length);
    }

    private static (ulong Words, ulong Marks) Masks(byte* bytes)
    {
        var (words, marks) = (0UL, 0UL);
        for (var half = 0; half < Stride; half += Vector256<byte>.Count)
        {
            var some = Vector256.Load(bytes + half);
            var letters = (some | Vector256.Create((byte)0x20)) - Vector256.Create((byte)'a');
            var digits = some - Vector256.Create((byte)'0');
            var isWord = Vector256.Equals(Vector256.Min(letters, Vector256.Create((byte)25)), letters) | Vector256.Equals(Vector256.Min(digits, Vector256.Create((byte)9)), digits);
            var isPrinted = Vector256.GreaterThan(some.AsSByte(), Vector256.Create((sbyte)' ')).AsByte() & ~Vector256.Equals(some, Vector256.Create((byte)127));
            words |= (ulong)isWord.ExtractMostSignificantBits() << half;
            marks |= (ulong)(isPrinted & ~isWord).ExtractMostSignificantBits() << half;
        }
        return (words, marks);
    }
}
