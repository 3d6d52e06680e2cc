// Counts what is read through it and stops a decompression bomb while it unpacks.
namespace FeatureForge.Ingest;

/// <summary>Hands every count of bytes to <paramref name="take"/>, which throws when they are too many; owns <paramref name="inner"/>.</summary>
internal sealed class LimitedStream(Stream inner, Action<int> take) : ForwardStream
{
    protected override int Next(Span<byte> buffer)
    {
        var read = inner.Read(buffer);
        take(read);
        return read;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) inner.Dispose();
        base.Dispose(disposing);
    }
}
