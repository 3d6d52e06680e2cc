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
    private readonly TableReader _tables;
    private readonly Lazy<RemoteReader> _remote;

    public SourceReader(IngestSpec spec, SourceSetting setting, CancellationToken stop)
    {
        (_spec, _limits, _setting, _stop) = (spec, spec.Limits, setting, stop);
        _archives = new(_limits, InEntry, stop);
        _tables = new(spec, OfBytes);
        _remote = new(() => new(spec, setting, stop));
    }

    public IEnumerable<Finding> Findings()
    {
        try
        {
            foreach (var finding in _spec.Sources.SelectMany(FindingsOf)) yield return finding;
        }
        finally
        {
            if (_remote.IsValueCreated) _remote.Value.Dispose();
        }
    }

    private IEnumerable<Finding> FindingsOf(string source)
    {
        if (RemoteReader.IsRemote(source)) return Follow(_remote.Value.LinksOf(source, _setting.Time.GetUtcNow(), _stop));
        var path = System.IO.Path.GetFullPath(source);
        if (!Directory.Exists(path)) return InFile(PlaceOf(path, System.IO.Path.GetFileName(path), FileUri.Of(path), isRoot: true));
        var walk = new FolderWalk(_setting.StoreFolder, System.IO.Path.Combine(_setting.ScratchFolder, "names"));
        return walk.Files(path).SelectMany(entry => entry.Problem is { } problem
            ? [PlaceOf(entry.FilePath, entry.RelativePath, entry.SourceUri, isRoot: false).Bad(entry.Code!.Value, problem)]
            : InFile(PlaceOf(entry.FilePath, entry.RelativePath, entry.SourceUri, isRoot: false)));
    }

    private Place PlaceOf(string filePath, string path, string sourceUri, bool isRoot) => new(path[(path.LastIndexOf('/') + 1)..], path, sourceUri, filePath, isRoot, null, _setting.Time.GetUtcNow()) { IsWhole = true };

    private IEnumerable<Finding> InFile(Place place)
    {
        _stop.ThrowIfCancellationRequested();
        if (!place.IsLinked && !_setting.IsWanted(place.SourceUri)) return [];
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
        if (place is { IsRoot: true, IsLinked: false } && format is { Kind: MediaKind.Text, MediaType: "text/plain" } && TableReader.IsListOfLinks(head, head.Length == size))
        {
            foreach (var finding in Follow(TableReader.LinksOf(place, new SizedStream(stream, size)))) yield return finding;
            yield break;
        }
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
            MediaKind.Table => Follow(_tables.Findings(place, format, stream)),
            MediaKind.Parquet => InParquet(place, format, stream, size),
            MediaKind.Other when _spec.Modality != Modality.Text => [place.Bad(RejectionCode.UnsupportedFormat, $"A {format.Name} ({format.MediaType}); expected audio, an image or text. If it is a text document, ingest with --modality text.")],
            _ when TextSplitter.IsTooLong(format, size, _limits) => new TextSplitter(_limits, _stop).Findings(place, format, stream),
            _ => [Whole(place, format, stream, size)],
        };
    }

    private IEnumerable<Finding> InZip(Place place, Stream stream, long? size)
    {
        using var seekable = Seekable(stream, size);
        foreach (var finding in _archives.InZip(place, seekable, seekable.Length)) yield return finding;
    }

    private IEnumerable<Finding> InParquet(Place place, MediaFormat format, Stream stream, long? size)
    {
        using var seekable = Seekable(stream, size, onDisk: true);
        foreach (var finding in Follow(_tables.Findings(place, format, seekable))) yield return finding;
    }

    private IEnumerable<Finding> InCompressed(Place place, MediaFormat format, Stream stream, long? size)
    {
        place = place with { Budget = place.Budget ?? new(_limits, size ?? _limits.ContentBytes) };
        using var unpacked = new LimitedStream(CompressedFile.Open(format, stream), place.Budget.TakeBytes);
        var head = PrefixedStream.TakeHead(unpacked, MediaFormat.HeadBytes);
        if (head.Length == 0) throw new MediaRejectedException(RejectionCode.Empty, $"The {format.Name} file holds no bytes.");
        // The file's path stays; what is inside has no other name, and is not to be referenced.
        var inside = place with { Name = CompressedFile.InnerName(place.Name), FilePath = null, IsDownload = false, IsWhole = false, ContentSha256 = null };
        var inner = MediaFormat.Recognise(head, inside.Name);
        if (inner.Kind is MediaKind.Compressed or MediaKind.Zip) throw new MediaRejectedException(RejectionCode.UnsupportedFormat, $"A {format.Name} file with a {inner.Name} in it; expected a tar archive, an IDX file, a table or one document. Unpack it first.");
        foreach (var finding in InContent(inside, inner, new PrefixedStream(head, unpacked), null)) yield return finding;
    }

    // ---- what tables, lists and listings name

    private IEnumerable<Finding> Follow(IEnumerable<Finding> findings)
    {
        foreach (var (finding, fetched) in _remote.Value.Ahead(findings))
        {
            if (finding.Candidate is not LinkCandidate link) yield return finding;
            else if (link.Place.IsLinked) yield return link.Place.Bad(RejectionCode.UnsupportedFeature, $"It names '{link.Target}', but was itself reached by a link; such links are followed once.");
            else foreach (var found in link.Place.Guard(fetched != null ? InFetched(link, fetched) : InLinked(link))) yield return found;
        }
    }

    private IEnumerable<Finding> InLinked(LinkCandidate link)
    {
        var path = LinkedFile.Resolve(link.Target, link.Place);
        foreach (var finding in InFile(link.Place with { Name = System.IO.Path.GetFileName(path), FilePath = path, SourceUri = FileUri.Of(path), IsWhole = true, IsRoot = false, IsLinked = true })) yield return finding;
    }

    private IEnumerable<Finding> InFetched(LinkCandidate link, Fetched fetched)
    {
        var place = link.Place with { SourceUri = RemoteReader.Shown(link.Target), ByteSize = fetched.Sha256 == null ? null : fetched.Size, ContentSha256 = fetched.Sha256 };
        if (fetched.Code is { } code) return [place.Bad(code, fetched.Reason!)];
        if (fetched.IsUnchanged)
        {
            return [_setting.IsKnownItem(fetched.Sha256![..32])
                ? new(new UnchangedCandidate { Path = place.Path, SourceUri = place.SourceUri, Sha256 = fetched.Sha256! }, null)
                : place.Bad(RejectionCode.Malformed, "It is as bad as it was before.")];
        }
        var name = RemoteReader.NameOf(link.Target);
        return InDownload(place with { Name = name, FilePath = fetched.FilePath, IsDownload = fetched.FilePath != null, IsWhole = true, IsLinked = !link.IsSource, IsRoot = link.IsSource && place.IsRoot }, fetched);
    }

    private IEnumerable<Finding> InDownload(Place place, Fetched fetched)
    {
        var isHandedOn = false;
        try
        {
            using Stream stream = fetched.Bytes != null ? new MemoryStream(fetched.Bytes, writable: false) : File.OpenRead(fetched.FilePath!);
            foreach (var finding in place.Guard(InOpenFile(place, stream, fetched.Size)))
            {
                isHandedOn |= finding.Candidate is FileCandidate { IsDownload: true };
                yield return finding;
            }
        }
        finally
        {
            if (!isHandedOn && fetched.FilePath != null) File.Delete(fetched.FilePath);
        }
    }

    // ---- one file, one item

    // The bytes of a table's row.
    private Finding OfBytes(Place place, byte[] bytes)
    {
        var format = MediaFormat.Recognise(bytes.AsSpan(0, Math.Min(bytes.Length, MediaFormat.HeadBytes)), place.Name);
        if (format.Kind is not (MediaKind.Image or MediaKind.Audio or MediaKind.Text)) throw new MediaRejectedException(RejectionCode.UnsupportedFormat, $"The row holds a {format.Name} ({format.MediaType}); expected audio, an image or text.");
        return InContent(place, format, new MemoryStream(bytes, writable: false), bytes.Length).Single();
    }

    private Finding Whole(Place place, MediaFormat format, Stream stream, long? declared)
    {
        var candidate = new FileCandidate { Path = place.Path, SourceUri = place.SourceUri, Metadata = place.Metadata, Format = format, ByteSize = declared ?? 0, FilePath = place.FilePath, CanBeReferenced = place.IsWhole };
        // A download is read to its end, or left to whoever takes it over.
        if (!place.IsDownload && !_setting.IsMine(StagedPart.KeyOf(new(candidate, null)))) return new(new PassedOverCandidate { Path = place.Path, SourceUri = place.SourceUri }, null);
        if (declared is not { } size) return OfUnknownSize(candidate, stream);
        if (size > _limits.ContentBytes)
        {
            return place.FilePath != null ? new(candidate with { IsDownload = place.IsDownload }, null) : place.Bad(RejectionCode.TooLarge, $"The archive entry has {size} bytes; the limit is {_limits.ContentBytes}. Unpack the archive: files of a folder are then kept by reference.");
        }
        _setting.Gate.Enter(size, _stop);
        try
        {
            var bytes = GC.AllocateUninitializedArray<byte>((int)size);
            var read = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            if (place is { FilePath: { } filePath, IsDownload: false }) ThrowIfChanged(filePath, size);
            if (read < bytes.Length) throw new MediaRejectedException(RejectionCode.Truncated, $"The archive declares {size} bytes for this entry and holds {read}.");
            if (place.FilePath == null && stream.ReadByte() >= 0) throw new MediaRejectedException(RejectionCode.ArchiveBomb, $"The archive declares {size} bytes for this entry and holds more.");
            return new(candidate with { Bytes = bytes, FilePath = place.IsDownload ? null : place.FilePath }, null);
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
    private Stream Seekable(Stream stream, long? size, bool onDisk = false)
    {
        if (onDisk ? stream is FileStream : stream.CanSeek) return stream;
        Stream spool = size <= MemorySpoolBytes && !onDisk ? new MemoryStream() : ScratchFailedException.Guard(_setting.ScratchFolder, () =>
        {
            Directory.CreateDirectory(_setting.ScratchFolder);
            return new FileStream(System.IO.Path.Combine(_setting.ScratchFolder, $"archive-{Guid.NewGuid():N}"), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, 1 << 16, FileOptions.DeleteOnClose);
        });
        try
        {
            var buffer = new byte[1 << 16];
            while (stream.Read(buffer) is > 0 and var read)
            {
                ScratchFailedException.Guard(_setting.ScratchFolder, () =>
                {
                    spool.Write(buffer, 0, read);
                    return read;
                });
            }
        }
        catch
        {
            spool.Dispose();
            throw;
        }
        spool.Flush();
        spool.Position = 0;
        return spool;
    }
}
