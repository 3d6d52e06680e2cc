// Work on the host that stands in for operations of LibTorch takes as many threads as these would.
using static TorchSharp.torch;

namespace FeatureForge.Tensors;

internal static class HostThreads
{
    /// <summary>Does the parts [0, count), by as many threads as the caller's operations have.</summary>
    internal static void For(int count, Action<int> part)
    {
        if (get_num_threads() is > 1 and var threads) Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = threads }, part);
        else for (var number = 0; number < count; number++) part(number);
    }
}
