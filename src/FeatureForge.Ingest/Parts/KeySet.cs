// A set of 128-bit hashes in about 21 bytes each: a million ids must not cost what a million strings cost. Open addressing in
// 64 shards that grow by a quarter, so that no growth ever copies the whole.
namespace FeatureForge.Ingest;

/// <summary>Hashes that were added; safe to use from several threads.</summary>
internal sealed class KeySet
{
    private const int ShardBits = 6;
    private readonly Shard[] _shards = [.. Enumerable.Range(0, 1 << ShardBits).Select(_ => new Shard())];

    /// <summary>False when it was there before.</summary>
    public bool Add(UInt128 key) => ShardOf(key).Add(key);

    public bool Contains(UInt128 key) => ShardOf(key).Contains(key);

    private Shard ShardOf(UInt128 key) => _shards[(int)(key >> (128 - ShardBits))];

    private sealed class Shard
    {
        private const double Fullest = 0.85;
        private readonly Lock _lock = new();
        private UInt128[] _slots = new UInt128[16];
        private int _count;
        private bool _hasZero;

        public bool Contains(UInt128 key)
        {
            lock (_lock) return key == UInt128.Zero ? _hasZero : _slots[Slot(_slots, key)] == key;
        }

        public bool Add(UInt128 key)
        {
            lock (_lock)
            {
                if (key == UInt128.Zero)
                {
                    if (_hasZero) return false;
                    return _hasZero = true;
                }
                var slot = Slot(_slots, key);
                if (_slots[slot] == key) return false;
                _slots[slot] = key;
                if (++_count > _slots.Length * Fullest) Grow();
                return true;
            }
        }

        private void Grow()
        {
            var larger = new UInt128[_slots.Length + Math.Max(16, _slots.Length / 4)];
            foreach (var key in _slots)
            {
                if (key != UInt128.Zero) larger[Slot(larger, key)] = key;
            }
            _slots = larger;
        }

        // Where the key is, or the free slot where it belongs. Zero marks a free slot. The upper bits chose the shard, the lower ones the slot.
        private static int Slot(UInt128[] slots, UInt128 key)
        {
            var slot = (int)(((ulong)(uint)key * (ulong)slots.Length) >> 32);
            while (slots[slot] != UInt128.Zero && slots[slot] != key) slot = slot + 1 == slots.Length ? 0 : slot + 1;
            return slot;
        }
    }
}
