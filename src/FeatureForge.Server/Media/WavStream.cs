// A recording as a WAV file that is never in memory: header, then samples straight from the mapped prepared part.
using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace FeatureForge.Server;

/// <summary>16-bit mono PCM with a 44-byte header; seekable, so that browsers can ask for ranges. Owns the item.</summary>
public sealed class WavStream(PreparedItem item) : Stream
{
    private const int HeaderBytes = 44;

    private readonly byte[] _header = Header(item.Preparation.SampleRate!.Value, item.Samples.Length * 2);

    public override bool CanRead => true;
    public override bool CanSeek => true;
    public override bool CanWrite => false;
    public override long Length => HeaderBytes + 2L * item.Samples.Length;
    public override long Position { get; set; }

    public override int Read(Span<byte> buffer)
    {
        var source = Position < HeaderBytes ? _header.AsSpan((int)Position) : MemoryMarshal.AsBytes(item.Samples)[(int)Math.Min(Position - HeaderBytes, 2L * item.Samples.Length)..];
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

    private static byte[] Header(int rate, int dataBytes)
    {
        var header = new byte[HeaderBytes];
        "RIFF"u8.CopyTo(header);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(4), 36 + dataBytes);
        "WAVEfmt "u8.CopyTo(header.AsSpan(8));
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(16), 16);
        BinaryPrimitives.WriteInt16LittleEndian(header.AsSpan(20), 1);
        BinaryPrimitives.WriteInt16LittleEndian(header.AsSpan(22), 1);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(24), rate);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(28), rate * 2);
        BinaryPrimitives.WriteInt16LittleEndian(header.AsSpan(32), 2);
        BinaryPrimitives.WriteInt16LittleEndian(header.AsSpan(34), 16);
        "data"u8.CopyTo(header.AsSpan(36));
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(40), dataBytes);
        return header;
    }
}
