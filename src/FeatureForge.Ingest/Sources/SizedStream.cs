// A file as long as it was when it was opened: a file that grows while it is read ends here all the same.
namespace FeatureForge.Ingest;

/// <summary>The first <paramref name="size"/> bytes; owns <paramref name="inner"/>.</summary>
internal sealed class SizedStream(Stream inner, long size) : ForwardStream
{
    private long _left = size;

    protected override int Next(Span<byte> buffer)
    {
        if (buffer.Length > _left) buffer = buffer[..(int)_left];
        var read = buffer.IsEmpty ? 0 : inner.Read(buffer);
        _left -= read;
        return read;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) inner.Dispose();
        base.Dispose(disposing);
    }
}
