// Bounds the bytes that are read but not yet consumed: the reader waits here, the consumer opens.
namespace FeatureForge.Ingest;

/// <summary>Lets bytes in up to a capacity; a single larger piece passes alone.</summary>
internal sealed class MemoryGate(long capacity)
{
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _freed = new(0, 1);
    private long _used;

    /// <summary>Waits until the bytes fit.</summary>
    public void Enter(long bytes, CancellationToken stop)
    {
        while (true)
        {
            lock (_lock)
            {
                if (_used == 0 || _used + bytes <= capacity)
                {
                    _used += bytes;
                    return;
                }
            }
            _freed.Wait(stop);
        }
    }

    public void Leave(long bytes)
    {
        lock (_lock)
        {
            _used -= bytes;
            if (_freed.CurrentCount == 0) _freed.Release();
        }
    }
}
