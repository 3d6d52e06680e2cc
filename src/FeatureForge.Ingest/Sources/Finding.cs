// What a source offers, one at a time and in a fixed order: something to decode, or the reason why not.
using FeatureForge.Data;

namespace FeatureForge.Ingest;

/// <summary>Either a candidate or a rejection.</summary>
internal readonly record struct Finding(Candidate? Candidate, Rejection? Rejection)
{
    public string Path => Candidate?.Path ?? Rejection!.Path;
}

/// <summary>Bytes that may become an item.</summary>
internal abstract record Candidate
{
    /// <summary>Relative to the source root.</summary>
    public required string Path { get; init; }
    /// <summary>The file that holds it.</summary>
    public required string SourceUri { get; init; }
    public string Metadata { get; init; } = "{}";
}

/// <summary>A file of a folder or an entry of an archive. <see cref="Bytes"/> is null for a file too large to hold; then <see cref="FilePath"/> is not.</summary>
internal sealed record FileCandidate : Candidate
{
    public required MediaFormat Format { get; init; }
    public required long ByteSize { get; init; }
    public byte[]? Bytes { get; init; }
    public string? FilePath { get; init; }
    /// <summary>Its source URI alone leads to these bytes: they need not be kept.</summary>
    public bool CanBeReferenced { get; init; }
    /// <summary><see cref="FilePath"/> is a download; who has decoded it deletes it.</summary>
    public bool IsDownload { get; init; }
}

/// <summary>A resource that the server says has not changed since it became an item.</summary>
internal sealed record UnchangedCandidate : Candidate
{
    public required string Sha256 { get; init; }
}

/// <summary>A file that another shard decodes; its bytes were not read.</summary>
internal sealed record PassedOverCandidate : Candidate;

/// <summary>A file that a table, a list or a listing names. It never leaves <see cref="SourceReader"/>, which follows it.</summary>
internal sealed record LinkCandidate : Candidate
{
    /// <summary>Where what it leads to will be.</summary>
    public required Place Place { get; init; }
    /// <summary>An http, https or s3 URL, or a path.</summary>
    public required string Target { get; init; }
    /// <summary>It is part of the source itself, such as an object under a prefix: a table there may name further files.</summary>
    public bool IsSource { get; init; }
    /// <summary>The version that a listing shows, so that what has not changed needs no request.</summary>
    public ResourceVersion? Listed { get; init; }
}

/// <summary>One picture of an IDX file: rows of pixels, channels interleaved.</summary>
internal sealed record PixelsCandidate : Candidate
{
    public required byte[] Pixels { get; init; }
    public required int Width { get; init; }
    public required int Height { get; init; }
    public required int Channels { get; init; }
}

/// <summary>One row of a table.</summary>
internal sealed record RowCandidate : Candidate
{
    private byte[]? _utf8;

    public required string Text { get; init; }
    public required string MediaType { get; init; }
    /// <summary>The text in UTF-8, made once.</summary>
    public byte[] Utf8 => _utf8 ??= System.Text.Encoding.UTF8.GetBytes(Text);
}
