// A recording as a WAV file that is never in memory: header, then samples straight from the mapped prepared part.
using System.Runtime.InteropServices;
using FeatureForge.Ingest;

namespace FeatureForge.Server;

/// <summary>16-bit mono PCM with a 44-byte header; seekable, so that browsers can ask for ranges. Owns the item.</summary>
public sealed class WavStream(PreparedItem item) : Stream
{
    private readonly byte[] _header = WaveFile.Header(item.Preparation.SampleRate!.Value, item.Samples.Length);

    public override bool CanRead => true;
    public override bool CanSeek => true;
    public override bool CanWrite => false;
    public override long Length => WaveFile.HeaderBytes + 2L * item.Samples.Length;
    public override long Position { get; set; }

    public override int Read(Span<byte> buffer)
    {
        var source = Position < WaveFile.HeaderBytes ? _header.AsSpan((int)Position) : MemoryMarshal.AsBytes(item.Samples)[(int)Math.Min(Position - WaveFile.HeaderBytes, 2L * item.Samples.Length)..];
        var count = Math.Min(buffer.Length, source.Length);
        source[..count].CopyTo(buffer);
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
