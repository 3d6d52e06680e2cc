// What this machine has: processors, memory, disk, and the device training would use. Reads the system, not LibTorch.
namespace FeatureForge.Server;

/// <summary>Facts for the overview.</summary>
/// <param name="Device">The GPU's model, or that there is none.</param>
/// <param name="DiskFreeBytes">On the disk that holds the store.</param>
public sealed record MachineFacts(string Device, int Processors, long MemoryBytes, long DiskFreeBytes, long DiskBytes)
{
    public int DiskUsedPercent => DiskBytes == 0 ? 0 : (int)(100 * (DiskBytes - DiskFreeBytes) / DiskBytes);

    public static MachineFacts Read(string storePath)
    {
        var disk = new DriveInfo(storePath);
        return new(FindDevice(), Environment.ProcessorCount, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes, disk.AvailableFreeSpace, disk.TotalSize);
    }

    // The NVIDIA driver lists its devices here.
    private static string FindDevice()
    {
        const string Driver = "/proc/driver/nvidia/gpus";
        if (!Directory.Exists(Driver)) return "CPU";
        var models = Directory.EnumerateFiles(Driver, "information", SearchOption.AllDirectories)
            .SelectMany(File.ReadLines).Where(line => line.StartsWith("Model:", StringComparison.Ordinal)).Select(line => line["Model:".Length..].Trim());
        return string.Join(", ", models) is { Length: > 0 } names ? names : "CPU";
    }
}
