// The disk under the store is full: said with the place, what is needed and what is free, before files are cut off.
using System.Data.Common;
using System.Globalization;

namespace FeatureForge.Data;

/// <summary>There is no room left where the store writes. What was published stays valid; a resumed run goes on behind its finished parts.</summary>
public sealed class DiskFullException(string message, Exception? inner = null) : IOException(message, inner)
{
    /// <summary>Kept free, so that the ledger can still say how the run ended.</summary>
    private const long Reserve = 4 << 20;
    private const int NoSpace = 28;
    private const int QuotaExceeded = 122;

    /// <summary>Throws unless <paramref name="bytes"/> and a small reserve are free below <paramref name="path"/>, which need not exist yet.</summary>
    public static void ThrowIfLess(string path, long bytes)
    {
        var free = FreeBytes(path);
        if (free < bytes + Reserve) throw new DiskFullException(Sentence(path, bytes + Reserve, free));
    }

    /// <summary>Whether an error means that a disk or a quota is full.</summary>
    public static bool IsFull(IOException error) => error is DiskFullException || error.HResult is NoSpace or QuotaExceeded;

    /// <summary>The same with the place and its free bytes.</summary>
    public static DiskFullException Of(string path, IOException error) => error as DiskFullException ?? new(Sentence(path, null, FreeBytes(path)), error);

    /// <summary>The full disk behind an error of files, of tables or of the ledger's database below <paramref name="path"/>, or behind what caused that error; null when it is another matter.</summary>
    public static DiskFullException? Behind(Exception error, string path) => error switch
    {
        IOException io when IsFull(io) => Of(path, io),
        // The native writer of Parquet says it in words alone.
        DbException or ParquetSharp.ParquetException when FreeBytes(path) < Reserve => new(Sentence(path, Reserve, FreeBytes(path)), error),
        { InnerException: { } cause } => Behind(cause, path),
        _ => null,
    };

    private static string Sentence(string path, long? needed, long free) => string.Create(CultureInfo.InvariantCulture,
        $"The disk that holds {path} is full: {(needed is { } bytes ? $"{bytes} bytes are needed" : "more bytes are needed")}, {free} are free. Make room there (or give the store a larger disk) and run the same command again: it goes on behind its finished parts.");

    private static long FreeBytes(string path)
    {
        var folder = Path.GetFullPath(path);
        while (!Directory.Exists(folder)) folder = Path.GetDirectoryName(folder) ?? "/";
        return new DriveInfo(folder).AvailableFreeSpace;
    }
}
