// The compressions of single streams: gzip, bzip2, xz, Zstandard. Inside may be a tar, a table, an IDX file or one document.
using System.IO.Compression;
using FeatureForge.Data;

namespace FeatureForge.Ingest;

internal static class CompressedFile
{
    // xz allocates its dictionary at once; the strongest usual setting has 64 MiB.
    private const long MostDictionaryBytes = 128 << 20;

    /// <summary>A stream of what a compressed file holds.</summary>
    public static Stream Open(MediaFormat format, Stream packed) => format.MediaType switch
    {
        "application/gzip" => new GZipStream(packed, CompressionMode.Decompress),
        "application/x-bzip2" => SharpCompress.Compressors.BZip2.BZip2Stream.Create(packed, SharpCompress.Compressors.CompressionMode.Decompress, decompressConcatenated: true, leaveOpen: false),
        "application/zstd" => new ZstdSharp.DecompressionStream(packed, leaveOpen: false),
        _ => OpenXz(packed),
    };

    /// <summary>The name of what is inside: without .gz, and with .tar for .tgz.</summary>
    public static string InnerName(string name)
    {
        var extension = System.IO.Path.GetExtension(name);
        return extension.ToLowerInvariant() switch
        {
            ".gz" or ".bz2" or ".xz" or ".zst" => name[..^extension.Length],
            ".tgz" or ".tbz" or ".tbz2" or ".txz" or ".tzst" => name[..^extension.Length] + ".tar",
            _ => name,
        };
    }

    private static SharpCompress.Compressors.Xz.XZStream OpenXz(Stream packed)
    {
        var head = PrefixedStream.TakeHead(packed, 64);
        // Stream header (12 bytes), block header size, flags, then optional sizes, then the filters: LZMA2 is 0x21, 1, dictionary.
        var filter = head.Length > 14 ? head.AsSpan(14).IndexOf((ReadOnlySpan<byte>)[0x21, 1]) : -1;
        if (filter >= 0 && filter + 16 < head.Length && DictionaryBytes(head[filter + 16]) is var bytes && bytes > MostDictionaryBytes)
            throw new MediaRejectedException(RejectionCode.TooLarge, $"The xz file wants a dictionary of {bytes} bytes; the limit is {MostDictionaryBytes}. Compress it again with a lower setting.");
        return new(new PrefixedStream(head, packed));
    }

    private static long DictionaryBytes(byte code) => code >= 40 ? uint.MaxValue : (2L | (code & 1u)) << (code / 2 + 11);
}
