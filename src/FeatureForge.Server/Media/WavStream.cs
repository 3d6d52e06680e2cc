// A recording as a WAV file that is never in memory: header, then samples straight from the mapped prepared part.
using System.Runtime.InteropServices;
using FeatureForge.Ingest;

namespace FeatureForge.Server;

/// <summary>16-bit mono PCM with a 44-byte header; seekable, so that browsers can ask for ranges. Owns the item.</summary>
public sealed class WavStream(PreparedItem item) : Stream
{
    private const int MostBytes = 1 << 16;
    private readonly byte[] _header = WaveFile.Header(item.Preparation.SampleRate!.Value, item.SampleCount);

    public override bool CanRead => true;
    public override bool CanSeek => true;
    public override bool CanWrite => false;
    public override long Length => WaveFile.HeaderBytes + 2L * item.SampleCount;
    public override long Position { get; set; }

    public override int Read(Span<byte> buffer)
    {
        if (Position < WaveFile.HeaderBytes)
        {
            var header = _header.AsSpan((int)Position, (int)Math.Min(buffer.Length, WaveFile.HeaderBytes - Position));
            header.CopyTo(buffer);
            Position += header.Length;
            return header.Length;
        }
        // Whole samples, of which the first and the last may be wanted by half.
        var at = Position - WaveFile.HeaderBytes;
        var count = (int)Math.Min(Math.Min(buffer.Length, MostBytes), Length - Position);
        if (count <= 0) return 0;
        var samples = new short[(int)((at + count + 1) / 2 - at / 2)];
        item.ReadSamples((int)(at / 2), samples);
        MemoryMarshal.AsBytes(samples).Slice((int)(at % 2), count).CopyTo(buffer);
        Position += count;
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => ValueTask.FromResult(Read(buffer.Span));

    public override long Seek(long offset, SeekOrigin origin) => Position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => Position + offset,
        _ => Length + offset,
    };

    public override void Flush() { }
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing) item.Dispose();
        base.Dispose(disposing);
    }
}
