// The bytes of one file: in memory, or on disk when they are too many.
using System.Security.Cryptography;

namespace FeatureForge.Ingest;

internal readonly record struct MediaContent(byte[]? Bytes, string? FilePath)
{
    public Stream Open() => Bytes != null
        ? new MemoryStream(Bytes, writable: false)
        : new FileStream(FilePath!, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1 << 16);

    /// <summary>All 256 bits, 64 hex characters.</summary>
    public string Sha256()
    {
        if (Bytes != null) return Convert.ToHexStringLower(SHA256.HashData(Bytes));
        // What is appended meanwhile is not waited for.
        var file = Open();
        using var stream = new SizedStream(file, file.Length);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }
}
