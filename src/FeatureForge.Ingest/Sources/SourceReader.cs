// Walks the sources in a fixed order and offers what is in them: files, archive entries, IDX pictures, table rows.
// One thread; what lies on servers is fetched ahead by others.
using System.Text;
using FeatureForge.Data;

namespace FeatureForge.Ingest;

/// <summary>Enters the bytes of every file candidate into the setting's gate; whoever consumes it lets them leave.</summary>
internal sealed class SourceReader
{
    // The source's own archive, and one inside it.
    private const int DeepestArchive = 2;
    private const int MemorySpoolBytes = 16 << 20;

    private readonly IngestSpec _spec;
    private readonly IngestLimits _limits;
    private readonly SourceSetting _setting;
    private readonly CancellationToken _stop;
    private readonly ArchiveReader _archives;

    public SourceReader(IngestSpec spec, SourceSetting setting, CancellationToken stop)
    {
        (_spec, _limits, _setting, _stop) = (spec, spec.Limits, setting, stop);
        _archives = new(_limits, InEntry, stop);
    }

    public IEnumerable<Finding> Findings() => _spec.Sources.SelectMany(FindingsOf);

    private IEnumerable<Finding> FindingsOf(string source)
    {
        var path = System.IO.Path.GetFullPath(source);
        if (!Directory.Exists(path)) return InFile(PlaceOf(path, System.IO.Path.GetFileName(path), FileUri.Of(path), isRoot: true));
        var walk = new FolderWalk(_setting.StoreFolder, System.IO.Path.Combine(_setting.ScratchFolder, "names"));
        return walk.Files(path).SelectMany(entry => entry.Problem is { } problem
            ? [PlaceOf(entry.FilePath, entry.RelativePath, entry.SourceUri, isRoot: false).Bad(entry.Code!.Value, problem)]
            : InFile(PlaceOf(entry.FilePath, entry.RelativePath, entry.SourceUri, isRoot: false)));
    }

    private Place PlaceOf(string filePath, string path, string sourceUri, bool isRoot) => new(path[(path.LastIndexOf('/') + 1)..], path, sourceUri, filePath, isRoot, null, _setting.Time.GetUtcNow());

    private IEnumerable<Finding> InFile(Place place)
    {
        _stop.ThrowIfCancellationRequested();
        var filePath = place.FilePath!;
        if (OperatingSystem.IsLinux() && LinuxFiles.StatusOf(Encoding.UTF8.GetBytes(filePath)).Status is { Format: not LinuxFiles.RegularFile } status)
            return [place.Bad(RejectionCode.NotAFile, FolderWalk.NoFile(status.Format))];
        return place.Guard(InClosedFile(place, filePath));
    }

    private IEnumerable<Finding> InClosedFile(Place place, string filePath)
    {
        using var stream = new FileStream(filePath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1 << 16, FileOptions.SequentialScan);
        var size = stream.Length;
        place = place with { ByteSize = size };
        foreach (var finding in place.Guard(InOpenFile(place, stream, size))) yield return finding;
    }

    // A file on disk, or a download: a stream that can seek.
    private IEnumerable<Finding> InOpenFile(Place place, Stream stream, long size)
    {
        if (size == 0) throw new MediaRejectedException(RejectionCode.Empty, "The file holds no bytes.");
        if (size > _limits.FileBytes) throw new MediaRejectedException(RejectionCode.TooLarge, $"The file has {size} bytes; the limit is {_limits.FileBytes}.");
        var head = PrefixedStream.TakeHead(stream, (int)Math.Min(size, MediaFormat.HeadBytes));
        var format = MediaFormat.Recognise(head, place.Name);
        stream.Position = 0;
        var needsSeeking = format.Kind is MediaKind.Zip or MediaKind.Parquet;
        foreach (var finding in InContent(place, format, needsSeeking ? stream : new SizedStream(stream, size), size)) yield return finding;
        if (format.Kind is not (MediaKind.Zip or MediaKind.Tar or MediaKind.Compressed or MediaKind.Table or MediaKind.Parquet or MediaKind.Idx)) yield break;
        if (place is { FilePath: { } filePath, IsDownload: false }) ThrowIfChanged(filePath, size);
    }

    private IEnumerable<Finding> InEntry(Place place, Stream stream, long? size)
    {
        var head = PrefixedStream.TakeHead(stream, MediaFormat.HeadBytes);
        return InContent(place, MediaFormat.Recognise(head, place.Name), new PrefixedStream(head, stream), size);
    }

    // ---- by what it is

    private IEnumerable<Finding> InContent(Place place, MediaFormat format, Stream stream, long? size)
    {
        if (_spec.Modality is { } wanted && format.Modality is { } found && found != wanted)
            return [place.Bad(RejectionCode.WrongModality, $"It is {format.Name} ({found.ToString().ToLowerInvariant()}); the run takes {wanted.ToString().ToLowerInvariant()} only.")];
        return format.Kind switch
        {
            MediaKind.Zip when MediaSignatures.IsZipBasedDocument(place.Name) => [place.Bad(RejectionCode.UnsupportedFormat, "A document or program in a zip container; expected audio, an image or text.")],
            MediaKind.Zip or MediaKind.Tar when place.Depth >= DeepestArchive => [place.Bad(RejectionCode.UnsupportedFormat, $"A {format.Name} in an archive that lies in an archive itself; only one archive inside another is opened. Unpack the outer one first.")],
            MediaKind.Zip => InZip(place, stream, size),
            MediaKind.Tar => _archives.InTar(place, stream, size ?? _limits.ContentBytes),
            MediaKind.Compressed => InCompressed(place, format, stream, size),
            MediaKind.Idx => new IdxReader(_limits).Findings(place, stream),
            MediaKind.Table => new TableReader(_spec).Findings(place, format, stream),
            MediaKind.Other or MediaKind.Parquet when _spec.Modality != Modality.Text => [place.Bad(RejectionCode.UnsupportedFormat, $"A {format.Name} ({format.MediaType}); expected audio, an image or text. If it is a text document, ingest with --modality text.")],
            _ => [Whole(place, format, stream, size)],
        };
    }

    private IEnumerable<Finding> InZip(Place place, Stream stream, long? size)
    {
        using var seekable = Seekable(stream, size);
        foreach (var finding in _archives.InZip(place, seekable, seekable.Length)) yield return finding;
    }

    private IEnumerable<Finding> InCompressed(Place place, MediaFormat format, Stream stream, long? size)
    {
        place = place with { Budget = place.Budget ?? new(_limits, size ?? _limits.ContentBytes) };
        using var unpacked = new LimitedStream(CompressedFile.Open(format, stream), place.Budget.TakeBytes);
        var head = PrefixedStream.TakeHead(unpacked, MediaFormat.HeadBytes);
        if (head.Length == 0) throw new MediaRejectedException(RejectionCode.Empty, $"The {format.Name} file holds no bytes.");
        // The file's path stays; what is inside has no other name, and is not to be referenced.
        var inside = place with { Name = CompressedFile.InnerName(place.Name), FilePath = null };
        var inner = MediaFormat.Recognise(head, inside.Name);
        if (inner.Kind is MediaKind.Compressed or MediaKind.Zip) throw new MediaRejectedException(RejectionCode.UnsupportedFormat, $"A {format.Name} file with a {inner.Name} in it; expected a tar archive, an IDX file, a table or one document. Unpack it first.");
        foreach (var finding in InContent(inside, inner, new PrefixedStream(head, unpacked), null)) yield return finding;
    }

    // ---- one file, one item

    private Finding Whole(Place place, MediaFormat format, Stream stream, long? declared)
    {
        var candidate = new FileCandidate { Path = place.Path, SourceUri = place.SourceUri, Metadata = place.Metadata, Format = format, ByteSize = declared ?? 0, FilePath = place.FilePath, CanBeReferenced = place.FilePath != null };
        if (declared is not { } size) return OfUnknownSize(candidate, stream);
        if (size > _limits.ContentBytes)
        {
            return place.FilePath != null ? new(candidate, null) : place.Bad(RejectionCode.TooLarge, $"The archive entry has {size} bytes; the limit is {_limits.ContentBytes}. Unpack the archive: files of a folder are then kept by reference.");
        }
        _setting.Gate.Enter(size, _stop);
        try
        {
            var bytes = new byte[size];
            var read = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            if (place.FilePath is { } filePath) ThrowIfChanged(filePath, size);
            if (read < bytes.Length) throw new MediaRejectedException(RejectionCode.Truncated, $"The archive declares {size} bytes for this entry and holds {read}.");
            if (place.FilePath == null && stream.ReadByte() >= 0) throw new MediaRejectedException(RejectionCode.ArchiveBomb, $"The archive declares {size} bytes for this entry and holds more.");
            return new(candidate with { Bytes = bytes }, null);
        }
        catch
        {
            _setting.Gate.Leave(size);
            throw;
        }
    }

    private Finding OfUnknownSize(FileCandidate candidate, Stream stream)
    {
        var buffer = new MemoryStream();
        var chunk = new byte[1 << 16];
        while (stream.Read(chunk) is > 0 and var read)
        {
            if (buffer.Length + read > _limits.ContentBytes) throw new MediaRejectedException(RejectionCode.TooLarge, $"It unpacks to more than {_limits.ContentBytes} bytes. Unpack it: files of a folder are then kept by reference.");
            buffer.Write(chunk, 0, read);
        }
        if (buffer.Length == 0) throw new MediaRejectedException(RejectionCode.Empty, "It holds no bytes.");
        _setting.Gate.Enter(buffer.Length, _stop);
        return new(candidate with { Bytes = buffer.ToArray(), ByteSize = buffer.Length }, null);
    }

    private static void ThrowIfChanged(string filePath, long size)
    {
        var now = OperatingSystem.IsLinux() ? LinuxFiles.StatusOf(Encoding.UTF8.GetBytes(filePath)).Status?.Size ?? 0 : new FileInfo(filePath).Length;
        if (now != size) throw new MediaRejectedException(RejectionCode.Changed, $"The file had {size} bytes when it was opened and {now} when it had been read: something is writing to it. Ingest it again when it is complete.");
    }

    // Small ones in memory, larger ones in a file that goes with the stream.
    private Stream Seekable(Stream stream, long? size)
    {
        if (stream.CanSeek) return stream;
        Stream spool = new MemoryStream();
        if (size is null or > MemorySpoolBytes)
        {
            Directory.CreateDirectory(_setting.ScratchFolder);
            spool = new FileStream(System.IO.Path.Combine(_setting.ScratchFolder, $"archive-{Guid.NewGuid():N}"), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, 1 << 16, FileOptions.DeleteOnClose);
        }
        try
        {
            stream.CopyTo(spool);
        }
        catch
        {
            spool.Dispose();
            throw;
        }
        spool.Position = 0;
        return spool;
    }
}
