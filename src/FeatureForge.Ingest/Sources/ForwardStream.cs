// What all streams have in common that are read once, from front to back.
namespace FeatureForge.Ingest;

internal abstract class ForwardStream : Stream
{
    private long _position;

    /// <summary>The next bytes, as `Read` gives them.</summary>
    protected abstract int Next(Span<byte> buffer);

    public sealed override int Read(Span<byte> buffer)
    {
        var read = Next(buffer);
        _position += read;
        return read;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int ReadByte()
    {
        Span<byte> one = stackalloc byte[1];
        return Read(one) == 1 ? one[0] : -1;
    }

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => _position; set => throw new NotSupportedException(); }
    public override void Flush() { }
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
