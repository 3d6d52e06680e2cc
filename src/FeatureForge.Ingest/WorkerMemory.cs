// What an ingest worker may take in memory, as settings of its process: they only count when the process starts.
using System.Globalization;

namespace FeatureForge.Ingest;

/// <summary>Settings that keep a worker process within a number of bytes.</summary>
public static class WorkerMemory
{
    public const long DefaultBytes = 1L << 30;
    public const long LeastBytes = 512L << 20;

    /// <summary>Runtime, libraries, decoders' native memory: what the managed heap must leave free.</summary>
    private const long OutsideHeap = 300L << 20;

    /// <summary>
    /// Environment variables. The managed heap has a hard limit and is kept dense; native memory of pictures goes back to the system
    /// as soon as it is freed, since large pieces are mapped.
    /// </summary>
    public static IReadOnlyDictionary<string, string> Environment(long bytes) => new Dictionary<string, string>
    {
        ["DOTNET_GCHeapHardLimit"] = (bytes - OutsideHeap).ToString("x", CultureInfo.InvariantCulture),
        ["DOTNET_GCConserveMemory"] = "5",
        ["DOTNET_GCgen0size"] = "1000000",
        ["GLIBC_TUNABLES"] = "glibc.malloc.arena_max=2:glibc.malloc.mmap_threshold=1048576:glibc.malloc.trim_threshold=8388608",
    };
}
