// Keeps what was read last, up to a weight; several readers of one missing thing wait for a single load.
namespace FeatureForge.Server;

/// <summary>A least-recently-used cache with a bound on the sum of its values' weights. Thread-safe.</summary>
/// <param name="capacity">In the unit of <paramref name="weigh"/>; a single heavier value is returned but not kept.</param>
public sealed class BoundedCache<TKey, TValue>(long capacity, Func<TValue, long> weigh) where TKey : notnull
{
    private readonly Lock _gate = new();
    private readonly Dictionary<TKey, LinkedListNode<Entry>> _entries = [];
    private readonly LinkedList<Entry> _byUse = [];
    private long _weight;

    /// <summary>The sum of the kept values' weights.</summary>
    public long Weight
    {
        get { lock (_gate) return _weight; }
    }

    /// <summary>The value, loaded once for all who ask meanwhile. A failed or stopped load is forgotten.</summary>
    /// <param name="load">Runs to its end even when the first caller goes away, because others may wait for it.</param>
    public async Task<TValue> GetAsync(TKey key, Func<Task<TValue>> load, CancellationToken stop)
    {
        LinkedListNode<Entry> node;
        lock (_gate)
        {
            if (_entries.TryGetValue(key, out node!))
            {
                _byUse.Remove(node);
                _byUse.AddFirst(node);
            }
            else
            {
                node = _byUse.AddFirst(new Entry(key, new Lazy<Task<TValue>>(() => Task.Run(load))));
                _entries.Add(key, node);
            }
        }
        try
        {
            var value = await node.Value.Value.Value.WaitAsync(stop);
            Weigh(node, value);
            return value;
        }
        catch when (!stop.IsCancellationRequested)
        {
            lock (_gate) Remove(node);
            throw;
        }
    }

    private void Weigh(LinkedListNode<Entry> node, TValue value)
    {
        lock (_gate)
        {
            if (node.List == null || node.Value.Weight != null) return;
            node.Value.Weight = weigh(value);
            _weight += node.Value.Weight.Value;
            for (var last = _byUse.Last; _weight > capacity && last != null;)
            {
                var before = last.Previous;
                if (last.Value.Weight != null) Remove(last);
                last = before;
            }
        }
    }

    private void Remove(LinkedListNode<Entry> node)
    {
        if (node.List == null) return;
        _byUse.Remove(node);
        _entries.Remove(node.Value.Key);
        _weight -= node.Value.Weight ?? 0;
    }

    private sealed class Entry(TKey key, Lazy<Task<TValue>> value)
    {
        internal TKey Key => key;
        internal Lazy<Task<TValue>> Value => value;
        // Null while the value is being loaded.
        internal long? Weight { get; set; }
    }
}
