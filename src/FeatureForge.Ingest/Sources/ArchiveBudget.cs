// What one archive of a source may unpack to, archives inside it included: counted while it is read.
using FeatureForge.Data;

namespace FeatureForge.Ingest;

/// <param name="packedBytes">Size of the archive.</param>
internal sealed class ArchiveBudget(IngestLimits limits, long packedBytes)
{
    // Small archives may have any ratio: a text of one letter is no bomb.
    private const long Floor = 32 << 20;

    private readonly long _most = (long)Math.Min(limits.ArchiveBytes, Math.Max(Floor, packedBytes * limits.ArchiveRatio));
    private long _unpacked;
    private int _entries;

    public void TakeEntry()
    {
        if (++_entries > limits.ArchiveEntries) throw TooManyEntries();
    }

    public void TakeBytes(int count)
    {
        _unpacked += count;
        ThrowIfSpent();
    }

    /// <exception cref="MediaRejectedException">Nothing more may be unpacked.</exception>
    public void ThrowIfSpent()
    {
        if (_unpacked > _most) throw new MediaRejectedException(RejectionCode.ArchiveBomb, $"The archive of {packedBytes} bytes unpacks to more than {_most}; the limits are {limits.ArchiveRatio}:1 and {limits.ArchiveBytes} bytes.");
    }

    /// <summary>Refuses what an archive's own directory declares, before anything is unpacked.</summary>
    public void Check(int entries, long unpacked)
    {
        if (entries > limits.ArchiveEntries) throw TooManyEntries();
        if (unpacked > _most) throw new MediaRejectedException(RejectionCode.ArchiveBomb, $"The archive of {packedBytes} bytes unpacks to {unpacked}; the limits are {limits.ArchiveRatio}:1 and {limits.ArchiveBytes} bytes.");
    }

    private MediaRejectedException TooManyEntries() => new(RejectionCode.ArchiveBomb, $"The archive has more than {limits.ArchiveEntries} entries.");
}
