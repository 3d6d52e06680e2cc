// The few system calls that the runtime does not offer: folder entries by their bytes (a name need not be UTF-8), what a
// path is without opening it (opening a pipe blocks), and links to names that no string can hold.
using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace FeatureForge.Ingest;

internal static unsafe partial class LinuxFiles
{
    /// <summary>What `statx` says of a path, links followed.</summary>
    /// <param name="Format">The S_IFMT bits of the mode.</param>
    internal readonly record struct Status(int Format, UInt128 Identity, long Size);

    internal const int RegularFile = 0x8000;
    internal const int Folder = 0x4000;

    private const int NoSuchEntry = 2;
    private const int TooManyLinks = 40;
    private const int CurrentFolder = -100;
    private const uint BasicStatus = 0x7FF;
    private const int StatusBytes = 256;
    private const int NameOffset = 19;

    /// <summary>Names in a folder, without `.` and `..`, as the system holds them.</summary>
    /// <exception cref="IOException">It cannot be listed.</exception>
    public static List<byte[]> Names(byte[] folder)
    {
        nint handle;
        fixed (byte* path = Terminated(folder)) handle = OpenFolder(path);
        if (handle == 0) throw Error();
        try
        {
            var names = new List<byte[]>();
            while (true)
            {
                var entry = ReadFolder(handle);
                if (entry == null) return Marshal.GetLastPInvokeError() == 0 ? names : throw Error();
                var name = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(entry + NameOffset);
                if (!name.SequenceEqual("."u8) && !name.SequenceEqual(".."u8)) names.Add(name.ToArray());
            }
        }
        finally
        {
            _ = CloseFolder(handle);
        }
    }

    /// <summary>What a path leads to, or why that cannot be said.</summary>
    public static (Status? Status, string? Problem) StatusOf(byte[] path)
    {
        var buffer = stackalloc byte[StatusBytes];
        int result;
        fixed (byte* terminated = Terminated(path)) result = GetStatus(CurrentFolder, terminated, 0, BasicStatus, buffer);
        if (result != 0)
        {
            return (null, Marshal.GetLastPInvokeError() switch
            {
                NoSuchEntry => "It leads to nothing: a broken link, or a file that has just gone.",
                TooManyLinks => "The link leads back to itself.",
                _ => Error().Message,
            });
        }
        var device = (ulong)*(uint*)(buffer + 136) << 32 | *(uint*)(buffer + 140);
        return (new(*(ushort*)(buffer + 28) & 0xF000, new(device, *(ulong*)(buffer + 32)), *(long*)(buffer + 40)), null);
    }

    /// <summary>Makes a symbolic link; one that is there already stays.</summary>
    public static void Link(byte[] target, string link)
    {
        if (Path.Exists(link)) return;
        fixed (byte* to = Terminated(target), from = Terminated(System.Text.Encoding.UTF8.GetBytes(link)))
        {
            if (MakeLink(to, from) != 0) throw Error();
        }
    }

    /// <summary>Opens a file for reading.</summary>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public static FileStream Open(byte[] path)
    {
        const int closeOnExecute = 0x80000;
        int descriptor;
        fixed (byte* terminated = Terminated(path)) descriptor = OpenFile(terminated, closeOnExecute);
        return descriptor >= 0 ? new(new SafeFileHandle(descriptor, ownsHandle: true), FileAccess.Read) : throw Error();
    }

    private static byte[] Terminated(byte[] path) => [.. path, 0];

    private static IOException Error() => new(new Win32Exception(Marshal.GetLastPInvokeError()).Message);

    [LibraryImport("libc", EntryPoint = "opendir", SetLastError = true)]
    private static partial nint OpenFolder(byte* path);

    [LibraryImport("libc", EntryPoint = "readdir", SetLastError = true)]
    private static partial byte* ReadFolder(nint folder);

    [LibraryImport("libc", EntryPoint = "closedir", SetLastError = true)]
    private static partial int CloseFolder(nint folder);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true)]
    private static partial int GetStatus(int folder, byte* path, int flags, uint mask, byte* status);

    [LibraryImport("libc", EntryPoint = "symlink", SetLastError = true)]
    private static partial int MakeLink(byte* target, byte* link);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true)]
    private static partial int OpenFile(byte* path, int flags);
}
