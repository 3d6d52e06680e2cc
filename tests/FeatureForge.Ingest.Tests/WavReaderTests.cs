// Our WAV reader: every coding it takes, and what it says of wrong headers.
using System.Buffers.Binary;
using FeatureForge.Data;

namespace FeatureForge.Ingest.Tests;

public sealed class WavReaderTests
{
    [Theory]
    [InlineData(8, 1)]
    [InlineData(16, 1)]
    [InlineData(24, 1)]
    [InlineData(32, 1)]
    [InlineData(32, 3)]
    [InlineData(64, 3)]
    public void Half_of_full_scale_reads_the_same_in_every_coding(int bits, int tag)
    {
        byte[] half = (bits, tag) switch
        {
            (8, 1) => [192],
            (16, 1) => [0x00, 0x40],
            (24, 1) => [0, 0x00, 0x40],
            (32, 1) => [0, 0, 0x00, 0x40],
            (32, 3) => BitConverter.GetBytes(0.5f),
            _ => BitConverter.GetBytes(0.5),
        };

        var audio = Decode(Wave.File(tag, 1, 16000, bits, [.. half, .. half]));

        Assert.Equal([16384, 16384], audio.Samples.First(long.MaxValue));
    }

    [Fact]
    public void Channels_are_mixed_down_by_their_mean()
    {
        var audio = Decode(Wave.File(1, 2, 16000, 16, [0x00, 0x40, 0x00, 0x00]));

        Assert.Equal([8192], audio.Samples.First(long.MaxValue));
        Assert.Equal(2, audio.Channels);
    }

    [Fact]
    public void An_extensible_header_names_the_coding_in_its_tail()
    {
        var plain = Wave.File(1, 1, 16000, 16, [0x00, 0x40]);
        byte[] extension = [22, 0, 16, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0, 0, 16, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71];
        byte[] extensible = [.. plain[..36], .. extension, .. plain[36..]];
        BinaryPrimitives.WriteInt32LittleEndian(extensible.AsSpan(16), 40);
        BinaryPrimitives.WriteUInt16LittleEndian(extensible.AsSpan(20), 0xFFFE);

        Assert.Equal([16384], Decode(extensible).Samples.First(long.MaxValue));
    }

    [Fact]
    public void A_data_chunk_declared_beyond_the_file_is_truncated()
    {
        var error = Assert.Throws<MediaRejectedException>(() => Decode(Wave.Sine(440, 16000, 0.1, declaredDataBytes: 100_000)));

        Assert.Equal(RejectionCode.Truncated, error.Code);
        Assert.Contains("declares 100000 bytes of samples; the file holds 3200", error.Message);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public void Sizes_that_recorders_leave_open_mean_until_the_end(int declared) =>
        Assert.Equal(100, Decode(Wave.Sine(440, 16000, 0.1, declaredDataBytes: declared)).DurationMs);

    [Fact]
    public void A_recording_without_samples_is_empty() =>
        Assert.Equal(RejectionCode.Empty, Assert.Throws<MediaRejectedException>(() => Decode(Wave.File(1, 1, 16000, 16, []))).Code);

    [Fact]
    public void Samples_that_are_no_numbers_are_malformed() =>
        Assert.Equal(RejectionCode.Malformed, Assert.Throws<MediaRejectedException>(() => Decode(Wave.File(3, 1, 16000, 32, BitConverter.GetBytes(float.NaN)))).Code);

    [Fact]
    public void A_recording_beyond_the_limit_is_too_large()
    {
        using var sink = new SoundSink(16000, new() { AudioSeconds = 1 }, long.MaxValue, "", default);

        var error = Assert.Throws<MediaRejectedException>(() => WavReader.Decode(new MemoryStream(Wave.Sine(440, 8000, 2)), sink, default));

        Assert.Equal(RejectionCode.TooLarge, error.Code);
    }

    private static DecodedAudio Decode(byte[] file)
    {
        using var sink = new SoundSink(16000, new(), long.MaxValue, "", default);
        Assert.True(WavReader.Decode(new MemoryStream(file), sink, default));
        return sink.Finish();
    }
}
