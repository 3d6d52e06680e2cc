// Whether a recording's file ends before its container does. Decoders give what comes before the cut without a word.
using System.Buffers.Binary;
using FeatureForge.Data;

namespace FeatureForge.Ingest;

internal static class CutOff
{
    private const int OggHeaderBytes = 27; // RFC 3533, section 6; then one byte a segment
    private const int MostElements = 1 << 20;

    /// <summary>Looks at sizes that the container declares; leaves the stream at its beginning. What breaks the format's rules ends the look: decoders will judge it.</summary>
    /// <exception cref="MediaRejectedException">The container says that it has more bytes than there are.</exception>
    public static void ThrowIf(Stream stream, MediaFormat format)
    {
        var missing = format.Name switch
        {
            "Ogg" => Ogg(stream),
            "AIFF" => Chunks(stream, headerBytes: 12, sizeBytes: 4, "SSND"u8),
            "CAF" => Chunks(stream, headerBytes: 8, sizeBytes: 8, "data"u8),
            "AU" => Au(stream),
            "Wave64" => Wave64(stream),
            "Matroska" => Matroska(stream),
            "Windows Media" => Asf(stream),
            "AC-3" => Ac3(stream),
            _ => null,
        };
        stream.Position = 0;
        if (missing is not { } end || end.Declared <= stream.Length) return;
        throw new MediaRejectedException(RejectionCode.Truncated, $"The {format.Name} file's {end.What} ends at byte {end.Declared}; the file ends at byte {stream.Length}. Get the whole file.");
    }

    private static int ReadAt(Stream stream, long at, Span<byte> target)
    {
        if (at < 0 || at >= stream.Length) return 0;
        stream.Position = at;
        return stream.ReadAtLeast(target, target.Length, throwOnEndOfStream: false);
    }

    private static (string What, long Declared)? Ogg(Stream stream)
    {
        Span<byte> header = stackalloc byte[OggHeaderBytes + 255];
        for (long at = 0; at < stream.Length;)
        {
            var read = ReadAt(stream, at, header);
            if (!header[..read].StartsWith("OggS"u8)) return null;
            var segments = read < OggHeaderBytes ? 0 : header[OggHeaderBytes - 1];
            long page = OggHeaderBytes + segments;
            for (var i = 0; i < segments && OggHeaderBytes + i < read; i++) page += header[OggHeaderBytes + i];
            if (at + page > stream.Length) return ("last page", at + page);
            at += page;
        }
        return null;
    }

    // Chunks of a four-letter name and a big-endian size: AIFF (padded to even sizes) and CAF, where -1 means "to the end".
    private static (string What, long Declared)? Chunks(Stream stream, int headerBytes, int sizeBytes, ReadOnlySpan<byte> samples)
    {
        Span<byte> chunk = stackalloc byte[12];
        long at = headerBytes;
        for (var i = 0; i < MostElements && ReadAt(stream, at, chunk) >= 4 + sizeBytes; i++)
        {
            var size = sizeBytes == 4 ? BinaryPrimitives.ReadUInt32BigEndian(chunk[4..]) : BinaryPrimitives.ReadInt64BigEndian(chunk[4..]);
            if (size < 0) return null;
            var end = at + 4 + sizeBytes + size;
            if (chunk.StartsWith(samples)) return ("sound data", end);
            if (end < at) return null;
            at = sizeBytes == 4 ? end + (end & 1) : end;
        }
        return null;
    }

    private static (string What, long Declared)? Au(Stream stream)
    {
        Span<byte> header = stackalloc byte[12];
        if (ReadAt(stream, 0, header) < header.Length) return null;
        var size = BinaryPrimitives.ReadUInt32BigEndian(header[8..]);
        return size == uint.MaxValue ? null : ("sound data", BinaryPrimitives.ReadUInt32BigEndian(header[4..]) + (long)size);
    }

    // A GUID of 16 bytes and a size of 8, which counts both; chunks lie at multiples of 8.
    private static (string What, long Declared)? Wave64(Stream stream)
    {
        Span<byte> chunk = stackalloc byte[24];
        long at = 40;
        for (var i = 0; i < MostElements && ReadAt(stream, at, chunk) == chunk.Length; i++)
        {
            var size = BinaryPrimitives.ReadInt64LittleEndian(chunk[16..]);
            if (size < chunk.Length || at + size < at) return null;
            if (chunk.StartsWith("data"u8)) return ("sound data", at + size);
            at += (size + 7) & ~7;
        }
        return null;
    }

    // RFC 8794: an id, then a size, whose first one-bits say how long they are; all ones = unknown.
    private static (string What, long Declared)? Matroska(Stream stream)
    {
        const ulong segment = 0x18538067;
        long at = 0;
        for (var i = 0; i < 8; i++)
        {
            if (Variable(stream, ref at, keepMark: true) is not { } id || Variable(stream, ref at, keepMark: false) is not { } size) return null;
            if (size == ulong.MaxValue || size > long.MaxValue / 2) return null;
            if (id == segment) return ("segment", at + (long)size);
            at += (long)size;
        }
        return null;
    }

    private static ulong? Variable(Stream stream, ref long at, bool keepMark)
    {
        Span<byte> bytes = stackalloc byte[8];
        var read = ReadAt(stream, at, bytes);
        if (read == 0 || bytes[0] == 0) return null;
        var length = System.Numerics.BitOperations.LeadingZeroCount((uint)bytes[0]) - 24 + 1;
        if (length > read) return null;
        ulong value = keepMark ? bytes[0] : (ulong)(bytes[0] & (0xFF >> length));
        for (var i = 1; i < length; i++) value = value << 8 | bytes[i];
        at += length;
        return !keepMark && value == (1UL << (7 * length)) - 1 ? ulong.MaxValue : value;
    }

    // No container, but every frame says how long it is (ATSC A/52:2018, section 5.4.1 and table 5.18; E-AC-3: annex E.1.3.1). A cut between two frames is none.
    private static (string What, long Declared)? Ac3(Stream stream)
    {
        ReadOnlySpan<int> kilobits = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640];
        Span<byte> frame = stackalloc byte[6];
        for (long at = 0; at < stream.Length;)
        {
            var read = ReadAt(stream, at, frame);
            if (read < 2 || frame[0] != 0x0B || frame[1] != 0x77) return null;
            if (read < frame.Length) return ("last frame", at + frame.Length);
            int words;
            if (frame[5] >> 3 > 10) words = ((frame[2] & 7) << 8 | frame[3]) + 1;
            else
            {
                var (rate, size) = (frame[4] >> 6, frame[4] & 63);
                if (size >> 1 >= kilobits.Length || rate == 3) return null;
                words = rate switch { 0 => 2 * kilobits[size >> 1], 1 => 320 * kilobits[size >> 1] / 147 + (size & 1), _ => 3 * kilobits[size >> 1] };
            }
            if (at + 2L * words > stream.Length) return ("last frame", at + 2L * words);
            at += 2L * words;
        }
        return null;
    }

    // The size of the file stands in the file properties object of the header, unless the file is a broadcast.
    private static (string What, long Declared)? Asf(Stream stream)
    {
        ReadOnlySpan<byte> properties = [0xA1, 0xDC, 0xAB, 0x8C, 0x47, 0xA9, 0xCF, 0x11, 0x8E, 0xE4, 0x00, 0xC0, 0x0C, 0x20, 0x53, 0x65];
        Span<byte> found = stackalloc byte[92];
        long at = 30;
        for (var i = 0; i < 64 && ReadAt(stream, at, found) >= 24; i++)
        {
            var size = BinaryPrimitives.ReadInt64LittleEndian(found[16..]);
            if (found.StartsWith(properties))
                return (BinaryPrimitives.ReadUInt32LittleEndian(found[88..]) & 1) != 0 ? null : ("content", BinaryPrimitives.ReadInt64LittleEndian(found[40..]));
            if (size < 24) return null;
            at += size;
        }
        return null;
    }
}
