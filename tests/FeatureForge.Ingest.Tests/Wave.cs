// WAV files for tests, made by hand so that every header field can be wrong.
using System.Buffers.Binary;

namespace FeatureForge.Ingest.Tests;

internal static class Wave
{
    /// <summary>A 16-bit WAV of a sine.</summary>
    public static byte[] Sine(double hertz, int sampleRate, double seconds, int channels = 1, int? declaredDataBytes = null)
    {
        var frames = (int)(sampleRate * seconds);
        var data = new byte[frames * channels * 2];
        for (var i = 0; i < frames * channels; i++)
            BinaryPrimitives.WriteInt16LittleEndian(data.AsSpan(2 * i), (short)Math.Round(16000 * Math.Sin(2 * Math.PI * hertz * (i / channels) / sampleRate)));
        return File(tag: 1, channels, sampleRate, bits: 16, data, declaredDataBytes);
    }

    public static byte[] File(int tag, int channels, int sampleRate, int bits, byte[] data, int? declaredDataBytes = null)
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write("RIFF"u8);
        writer.Write(36 + data.Length);
        writer.Write("WAVEfmt "u8);
        writer.Write(16);
        writer.Write((short)tag);
        writer.Write((short)channels);
        writer.Write(sampleRate);
        writer.Write(sampleRate * channels * bits / 8);
        writer.Write((short)(channels * bits / 8));
        writer.Write((short)bits);
        writer.Write("data"u8);
        writer.Write(declaredDataBytes ?? data.Length);
        writer.Write(data);
        return stream.ToArray();
    }
}
