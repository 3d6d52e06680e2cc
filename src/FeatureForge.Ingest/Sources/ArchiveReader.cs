// Entries of zip and tar archives, one after another and never unpacked to disk. Limits hold while unpacking: declared sizes
// are checked first and not believed afterwards. What was read before an archive breaks off stays.
using System.Formats.Tar;
using System.IO.Compression;
using System.Runtime.ExceptionServices;
using FeatureForge.Data;
using SharpCompress.Readers;
using SharpCompress.Readers.Zip;

namespace FeatureForge.Ingest;

/// <summary>Hands the stream and the declared size of every entry to <paramref name="inEntry"/>, which offers what is in it.</summary>
internal sealed class ArchiveReader(IngestLimits limits, ArchiveReader.EntryFindings inEntry, CancellationToken stop)
{
    internal delegate IEnumerable<Finding> EntryFindings(Place place, Stream stream, long? size);

    private const long SmallEntryBytes = 1 << 20;
    private const int UnixType = 0xF000;
    private const int UnixLink = 0xA000;

    // ---- zip

    /// <summary>By the central directory at the archive's end; without one, entry by entry from the front.</summary>
    public IEnumerable<Finding> InZip(Place place, Stream file, long size)
    {
        var budget = place.Budget ?? new(limits, size);
        ZipArchive archive;
        try
        {
            archive = new(file, ZipArchiveMode.Read, leaveOpen: false, new ZipNameEncoding());
        }
        catch (InvalidDataException)
        {
            file.Position = 0;
            return InBrokenZip(place with { Budget = budget }, file);
        }
        return InWholeZip(place with { Budget = budget }, archive, size);
    }

    private IEnumerable<Finding> InWholeZip(Place place, ZipArchive archive, long size)
    {
        using var _ = archive;
        var entries = archive.Entries;
        new ArchiveBudget(limits, size).Check(entries.Count, entries.Aggregate(0L, (total, entry) => checked(total + entry.Length)));

        var (any, names) = (false, new DistinctNames());
        foreach (var entry in entries)
        {
            stop.ThrowIfCancellationRequested();
            if (entry.FullName.EndsWith('/') && entry.Length == 0) continue;
            any = true;
            place.Budget!.TakeEntry();
            place.Budget.ThrowIfSpent();
            var (name, problem) = EntryName.Check(entry.FullName);
            var inside = place.Entry(name, names.Next(name), entry.Length);
            if (problem != null) yield return inside.Bad(RejectionCode.UnsafePath, problem);
            else foreach (var finding in inside.Guard(InZipEntry(inside, entry))) yield return finding;
        }
        if (!any) yield return place.Bad(RejectionCode.Empty, "The archive holds no files.");
    }

    private IEnumerable<Finding> InZipEntry(Place place, ZipArchiveEntry entry)
    {
        if (entry.IsEncrypted) throw Encrypted();
        if ((entry.ExternalAttributes >>> 16 & UnixType) == UnixLink) throw Link(null);
        if (entry.Length == 0) throw new MediaRejectedException(RejectionCode.Empty, "The entry holds no bytes.");
        ThrowIfBomb(entry.Length, entry.CompressedLength);
        var left = entry.Length;
        using var unzipped = new LimitedStream(entry.Open(), count =>
        {
            place.Budget!.TakeBytes(count);
            if ((left -= count) < 0) throw new MediaRejectedException(RejectionCode.ArchiveBomb, $"The entry unpacks to more than the {entry.Length} bytes that it declares.");
        });
        foreach (var finding in inEntry(place, unzipped, entry.Length)) yield return finding;
    }

    // A download that was broken off has no central directory: its local headers still say what comes.
    private IEnumerable<Finding> InBrokenZip(Place place, Stream file)
    {
        using var reader = ZipReader.OpenReader(file, new ReaderOptions { LeaveStreamOpen = false });
        var names = new DistinctNames();
        var read = 0;
        while (true)
        {
            stop.ThrowIfCancellationRequested();
            // An error here ends the archive: it is the row of its rest.
            if (!Advance(reader, read)) break;
            var entry = reader.Entry;
            if (entry.IsDirectory) continue;
            read++;
            place.Budget!.TakeEntry();
            place.Budget.ThrowIfSpent();
            var (name, problem) = EntryName.Check(entry.Key ?? "");
            var inside = place.Entry(name, names.Next(name), entry.Size > 0 ? entry.Size : null);
            if (problem != null) yield return inside.Bad(RejectionCode.UnsafePath, problem);
            else foreach (var finding in inside.Guard(InBrokenZipEntry(inside, reader))) yield return finding;
        }
        yield return place.Bad(RejectionCode.Truncated, $"The zip archive has no directory at its end; it was read from the front, {read} entries. What came after them is lost: copy or download it again.");
    }

    private static bool Advance(IReader reader, int read)
    {
        try
        {
            return reader.MoveToNextEntry();
        }
        catch (Exception error) when (error is not (OutOfMemoryException or ScratchFailedException))
        {
            if (read == 0) throw new MediaRejectedException(RejectionCode.Malformed, $"It starts like a zip archive, but has neither a directory at its end nor a readable first entry: {error.Message}");
            return false;
        }
    }

    private IEnumerable<Finding> InBrokenZipEntry(Place place, IReader reader)
    {
        var entry = reader.Entry;
        if (entry.IsEncrypted) throw Encrypted();
        if (entry.Size > 0) ThrowIfBomb(entry.Size, entry.CompressedSize);
        using var unzipped = new LimitedStream(reader.OpenEntryStream(), place.Budget!.TakeBytes);
        foreach (var finding in inEntry(place, unzipped, entry.Size > 0 ? entry.Size : null)) yield return finding;
    }

    private void ThrowIfBomb(long unpacked, long packed)
    {
        if (unpacked >= SmallEntryBytes && unpacked / (double)Math.Max(1, packed) > limits.ArchiveRatio)
            throw new MediaRejectedException(RejectionCode.ArchiveBomb, $"The entry of {packed} bytes unpacks to {unpacked}; the limit is {limits.ArchiveRatio}:1.");
    }

    // ---- tar

    /// <param name="size">Bytes of the archive, packed if it is.</param>
    public IEnumerable<Finding> InTar(Place place, Stream file, long size)
    {
        place = place with { Budget = place.Budget ?? new(limits, size) };
        using var archive = new TarReader(file, leaveOpen: true);
        var (any, names) = (false, new DistinctNames());
        var group = new ShardGroup(inEntry);
        Exception? failure = null;
        while (true)
        {
            stop.ThrowIfCancellationRequested();
            TarEntry? entry = null;
            try
            {
                entry = archive.GetNextEntry();
            }
            catch (Exception error) when (error is not (OutOfMemoryException or ScratchFailedException))
            {
                failure = error;
            }
            if (entry == null) break;
            place.Budget!.TakeEntry();
            place.Budget.ThrowIfSpent();
            if (entry.EntryType is TarEntryType.Directory or TarEntryType.DirectoryList or TarEntryType.GlobalExtendedAttributes or TarEntryType.ExtendedAttributes) continue;
            any = true;
            var (name, problem) = EntryName.Check(entry.Name);
            var inside = place.Entry(name, names.Next(name), entry.Length);
            if (problem != null) yield return inside.Bad(RejectionCode.UnsafePath, problem);
            else foreach (var finding in inside.Guard(InTarEntry(inside, entry, group))) yield return finding;
        }
        // What was held back belongs to the readable part, also of an archive that breaks off here.
        foreach (var finding in group.TakeAll()) yield return finding;
        if (failure is MediaRejectedException) ExceptionDispatchInfo.Throw(failure);
        if (failure is EndOfStreamException) throw new MediaRejectedException(RejectionCode.Truncated, "The tar archive breaks off; what came before is kept. Copy or download it again.");
        if (failure != null) throw new InvalidDataException(failure.Message, failure);
        if (!any) yield return place.Bad(RejectionCode.Empty, "The archive holds no files.");
    }

    private static IEnumerable<Finding> InTarEntry(Place place, TarEntry entry, ShardGroup group)
    {
        if (entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile or TarEntryType.ContiguousFile)) throw Link(entry.LinkName);
        if (entry.DataStream is not { } data || entry.Length == 0) throw new MediaRejectedException(RejectionCode.Empty, "The entry holds no bytes.");
        foreach (var finding in group.Add(place, data, entry.Length)) yield return finding;
    }

    private static MediaRejectedException Encrypted() => new(RejectionCode.Encrypted, "The entry is encrypted; unpack the archive with its password first.");

    private static MediaRejectedException Link(string? target) => new(RejectionCode.UnsupportedFeature, string.IsNullOrEmpty(target)
        ? "The entry is a link or a device, not a file. Unpack the archive and ingest the folder."
        : $"The entry is a link to '{target}', not a file. If the archive holds its target, that is an item already; else unpack the archive and ingest the folder.");
}
