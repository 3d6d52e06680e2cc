// A small file system in memory, which stands for a disk that fills up.
using System.Diagnostics;

namespace FeatureForge.TestKit;

/// <summary>Needs the tool <c>tmpfs</c>: mounting takes the superuser.</summary>
public sealed class SmallDisk : IDisposable
{
    /// <summary>The folder that it is mounted on.</summary>
    public string Path { get; }

    /// <param name="size">As mount takes it: <c>70m</c>.</param>
    public SmallDisk(string folder, string size)
    {
        Path = Directory.CreateDirectory(folder).FullName;
        Run("mount", "-t", "tmpfs", "-o", $"size={size}", "tmpfs", Path);
    }

    public void Resize(string size) => Run("mount", "-o", $"remount,size={size}", Path);

    /// <summary>Leaves that many bytes free.</summary>
    public void FillUpTo(long free) => File.WriteAllBytes(System.IO.Path.Combine(Path, "full"), new byte[new DriveInfo(Path).AvailableFreeSpace - free]);

    public void Dispose() => Run("umount", "-l", Path);

    private static void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        process.WaitForExit();
    }
}
