// What a download needs of a server, whatever it speaks: HTTP or S3.
using FeatureForge.Data;

namespace FeatureForge.Ingest;

/// <summary>How a server names the version of a resource; both null when it does not.</summary>
internal sealed record ResourceVersion(string? ETag, string? LastModified)
{
    /// <summary>What tells whether half of a resource and its other half belong together: a weak ETag does not.</summary>
    public string? Exact => ETag is { } tag && !tag.StartsWith("W/", StringComparison.Ordinal) ? tag : LastModified;
}

/// <summary>An answer: a body from <paramref name="Offset"/> on, or none when it has not changed.</summary>
/// <param name="TotalBytes">Bytes of the whole resource, when the server says.</param>
/// <param name="ContentEncoding">gzip, br, deflate, or null when the bytes are the resource's own.</param>
internal sealed record RemoteAnswer(bool IsUnchanged, Stream Body, long Offset, long? TotalBytes, ResourceVersion Version, string? ContentEncoding, IDisposable? Owner) : IDisposable
{
    public void Dispose()
    {
        Body.Dispose();
        Owner?.Dispose();
    }
}

internal interface IRemoteServer
{
    /// <param name="target">Its URL or s3:// URI.</param>
    /// <param name="offset">Bytes that are here already, of the version <paramref name="have"/>.</param>
    /// <param name="settled">The version that became an item before: unchanged, it costs no download.</param>
    /// <exception cref="RemoteException">It gave no answer that can be used.</exception>
    Task<RemoteAnswer> OpenAsync(string target, long offset, ResourceVersion? have, ResourceVersion? settled, CancellationToken stop);
}

/// <summary>Why a resource could not be had. Another attempt helps when <paramref name="isTransient"/>, after <paramref name="after"/> if the server says.</summary>
internal sealed class RemoteException(RejectionCode code, string reason, bool isTransient, TimeSpan? after = null) : Exception(reason)
{
    public RejectionCode Code { get; } = code;
    public bool IsTransient { get; } = isTransient;
    public TimeSpan? After { get; } = after;
}
