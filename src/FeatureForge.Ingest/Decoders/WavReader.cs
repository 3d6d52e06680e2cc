// WAV (RIFF, RIFX, RF64) as a stream: integer PCM of any container up to 8 bytes, float 32 and 64, A-law and mu-law, plain
// or extensible. A data chunk that ends before its declared size is truncated; sizes 0 and 0xFFFFFFFF mean "until the end",
// as recorders that cannot seek back write them.
using System.Buffers.Binary;
using FeatureForge.Data;

namespace FeatureForge.Ingest;

internal static class WavReader
{
    private enum Coding { Integer, Float, ALaw, MuLaw }

    private readonly record struct Layout(Coding Coding, int SampleRate, int Channels, int ContainerBytes, bool BigEndian)
    {
        public int FrameBytes => Channels * ContainerBytes;
    }

    /// <summary>Pours all samples into the sink.</summary>
    /// <returns>False when the coding is not one of ours (ADPCM, GSM…): another decoder may know it.</returns>
    /// <exception cref="MediaRejectedException">The file is bad.</exception>
    public static bool Decode(Stream stream, SoundSink sink, CancellationToken stop)
    {
        var header = new byte[12];
        if (stream.ReadAtLeast(header, 12, false) < 12) throw new MediaRejectedException(RejectionCode.Truncated, "The file ends inside the WAV header.");
        if (!header.AsSpan(8, 4).SequenceEqual("WAVE"u8)) throw new MediaRejectedException(RejectionCode.Malformed, "The file is named WAV, but its bytes are not.");
        var bigEndian = header.AsSpan(0, 4).SequenceEqual("RIFX"u8);
        Layout? layout = null;
        ulong? longDataSize = null;
        var chunk = new byte[8];
        while (stream.ReadAtLeast(chunk, 8, false) == 8)
        {
            long size = UInt32(chunk.AsSpan(4), bigEndian);
            if (chunk.AsSpan(0, 4).SequenceEqual("data"u8))
            {
                if (layout is not { } known) throw new MediaRejectedException(RejectionCode.Malformed, "The data chunk comes before any fmt chunk.");
                var declared = longDataSize != null && size == uint.MaxValue ? (long?)Math.Min(longDataSize.Value, long.MaxValue) : size is 0 or uint.MaxValue ? null : size;
                DecodeData(stream, known, declared, sink, stop);
                return true;
            }
            if (chunk.AsSpan(0, 4).SequenceEqual("fmt "u8))
            {
                layout = ReadFormat(stream, size, bigEndian);
                if (layout == null) return false;
            }
            else if (chunk.AsSpan(0, 4).SequenceEqual("ds64"u8) && size >= 16)
            {
                var sizes = ReadChunk(stream, 16);
                longDataSize = BinaryPrimitives.ReadUInt64LittleEndian(sizes.AsSpan(8));
                Skip(stream, size - 16 + (size & 1));
            }
            else Skip(stream, size + (size & 1));
        }
        throw new MediaRejectedException(RejectionCode.Truncated, layout == null ? "The file ends before a fmt chunk." : "The file ends before the data chunk.");
    }

    private static Layout? ReadFormat(Stream stream, long size, bool bigEndian)
    {
        if (size is < 14 or > 4096) throw new MediaRejectedException(RejectionCode.Malformed, $"The fmt chunk has {size} bytes; expected 14 to 4096.");
        var format = ReadChunk(stream, (int)size);
        Skip(stream, size & 1);
        int tag = UInt16(format, bigEndian), channels = UInt16(format.AsSpan(2), bigEndian), frameBytes = UInt16(format.AsSpan(12), bigEndian);
        var rate = UInt32(format.AsSpan(4), bigEndian);
        var bits = size >= 16 ? UInt16(format.AsSpan(14), bigEndian) : 0;
        if (tag == 0xFFFE && size >= 26) tag = UInt16(format.AsSpan(24), bigEndian);
        if (rate is 0 or > 10_000_000) throw new MediaRejectedException(RejectionCode.Malformed, $"The header declares {rate} samples a second; expected 1 to 10000000.");
        if (channels is 0 or > 1024) throw new MediaRejectedException(RejectionCode.Malformed, $"The header declares {channels} channels; expected 1 to 1024.");

        // Some writers give the sample's bits where the container's belong: trust the frame size when both can be true.
        var container = frameBytes % channels == 0 && frameBytes / channels >= (bits + 7) / 8 ? frameBytes / channels : (bits + 7) / 8;
        Coding? coding = (tag, container) switch
        {
            (1, >= 1 and <= 8) => Coding.Integer,
            (3, 4 or 8) => Coding.Float,
            (6, 1) => Coding.ALaw,
            (7, 1) => Coding.MuLaw,
            (1 or 3 or 6 or 7, _) => throw new MediaRejectedException(RejectionCode.Malformed, $"The header declares {container} bytes a sample for coding {tag}."),
            _ => null,
        };
        return coding == null ? null : new(coding.Value, (int)rate, channels, container, bigEndian);
    }

    private static void DecodeData(Stream stream, Layout layout, long? declared, SoundSink sink, CancellationToken stop)
    {
        sink.Start(layout.SampleRate, layout.Channels);
        var bytes = new byte[Math.Max(1, (1 << 16) / layout.FrameBytes) * layout.FrameBytes];
        var samples = new float[bytes.Length / layout.ContainerBytes];
        var left = declared ?? long.MaxValue;
        var total = 0L;
        while (left > 0)
        {
            stop.ThrowIfCancellationRequested();
            var wanted = (int)Math.Min(bytes.Length, left);
            var read = stream.ReadAtLeast(bytes.AsSpan(0, wanted), wanted, throwOnEndOfStream: false);
            total += read;
            left -= read;
            var whole = read / layout.FrameBytes * layout.FrameBytes;
            Convert(bytes.AsSpan(0, whole), samples, layout);
            sink.Add(samples.AsSpan(0, whole / layout.ContainerBytes));
            if (read == wanted) continue;
            if (declared == null) break;
            throw new MediaRejectedException(RejectionCode.Truncated, $"The header declares {declared} bytes of samples; the file holds {total}.");
        }
    }

    private static void Convert(ReadOnlySpan<byte> bytes, Span<float> samples, Layout layout)
    {
        var size = layout.ContainerBytes;
        for (int i = 0, at = 0; at < bytes.Length; i++, at += size)
        {
            var sample = bytes.Slice(at, size);
            samples[i] = layout.Coding switch
            {
                Coding.Float when size == 4 => layout.BigEndian ? BinaryPrimitives.ReadSingleBigEndian(sample) : BinaryPrimitives.ReadSingleLittleEndian(sample),
                Coding.Float => (float)(layout.BigEndian ? BinaryPrimitives.ReadDoubleBigEndian(sample) : BinaryPrimitives.ReadDoubleLittleEndian(sample)),
                Coding.ALaw => Companding.ALaw(sample[0]),
                Coding.MuLaw => Companding.MuLaw(sample[0]),
                _ => Integer(sample, layout.BigEndian),
            };
        }
    }

    // Samples of any width are left-aligned in their container: its first four bytes are plenty. One byte is unsigned.
    private static float Integer(ReadOnlySpan<byte> sample, bool bigEndian)
    {
        if (sample.Length == 1) return (sample[0] - 128) / 128f;
        if (sample.Length == 2) return (bigEndian ? BinaryPrimitives.ReadInt16BigEndian(sample) : BinaryPrimitives.ReadInt16LittleEndian(sample)) / 32768f;
        var value = 0;
        for (var i = 0; i < 4; i++)
        {
            var fromTop = bigEndian ? i : sample.Length - 1 - i;
            value = value << 8 | (i < sample.Length ? sample[fromTop] : 0);
        }
        return value / 2147483648f;
    }

    private static byte[] ReadChunk(Stream stream, int size)
    {
        var bytes = new byte[size];
        if (stream.ReadAtLeast(bytes, size, false) < size) throw new MediaRejectedException(RejectionCode.Truncated, "The file ends inside the WAV header.");
        return bytes;
    }

    private static void Skip(Stream stream, long count)
    {
        if (count <= 0) return;
        if (stream.CanSeek)
        {
            stream.Seek(Math.Min(count, stream.Length - stream.Position), SeekOrigin.Current);
            return;
        }
        var scratch = new byte[4096];
        while (count > 0 && stream.Read(scratch, 0, (int)Math.Min(count, scratch.Length)) is > 0 and var read) count -= read;
    }

    private static ushort UInt16(ReadOnlySpan<byte> bytes, bool bigEndian) => bigEndian ? BinaryPrimitives.ReadUInt16BigEndian(bytes) : BinaryPrimitives.ReadUInt16LittleEndian(bytes);

    private static uint UInt32(ReadOnlySpan<byte> bytes, bool bigEndian) => bigEndian ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt32LittleEndian(bytes);
}
