// Where a file or archive entry is, in the words of the items table, and how to say that something there is bad.
using System.Security.Cryptography;
using FeatureForge.Data;

namespace FeatureForge.Ingest;

/// <param name="Name">The file's or entry's own name: its extension may say what it is.</param>
/// <param name="Path">Relative to the source root; `archive!entry` below an archive of a folder.</param>
/// <param name="SourceUri">The file on disk, or the resource, that holds it.</param>
/// <param name="FilePath">Opens that file, when this place is the whole of it; null for an archive entry.</param>
/// <param name="IsRoot">An archive here is its own root: its entries need no prefix.</param>
internal sealed record Place(string Name, string Path, string SourceUri, string? FilePath, bool IsRoot, long? ByteSize, DateTimeOffset At)
{
    // Hashing a larger file only to name it in quarantine takes longer than it is worth.
    private const long MostHashedBytes = 4L << 30;

    /// <summary>What the source says beside the bytes: a JSON object.</summary>
    public string Metadata { get; init; } = "{}";
    /// <summary>How many archives this lies in.</summary>
    public int Depth { get; init; }
    /// <summary>What may still be unpacked from the archive around it; null outside of archives.</summary>
    public ArchiveBudget? Budget { get; init; }
    /// <summary><see cref="FilePath"/> is a download, which goes when the candidate has been decoded.</summary>
    public bool IsDownload { get; init; }
    /// <summary><see cref="SourceUri"/> alone leads to these bytes.</summary>
    public bool IsWhole { get; init; }
    /// <summary>Of the bytes, where they are known already.</summary>
    public string? ContentSha256 { get; init; }
    /// <summary>A table or list named this file. Links in it are not followed further.</summary>
    public bool IsLinked { get; init; }

    /// <param name="distinct">The name, made different from those of earlier entries.</param>
    public Place Entry(string name, string distinct, long? byteSize) => this with { Name = name, Path = IsRoot ? distinct : $"{Path}!{distinct}", FilePath = null, IsDownload = false, IsWhole = false, ContentSha256 = null, IsRoot = false, ByteSize = byteSize, Depth = Depth + 1 };

    public Finding Bad(RejectionCode code, string reason) => new(null, new(Path, SourceUri, ByteSize, code is RejectionCode.NotAFile ? null : Hash(), "source", code, reason, 1, At));

    public Finding Bad(Exception error) => error switch
    {
        MediaRejectedException rejected => Bad(rejected.Code, rejected.Message),
        UnauthorizedAccessException => Bad(RejectionCode.Unreadable, $"The system refused to open it: {error.Message}"),
        FileNotFoundException or DirectoryNotFoundException => Bad(RejectionCode.Unreadable, "It has gone since the folder was listed. Ingest again if it should be there."),
        EndOfStreamException => Bad(RejectionCode.Truncated, "The file ends before what its header declares."),
        InvalidDataException when error.Message.Contains("compress", StringComparison.Ordinal) => Bad(RejectionCode.UnsupportedFeature, $"It is packed in a way that is not taken here: {error.Message}"),
        InvalidDataException => Bad(RejectionCode.Malformed, $"The bytes contradict the format: {error.Message}"),
        IOException => Bad(RejectionCode.Unreadable, $"It cannot be read: {error.Message}"),
        NotSupportedException => Bad(RejectionCode.UnsupportedFeature, error.Message),
        _ => Bad(RejectionCode.Malformed, $"Reading it failed: {error.Message}"),
    };

    /// <summary>Runs an iterator; an error in it ends it with a rejection instead.</summary>
    public IEnumerable<Finding> Guard(IEnumerable<Finding> findings)
    {
        using var enumerator = findings.GetEnumerator();
        while (true)
        {
            Finding? failure = null;
            try
            {
                if (!enumerator.MoveNext()) yield break;
            }
            catch (Exception error) when (error is not (OperationCanceledException or OutOfMemoryException or ScratchFailedException))
            {
                failure = Bad(error);
            }
            yield return failure ?? enumerator.Current;
            if (failure != null) yield break;
        }
    }

    private string? Hash()
    {
        if (ContentSha256 != null) return ContentSha256;
        if (FilePath == null || ByteSize is not { } size || size > MostHashedBytes) return null;
        try
        {
            // What is appended meanwhile is not waited for.
            using var stream = new SizedStream(File.OpenRead(FilePath), size);
            return Convert.ToHexStringLower(SHA256.HashData(stream));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
