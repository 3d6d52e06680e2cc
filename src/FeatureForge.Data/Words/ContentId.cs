// Ids are content hashes.
using System.Security.Cryptography;
using System.Text;

namespace FeatureForge.Data;

/// <summary>Ids made from content: the same bytes have the same id on every machine.</summary>
public static class ContentId
{
    /// <summary>The first 128 bits of the SHA-256 of <paramref name="bytes"/>, 32 lower-case hex characters.</summary>
    public static string Of(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 16));

    /// <summary>The id of a text's UTF-8 bytes.</summary>
    public static string Of(string text) => Of(Encoding.UTF8.GetBytes(text));

    /// <summary>All 256 bits, 64 lower-case hex characters.</summary>
    public static string Sha256(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
}
