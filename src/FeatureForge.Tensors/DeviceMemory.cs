// How much memory of a GPU is free: TorchSharp has no door to it, so CUDA's own runtime, which LibTorch has loaded, is asked.
using System.Runtime.InteropServices;
using TorchSharp;

namespace FeatureForge.Tensors;

/// <summary>What the machine has of devices, and how much memory of one is free.</summary>
public static unsafe class DeviceMemory
{
    private static readonly string[] _runtimes = ["libcudart.so.13", "libcudart.so.12", "libcudart.so", "cudart64_13.dll", "cudart64_12.dll"];

    /// <summary>Names of the NVIDIA devices of this machine, as their driver lists them; empty without one.</summary>
    public static IReadOnlyList<string> Names()
    {
        const string Driver = "/proc/driver/nvidia/gpus";
        if (!Directory.Exists(Driver)) return [];
        return [.. Directory.EnumerateFiles(Driver, "information", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .SelectMany(File.ReadLines).Where(line => line.StartsWith("Model:", StringComparison.Ordinal)).Select(line => line["Model:".Length..].Trim())];
    }

    /// <summary>Free bytes of a CUDA device's own memory; null on other devices, and where the runtime does not say.</summary>
    public static long? FreeBytes(torch.Device device)
    {
        if (device.type != DeviceType.CUDA) return null;
        foreach (var name in _runtimes)
        {
            if (!NativeLibrary.TryLoad(name, out var library) || !NativeLibrary.TryGetExport(library, "cudaMemGetInfo", out var ask)) continue;
            nuint free, total;
            // The runtime's current device is the one that LibTorch computes on. 0 = success.
            if (((delegate* unmanaged<nuint*, nuint*, int>)ask)(&free, &total) == 0) return (long)free;
        }
        return null;
    }
}
