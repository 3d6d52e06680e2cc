// Finds the charset of a text: byte order mark, valid UTF-8, escape-coded charsets, UTF-16 by its NUL bytes, then
// UTF.Unknown (a port of Mozilla's detector) on a sample. Nothing is guessed below a confidence.
using System.Text;
using System.Text.Unicode;
using FeatureForge.Data;
using UtfUnknown;

namespace FeatureForge.Ingest;

/// <summary>A charset and how many bytes of byte order mark come before the text. The encoding throws on bytes it does not have.</summary>
/// <param name="Confidence">In [0,1]; 1 where the bytes say so themselves (a mark, valid UTF-8, escape sequences).</param>
internal readonly record struct Charset(Encoding Encoding, int MarkBytes, float Confidence = 1)
{
    public const int SampleBytes = 1 << 16;

    private const double LeastConfidence = 0.5;
    private static readonly UTF8Encoding Utf8 = new(false, throwOnInvalidBytes: true);

    private static readonly System.Buffers.SearchValues<byte> _neverInText = System.Buffers.SearchValues.Create([.. Enumerable.Range(0, 32).Select(value => (byte)value).Except("\t\n\r\f\u000b\u001b\b"u8.ToArray())]);

    static Charset() => Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);

    /// <param name="isWhole">False when more follows: then the sample may end inside a character.</param>
    /// <exception cref="MediaRejectedException">Not text, or text of an unknown charset.</exception>
    public static Charset Detect(ReadOnlySpan<byte> bytes, bool isWhole)
    {
        if (ByMark(bytes) is { } marked) return marked;
        var sample = bytes[..Math.Min(bytes.Length, SampleBytes)];
        if (EscapeCoded(sample) is { } escaped) return new(escaped, 0);
        // NUL is valid UTF-8 too: look at it first.
        if (sample.Contains((byte)0) && ((Encoding?)Utf32ByNuls(sample) ?? Utf16ByNuls(sample)) is { } wide) return new(wide, 0);
        if (IsUtf8(bytes, isWhole)) return ProseIn(sample, new(Utf8, 0));
        RejectBinary(sample);
        RejectDamagedUtf8(bytes);
        return ByStatistics(sample);
    }

    private static Charset? ByMark(ReadOnlySpan<byte> bytes)
    {
        if (bytes.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF])) return new(Utf8, 3);
        if (bytes.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE, 0, 0])) return new(new UTF32Encoding(false, true, true), 4);
        if (bytes.StartsWith((ReadOnlySpan<byte>)[0, 0, 0xFE, 0xFF])) return new(new UTF32Encoding(true, true, true), 4);
        if (bytes.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE])) return new(new UnicodeEncoding(false, true, true), 2);
        if (bytes.StartsWith((ReadOnlySpan<byte>)[0xFE, 0xFF])) return new(new UnicodeEncoding(true, true, true), 2);
        return null;
    }

    // These look like plain ASCII: ISO-2022 switches by escape sequences, HZ by "~{".
    private static Encoding? EscapeCoded(ReadOnlySpan<byte> sample)
    {
        if (sample.IndexOfAnyExceptInRange((byte)0, (byte)0x7F) >= 0) return null;
        if (sample.IndexOf("\x1B$)C"u8) >= 0) return Strict("iso-2022-kr");
        if (sample.IndexOf("\x1B$"u8) >= 0) return Strict("iso-2022-jp");
        return sample.IndexOf("~{"u8) >= 0 && sample.IndexOf("~}"u8) >= 0 ? Strict("hz-gb-2312") : null;
    }

    private static bool IsUtf8(ReadOnlySpan<byte> bytes, bool isWhole)
    {
        if (System.Text.Unicode.Utf8.IsValid(bytes)) return true;
        for (var cut = 1; !isWhole && cut < 4 && cut < bytes.Length; cut++)
        {
            if (System.Text.Unicode.Utf8.IsValid(bytes[..^cut])) return true;
        }
        return false;
    }

    private static Charset ProseIn(ReadOnlySpan<byte> sample, Charset charset)
    {
        RejectBinary(sample);
        return charset;
    }

    // Code points end at 0x10FFFF: of every four bytes one is NUL, and the one beside it is at most 0x10.
    private static UTF32Encoding? Utf32ByNuls(ReadOnlySpan<byte> sample)
    {
        if (sample.Length < 8) return null;
        var (little, big) = (true, true);
        for (var i = 0; i + 4 <= sample.Length && (little || big); i += 4)
        {
            little &= sample[i + 3] == 0 && sample[i + 2] <= 0x10 && (sample[i] | sample[i + 1]) != 0;
            big &= sample[i] == 0 && sample[i + 1] <= 0x10 && (sample[i + 2] | sample[i + 3]) != 0;
        }
        return little ? new(false, true, true) : big ? new(true, true, true) : null;
    }

    // Latin text in UTF-16 has a NUL in every second byte.
    private static UnicodeEncoding? Utf16ByNuls(ReadOnlySpan<byte> sample)
    {
        if (sample.Length < 4) return null;
        var (even, odd) = (0, 0);
        for (var i = 0; i < sample.Length; i++)
        {
            if (sample[i] != 0) continue;
            if ((i & 1) == 0) even++; else odd++;
        }
        var pairs = sample.Length / 2;
        if (odd > pairs * 0.4 && even < pairs * 0.05) return new(false, false, true);
        return even > pairs * 0.4 && odd < pairs * 0.05 ? new(true, false, true) : null;
    }

    private static void RejectBinary(ReadOnlySpan<byte> sample)
    {
        if (!sample.ContainsAny(_neverInText)) return;
        var (nuls, controls) = (0, 0);
        foreach (var value in sample)
        {
            if (value == 0) nuls++;
            else if (value < 0x20 && value is not ((byte)'\t' or (byte)'\n' or (byte)'\r' or (byte)'\f' or 0x0B or 0x1B or 0x08)) controls++;
        }
        if (nuls > Math.Max(1, sample.Length / 1000) || controls > Math.Max(32, sample.Length / 50))
            throw new MediaRejectedException(RejectionCode.UnsupportedFormat, $"Not text: {nuls} NUL bytes and {controls} other control characters in the first {sample.Length} bytes.");
    }

    // Other charsets hardly ever form valid multi-byte sequences by chance: many of them mean UTF-8 with damage.
    private static void RejectDamagedUtf8(ReadOnlySpan<byte> bytes)
    {
        var (valid, invalid, first) = (0, 0, -1);
        for (var at = 0; at < bytes.Length;)
        {
            var status = Rune.DecodeFromUtf8(bytes[at..], out var rune, out var length);
            if (status == System.Buffers.OperationStatus.Done) valid += rune.IsAscii ? 0 : 1;
            else
            {
                invalid++;
                if (first < 0) first = at;
            }
            at += length;
        }
        if (valid > invalid) throw new MediaRejectedException(RejectionCode.UnknownCharset, $"The text is UTF-8 but for {invalid} invalid sequences, the first at byte {first}. Repair it, or convert it to UTF-8.");
    }

    private static Charset ByStatistics(ReadOnlySpan<byte> sample)
    {
        var best = CharsetDetector.DetectFromBytes(sample.ToArray()).Detected;
        if (best == null || best.Confidence < LeastConfidence)
            throw new MediaRejectedException(RejectionCode.UnknownCharset, best == null
                ? "The text is not UTF-8, and no other charset fits. Convert it to UTF-8."
                : $"The text is not UTF-8; the likeliest charset is {best.EncodingName} with confidence {best.Confidence:0.00}, expected at least {LeastConfidence:0.0}. Convert it to UTF-8.");
        // Windows-1252 holds ISO-8859-1 and the typographic characters that people really use.
        var name = best.EncodingName.ToLowerInvariant() switch { "iso-8859-1" or "ascii" => "windows-1252", "euc-kr" => "ks_c_5601-1987", var other => other };
        return new(Strict(name), 0, best.Confidence);
    }

    private static Encoding Strict(string name)
    {
        try { return Encoding.GetEncoding(name, EncoderFallback.ExceptionFallback, DecoderFallback.ExceptionFallback); }
        catch (ArgumentException) { throw new MediaRejectedException(RejectionCode.UnknownCharset, $"The text is in {name}, which no decoder here takes. Convert it to UTF-8."); }
    }
}
