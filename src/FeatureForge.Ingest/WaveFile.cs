// Writes mono 16-bit WAV files.
using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace FeatureForge.Ingest;

/// <summary>WAV files of one channel, 16 bit PCM.</summary>
public static class WaveFile
{
    /// <summary>Bytes before the samples.</summary>
    public const int HeaderBytes = 44;

    internal static byte[] Of(ReadOnlySpan<short> samples, int sampleRate)
    {
        var file = new byte[HeaderBytes + 2 * samples.Length];
        Header(sampleRate, samples.Length).CopyTo(file, 0);
        MemoryMarshal.AsBytes(samples).CopyTo(file.AsSpan(HeaderBytes));
        return file;
    }

    /// <summary>The header of a file of so many samples at so many hertz.</summary>
    public static byte[] Header(int sampleRate, int sampleCount)
    {
        var file = new byte[HeaderBytes];
        "RIFF"u8.CopyTo(file);
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(4), (uint)Math.Min(uint.MaxValue, HeaderBytes - 8 + 2L * sampleCount));
        "WAVEfmt "u8.CopyTo(file.AsSpan(8));
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(16), 16);
        BinaryPrimitives.WriteInt16LittleEndian(file.AsSpan(20), 1);
        BinaryPrimitives.WriteInt16LittleEndian(file.AsSpan(22), 1);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(24), sampleRate);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(28), sampleRate * 2);
        BinaryPrimitives.WriteInt16LittleEndian(file.AsSpan(32), 2);
        BinaryPrimitives.WriteInt16LittleEndian(file.AsSpan(34), 16);
        "data"u8.CopyTo(file.AsSpan(36));
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(40), (uint)(2L * sampleCount));
        return file;
    }
}
