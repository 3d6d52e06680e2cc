// Where a file or archive entry is, in the words of the items table, and how to say that something there is bad.
using System.Security.Cryptography;
using FeatureForge.Data;

namespace FeatureForge.Ingest;

/// <param name="Name">The file's or entry's own name: its extension may say what it is.</param>
/// <param name="Path">Relative to the source root; `archive!entry` below an archive of a folder.</param>
/// <param name="SourceUri">The file on disk that holds it.</param>
/// <param name="FilePath">That file, when this place is the whole of it; null for an archive entry.</param>
/// <param name="IsRoot">An archive here is its own root: its entries need no prefix.</param>
internal sealed record Place(string Name, string Path, string SourceUri, string? FilePath, bool IsRoot, long? ByteSize, DateTimeOffset At)
{
    public Place Entry(string name, long? byteSize) => this with { Name = name, Path = IsRoot ? name : $"{Path}!{name}", FilePath = null, IsRoot = false, ByteSize = byteSize };

    public Finding Bad(RejectionCode code, string reason) => new(null, new(Path, SourceUri, ByteSize, Hash(), "source", code, reason, 1, At));

    public Finding Bad(Exception error) => error switch
    {
        MediaRejectedException rejected => Bad(rejected.Code, rejected.Message),
        UnauthorizedAccessException => Bad(RejectionCode.Unreadable, $"The system refused to open it: {error.Message}"),
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
            catch (Exception error) when (error is not (OperationCanceledException or OutOfMemoryException))
            {
                failure = Bad(error);
            }
            yield return failure ?? enumerator.Current;
            if (failure != null) yield break;
        }
    }

    private string? Hash()
    {
        if (FilePath == null) return null;
        try
        {
            using var stream = File.OpenRead(FilePath);
            return Convert.ToHexStringLower(SHA256.HashData(stream));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
