// Native float32 memory on cache-line borders, for the packed blocks of ScoreKernel.
using System.Runtime.InteropServices;

namespace FeatureForge.Tensors;

/// <summary>A block of floats, not initialised; freed by <see cref="Dispose"/>.</summary>
internal sealed unsafe class AlignedFloats(long length) : IDisposable
{
    private const nuint CacheLine = 64;

    internal float* Pointer { get; private set; } = (float*)NativeMemory.AlignedAlloc((nuint)Math.Max(1, length) * sizeof(float), CacheLine);

    public void Dispose()
    {
        NativeMemory.AlignedFree(Pointer);
        Pointer = null;
        GC.SuppressFinalize(this);
    }

    ~AlignedFloats() => NativeMemory.AlignedFree(Pointer);
}
