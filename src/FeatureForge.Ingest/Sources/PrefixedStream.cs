// Gives back the first bytes that recognition has already read, then the rest.
namespace FeatureForge.Ingest;

/// <summary>Owns <paramref name="rest"/>.</summary>
internal sealed class PrefixedStream(ReadOnlyMemory<byte> head, Stream rest) : ForwardStream
{
    private ReadOnlyMemory<byte> _head = head;

    /// <summary>Takes up to <paramref name="count"/> first bytes off a stream.</summary>
    public static byte[] TakeHead(Stream stream, int count)
    {
        var head = new byte[count];
        var read = stream.ReadAtLeast(head, count, throwOnEndOfStream: false);
        return read == count ? head : head[..read];
    }

    protected override int Next(Span<byte> buffer)
    {
        if (_head.IsEmpty) return rest.Read(buffer);
        var count = Math.Min(buffer.Length, _head.Length);
        _head.Span[..count].CopyTo(buffer);
        _head = _head[count..];
        return count;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) rest.Dispose();
        base.Dispose(disposing);
    }
}
