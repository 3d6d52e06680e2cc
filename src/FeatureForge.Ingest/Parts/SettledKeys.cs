// What earlier attempts at a run have settled, in 17 bytes a finding. The same path may occur more than once (in an archive):
// each occurrence counts.
namespace FeatureForge.Ingest;

internal sealed class SettledKeys
{
    private readonly UInt128[] _keys;
    private readonly bool[] _isTaken;

    public SettledKeys(IEnumerable<UInt128> keys)
    {
        _keys = [.. keys];
        Array.Sort(_keys);
        _isTaken = new bool[_keys.Length];
    }

    /// <summary>Whether a settled finding of this key has not been met again yet.</summary>
    public bool Has(string key) => Find(key) >= 0;

    /// <summary>Meets one; false when there is none left.</summary>
    public bool Take(string key)
    {
        var found = Find(key);
        if (found >= 0) _isTaken[found] = true;
        return found >= 0;
    }

    private int Find(string key)
    {
        if (_keys.Length == 0) return -1;
        var wanted = StagedPart.ShortKey(key);
        var at = Array.BinarySearch(_keys, wanted);
        if (at < 0) return -1;
        while (at > 0 && _keys[at - 1] == wanted) at--;
        for (; at < _keys.Length && _keys[at] == wanted; at++)
        {
            if (!_isTaken[at]) return at;
        }
        return -1;
    }
}
