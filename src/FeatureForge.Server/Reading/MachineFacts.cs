// What this machine has: processors, memory, disk, and the device training would use. Reads the system, not LibTorch.
using FeatureForge.Tensors;

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
        return new(DeviceMemory.Names() is { Count: > 0 } names ? string.Join(", ", names) : "CPU", Environment.ProcessorCount, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes, disk.AvailableFreeSpace, disk.TotalSize);
    }
}
