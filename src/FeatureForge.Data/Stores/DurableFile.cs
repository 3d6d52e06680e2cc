// Files that are whole or absent after a crash: write beside, flush to disk, rename, flush the folder.
using System.Security.Cryptography;

namespace FeatureForge.Data;

/// <summary>Crash-safe writing of whole files.</summary>
public static class DurableFile
{
    /// <summary>Replaces the file atomically; after return it survives power loss.</summary>
    public static void WriteAllText(string path, string text) => WriteAllBytes(path, System.Text.Encoding.UTF8.GetBytes(text));

    /// <summary>Replaces the file atomically; after return it survives power loss.</summary>
    public static void WriteAllBytes(string path, ReadOnlySpan<byte> bytes)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var temporary = $"{path}.{Environment.ProcessId}.tmp";
        using (var stream = new FileStream(temporary, FileMode.Create, FileAccess.Write))
        {
            stream.Write(bytes);
            stream.Flush(flushToDisk: true);
        }
        MoveInto(temporary, path);
    }

    /// <summary>Writes the file unless it exists; of several that try, one succeeds. After return it survives power loss.</summary>
    public static bool TryCreate(string path, string text)
    {
        var temporary = $"{path}.{Environment.ProcessId}-{Environment.CurrentManagedThreadId}.tmp";
        using (var stream = new FileStream(temporary, FileMode.Create, FileAccess.Write))
        {
            stream.Write(System.Text.Encoding.UTF8.GetBytes(text));
            stream.Flush(flushToDisk: true);
        }
        try
        {
            // A link, not a rename: refused in one step when the name is taken. File.Move may look first and rename then; it serves
            // where files have one name only.
            if (OperatingSystem.IsWindows() || PosixFile.Link(temporary, path) != 0) File.Move(temporary, path, overwrite: false);
            FlushFolder(Path.GetDirectoryName(path)!);
            return true;
        }
        catch (IOException) when (File.Exists(path)) { return false; }
        finally { File.Delete(temporary); }
    }

    /// <summary>Renames over whatever is there and flushes the folder entry.</summary>
    public static void MoveInto(string from, string to)
    {
        File.Move(from, to, overwrite: true);
        FlushFolder(Path.GetDirectoryName(to)!);
    }

    /// <summary>Flushes a finished file's content to disk.</summary>
    public static void Flush(string path)
    {
        using var handle = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        RandomAccess.FlushToDisk(handle);
    }

    /// <summary>Size and hash of a finished file, as a manifest lists it.</summary>
    public static PartFile Describe(string path, string relativePath, long rows)
    {
        using var stream = File.OpenRead(path);
        return new(relativePath, rows, stream.Length, Convert.ToHexStringLower(SHA256.HashData(stream)));
    }

    // A rename is durable once its folder is; .NET opens no folders, so ask the C library.
    private static void FlushFolder(string folder)
    {
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsMacOS()) return;
        var descriptor = PosixFile.Open(folder, 0);
        if (descriptor < 0) return;
        _ = PosixFile.Flush(descriptor);
        _ = PosixFile.Close(descriptor);
    }

    private static class PosixFile
    {
        [System.Runtime.InteropServices.DllImport("libc", EntryPoint = "open", CharSet = System.Runtime.InteropServices.CharSet.Ansi)]
        internal static extern int Open(string path, int flags);

        [System.Runtime.InteropServices.DllImport("libc", EntryPoint = "link", CharSet = System.Runtime.InteropServices.CharSet.Ansi)]
        internal static extern int Link(string from, string to);

        [System.Runtime.InteropServices.DllImport("libc", EntryPoint = "fsync")]
        internal static extern int Flush(int descriptor);

        [System.Runtime.InteropServices.DllImport("libc", EntryPoint = "close")]
        internal static extern int Close(int descriptor);
    }
}
