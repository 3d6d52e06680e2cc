// Bad data is a value: why a file could not become an item. Rows of the quarantine table.
namespace FeatureForge.Data;

/// <summary>Why a file was quarantined. A closed list: tools count and filter by it.</summary>
public enum RejectionCode
{
    /// <summary>The file holds no bytes, no samples, no pixels or no characters.</summary>
    Empty,
    /// <summary>The bytes end before the content that the header declares.</summary>
    Truncated,
    /// <summary>The bytes contradict their own format.</summary>
    Malformed,
    /// <summary>No decoder here takes this format.</summary>
    UnsupportedFormat,
    /// <summary>The format is known but uses a feature (bit depth, codec) that no decoder here takes.</summary>
    UnsupportedFeature,
    /// <summary>A limit of the spec (pixels, seconds, characters, bytes) is exceeded.</summary>
    TooLarge,
    /// <summary>An archive unpacks to far more than it holds, or holds too many entries.</summary>
    ArchiveBomb,
    /// <summary>An archive entry's name leaves the archive (../ or an absolute path).</summary>
    UnsafePath,
    /// <summary>The content is encrypted.</summary>
    Encrypted,
    /// <summary>The text cannot be decoded in any charset with confidence.</summary>
    UnknownCharset,
    /// <summary>The table has no such column, or the row lacks a value there.</summary>
    MissingColumn,
    /// <summary>A decoder that this file needs is not installed.</summary>
    MissingDecoder,
    /// <summary>The decoder did not finish within its time.</summary>
    TimedOut,
    /// <summary>The decoder brought its process down, again when the file was decoded alone.</summary>
    DecoderCrashed,
    /// <summary>The operating system refused to read the file.</summary>
    Unreadable,
    /// <summary>Not media of the modality that was asked for.</summary>
    WrongModality,
    /// <summary>A pipe, socket or device; it was not opened.</summary>
    NotAFile,
    /// <summary>The file changed while it was read.</summary>
    Changed,
    /// <summary>There is nothing under the path, URL or key that a table or list names.</summary>
    NotFound,
    /// <summary>The server refused to hand it out (401, 403, 407, 451 and the like).</summary>
    Refused,
    /// <summary>The server could not be reached, or answered with an error, at every attempt.</summary>
    Unreachable,
    /// <summary>The server asks in its headers not to use the content for machine learning.</summary>
    OptedOut,
    /// <summary>The URL leads to a private, loopback or link-local address, which the run does not allow.</summary>
    PrivateAddress,
    /// <summary>It has a quality issue that the request asked to drop.</summary>
    LowQuality,
    /// <summary>It nearly equals an item, and the request asked to drop such files.</summary>
    NearDuplicate,
}

/// <summary>A file that could not become an item, with a reason a person can act on.</summary>
/// <param name="Path">Relative to the source root, `/`-separated.</param>
/// <param name="SourceUri">Where the source is.</param>
/// <param name="ByteSize">Size in bytes, or null when unknown.</param>
/// <param name="ContentSha256">Hex SHA-256 of the bytes (64 characters), or null when they could not be read.</param>
/// <param name="Stage">Where it failed: source, decode, quality.</param>
/// <param name="Code">One of the closed list.</param>
/// <param name="Reason">A sentence: what was expected, what was found with units, what to do next.</param>
/// <param name="Attempts">How often it was tried.</param>
/// <param name="At">When, UTC.</param>
public sealed record Rejection(string Path, string SourceUri, long? ByteSize, string? ContentSha256, string Stage,
    RejectionCode Code, string Reason, int Attempts, DateTimeOffset At);
