// Walks the sources in a fixed order and offers what is in them: files, archive entries, IDX pictures, table rows.
// One thread; archives are read as streams, never unpacked to disk.
using System.Formats.Tar;
using System.IO.Compression;
using FeatureForge.Data;

namespace FeatureForge.Ingest;

/// <summary>Enters the bytes of every file candidate into <paramref name="gate"/>; whoever consumes it lets them leave.</summary>
internal sealed class SourceReader(IngestSpec spec, string storeFolder, MemoryGate gate, TimeProvider time, CancellationToken stop)
{
    private readonly IngestLimits _limits = spec.Limits;

    public IEnumerable<Finding> Findings() => spec.Sources.SelectMany(FindingsOf);

    private IEnumerable<Finding> FindingsOf(string source)
    {
        var path = System.IO.Path.GetFullPath(source);
        if (!Directory.Exists(path)) return InFile(path, System.IO.Path.GetFileName(path), isRoot: true);
        return FolderWalk.Files(path, storeFolder).SelectMany(entry => entry.Problem is { } problem
            ? [PlaceOf(entry.FilePath, entry.RelativePath, isRoot: false, size: null).Bad(RejectionCode.Unreadable, problem)]
            : InFile(entry.FilePath, entry.RelativePath, isRoot: false));
    }

    private Place PlaceOf(string filePath, string path, bool isRoot, long? size) => new(System.IO.Path.GetFileName(filePath), path, FileUri.Of(filePath), filePath, isRoot, size, time.GetUtcNow());

    private IEnumerable<Finding> InFile(string filePath, string path, bool isRoot)
    {
        stop.ThrowIfCancellationRequested();
        long size;
        try { size = new FileInfo(File.ResolveLinkTarget(filePath, returnFinalTarget: true)?.FullName ?? filePath).Length; }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException) { return [PlaceOf(filePath, path, isRoot, null).Bad(error)]; }

        var place = PlaceOf(filePath, path, isRoot, size);
        // Pipes and devices have no size either, and opening them would block: they end here.
        if (size == 0) return [place.Bad(RejectionCode.Empty, "The file holds no bytes.")];
        if (size > _limits.FileBytes) return [place.Bad(RejectionCode.TooLarge, $"The file has {size} bytes; the limit is {_limits.FileBytes}.")];
        return place.Guard(InOpenFile(place, filePath, size));
    }

    private IEnumerable<Finding> InOpenFile(Place place, string filePath, long size)
    {
        using var stream = new FileStream(filePath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1 << 16, FileOptions.SequentialScan);
        var head = PrefixedStream.TakeHead(stream, MediaFormat.HeadBytes);
        var format = MediaFormat.Recognise(head, place.Name);
        stream.Position = 0;
        var findings = format.Kind switch
        {
            MediaKind.Zip when !MediaSignatures.IsZipBasedDocument(filePath) => InZip(place, stream),
            MediaKind.Tar => InTar(place, stream),
            _ => InStream(place, format, stream, filePath, size),
        };
        foreach (var finding in findings) yield return finding;
    }

    // A plain file, or an entry of an archive (then filePath is null).
    private IEnumerable<Finding> InStream(Place place, MediaFormat format, Stream stream, string? filePath, long size)
    {
        if (spec.Modality is { } wanted && format.Modality is { } found && found != wanted)
            return [place.Bad(RejectionCode.WrongModality, $"It is {format.Name} ({found.ToString().ToLowerInvariant()}); the run takes {wanted.ToString().ToLowerInvariant()} only.")];
        return format.Kind switch
        {
            MediaKind.Gzip => InGzip(place, stream, size, mayHoldTar: filePath != null),
            MediaKind.Idx => new IdxReader(_limits).Findings(place, stream),
            MediaKind.Table => new TableReader(spec).Findings(place, format, stream),
            MediaKind.Zip or MediaKind.Tar => [place.Bad(RejectionCode.UnsupportedFormat, filePath == null
                ? $"A {format.Name} inside an archive; only archives of the source itself are opened. Unpack it first."
                : "A document or program in a zip container; expected audio, an image or text.")],
            MediaKind.Other when spec.Modality != Modality.Text => [place.Bad(RejectionCode.UnsupportedFormat, $"A {format.Name} ({format.MediaType}); expected audio, an image or text. If it is a text document, ingest with --modality text.")],
            _ => [Whole(place, format, stream, filePath, size)],
        };
    }

    private Finding Whole(Place place, MediaFormat format, Stream stream, string? filePath, long size)
    {
        if (size > _limits.ContentBytes && filePath == null)
            return place.Bad(RejectionCode.TooLarge, $"The archive entry has {size} bytes; the limit is {_limits.ContentBytes}. Unpack the archive: files of a folder are then kept by reference.");
        var candidate = new FileCandidate { Path = place.Path, SourceUri = place.SourceUri, Format = format, ByteSize = size, FilePath = filePath };
        if (size > _limits.ContentBytes) return new(candidate, null);

        gate.Enter(size, stop);
        try
        {
            var bytes = new byte[size];
            var read = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            if (read < bytes.Length) throw new MediaRejectedException(RejectionCode.Truncated, $"The archive declares {size} bytes for this entry and holds {read}.");
            if (filePath == null && stream.ReadByte() >= 0) throw new MediaRejectedException(RejectionCode.ArchiveBomb, $"The archive declares {size} bytes for this entry and holds more.");
            return new(candidate with { Bytes = bytes }, null);
        }
        catch
        {
            gate.Leave(size);
            throw;
        }
    }

    // ---- archives

    private IEnumerable<Finding> InZip(Place place, Stream file)
    {
        using var archive = new ZipArchive(file, ZipArchiveMode.Read);
        var entries = archive.Entries;
        if (entries.Count > _limits.ArchiveEntries) throw TooManyEntries();
        var total = 0L;
        foreach (var entry in entries) total = checked(total + entry.Length);
        if (total > _limits.ArchiveBytes || IsBomb(total, file.Length))
            throw new MediaRejectedException(RejectionCode.ArchiveBomb, $"The archive of {file.Length} bytes unpacks to {total}; the limits are {_limits.ArchiveRatio}:1 and {_limits.ArchiveBytes} bytes.");

        var any = false;
        foreach (var entry in entries)
        {
            stop.ThrowIfCancellationRequested();
            if (entry.FullName.EndsWith('/') && entry.Length == 0) continue;
            any = true;
            var (name, problem) = EntryName.Check(entry.FullName);
            var inside = place.Entry(name, entry.Length);
            if (problem != null) yield return inside.Bad(RejectionCode.UnsafePath, problem);
            else foreach (var finding in inside.Guard(InZipEntry(inside, entry))) yield return finding;
        }
        if (!any) yield return place.Bad(RejectionCode.Empty, "The archive holds no files.");
    }

    private IEnumerable<Finding> InZipEntry(Place place, ZipArchiveEntry entry)
    {
        if (entry.IsEncrypted) throw new MediaRejectedException(RejectionCode.Encrypted, "The entry is encrypted; unpack the archive with its password first.");
        if ((entry.ExternalAttributes >>> 16 & 0xF000) == 0xA000) throw Link();
        if (entry.Length == 0) throw new MediaRejectedException(RejectionCode.Empty, "The entry holds no bytes.");
        if (entry.Length >= 1 << 20 && entry.Length / (double)Math.Max(1, entry.CompressedLength) > _limits.ArchiveRatio)
            throw new MediaRejectedException(RejectionCode.ArchiveBomb, $"The entry of {entry.CompressedLength} bytes unpacks to {entry.Length}; the limit is {_limits.ArchiveRatio}:1.");
        using var unzipped = new LimitedStream(entry.Open(), entry.Length, () => new(RejectionCode.ArchiveBomb, $"The entry unpacks to more than the {entry.Length} bytes that it declares."));
        foreach (var finding in InEntry(place, unzipped, entry.Length)) yield return finding;
    }

    private IEnumerable<Finding> InTar(Place place, Stream file)
    {
        using var archive = new TarReader(file, leaveOpen: true);
        var (count, total) = (0, 0L);
        while (archive.GetNextEntry() is { } entry)
        {
            stop.ThrowIfCancellationRequested();
            if (++count > _limits.ArchiveEntries) throw TooManyEntries();
            total = checked(total + entry.Length);
            if (total > _limits.ArchiveBytes) throw new MediaRejectedException(RejectionCode.ArchiveBomb, $"The archive declares more than {_limits.ArchiveBytes} bytes.");
            if (entry.EntryType is TarEntryType.Directory or TarEntryType.DirectoryList or TarEntryType.GlobalExtendedAttributes or TarEntryType.ExtendedAttributes) continue;
            var (name, problem) = EntryName.Check(entry.Name);
            var inside = place.Entry(name, entry.Length);
            if (problem != null) yield return inside.Bad(RejectionCode.UnsafePath, problem);
            else foreach (var finding in inside.Guard(InTarEntry(inside, entry))) yield return finding;
        }
        if (count == 0) yield return place.Bad(RejectionCode.Empty, "The archive holds no files.");
    }

    private IEnumerable<Finding> InTarEntry(Place place, TarEntry entry)
    {
        if (entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile or TarEntryType.ContiguousFile)) throw Link();
        if (entry.DataStream is not { } data || entry.Length == 0) throw new MediaRejectedException(RejectionCode.Empty, "The entry holds no bytes.");
        foreach (var finding in InEntry(place, data, entry.Length)) yield return finding;
    }

    private IEnumerable<Finding> InEntry(Place place, Stream stream, long size)
    {
        var head = PrefixedStream.TakeHead(stream, MediaFormat.HeadBytes);
        return InStream(place, MediaFormat.Recognise(head, place.Name), new PrefixedStream(head, stream), null, size);
    }

    // gzip holds one stream: a tar, an IDX file or a table.
    private IEnumerable<Finding> InGzip(Place place, Stream file, long size, bool mayHoldTar)
    {
        var limit = Math.Min(_limits.ArchiveBytes, Math.Max(BombFloor, (long)(size * _limits.ArchiveRatio)));
        using var unzipped = new LimitedStream(new GZipStream(file, CompressionMode.Decompress), limit,
            () => new(RejectionCode.ArchiveBomb, $"The gzip file of {size} bytes unpacks to more than {limit}; the limits are {_limits.ArchiveRatio}:1 and {_limits.ArchiveBytes} bytes."));
        var head = PrefixedStream.TakeHead(unzipped, MediaFormat.HeadBytes);
        var format = MediaFormat.Recognise(head, place.Name.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? place.Name[..^3] : place.Name);
        var rest = new PrefixedStream(head, unzipped);
        var findings = format.Kind switch
        {
            MediaKind.Tar when mayHoldTar => InTar(place, rest),
            MediaKind.Idx or MediaKind.Table => InStream(place, format, rest, null, size),
            _ => [place.Bad(RejectionCode.UnsupportedFormat, $"A gzip file with one {format.Name} in it; expected a tar archive, an IDX file or a table. Unpack it first.")],
        };
        foreach (var finding in findings) yield return finding;
    }

    // Small archives may have any ratio: a text of one letter is no bomb.
    private const long BombFloor = 32 << 20;

    private bool IsBomb(long unpacked, long packed) => unpacked > BombFloor && unpacked / (double)packed > _limits.ArchiveRatio;

    private MediaRejectedException TooManyEntries() => new(RejectionCode.ArchiveBomb, $"The archive has more than {_limits.ArchiveEntries} entries.");

    private static MediaRejectedException Link() => new(RejectionCode.UnsupportedFeature, "The entry is a link or a device, not a file.");
}
