// Archives and compressed bytes for tests.
using System.Formats.Tar;
using System.IO.Compression;
using System.Text;

namespace FeatureForge.Ingest.Tests;

internal static class Packed
{
    public static byte[] Zip(params (string Name, byte[] Bytes)[] entries)
    {
        using var stream = new MemoryStream();
        using (var archive = new ZipArchive(stream, ZipArchiveMode.Create))
        {
            foreach (var (name, bytes) in entries)
            {
                using var entry = archive.CreateEntry(name).Open();
                entry.Write(bytes);
            }
        }
        return stream.ToArray();
    }

    public static byte[] Tar(params (string Name, byte[] Bytes)[] entries)
    {
        using var stream = new MemoryStream();
        using (var archive = new TarWriter(stream))
        {
            foreach (var (name, bytes) in entries) archive.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(bytes) });
        }
        return stream.ToArray();
    }

    public static byte[] Text(string text) => Encoding.UTF8.GetBytes(text);

    public static byte[] Gzip(byte[] bytes) => Through(bytes, stream => new GZipStream(stream, CompressionLevel.Fastest, leaveOpen: true));

    public static byte[] Zstandard(byte[] bytes) => Through(bytes, stream => new ZstdSharp.CompressionStream(stream, leaveOpen: true));

    private static byte[] Through(byte[] bytes, Func<Stream, Stream> compressor)
    {
        using var packed = new MemoryStream();
        using (var stream = compressor(packed)) stream.Write(bytes);
        return packed.ToArray();
    }
}
