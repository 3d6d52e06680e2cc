// Finds sets with similar sketches: a sketch is cut into bands, and sets that agree in one whole band are compared (locality-sensitive
// hashing; Leskovec, Rajaraman, Ullman, "Mining of Massive Datasets", chapter 3). One open-addressed table of item numbers serves
// all bands; the keys are read from the sketches themselves.
using System.Buffers.Binary;

namespace FeatureForge.Ingest;

/// <param name="signatureBytes">Of the kind of signatures it holds.</param>
/// <param name="bands">Bands of a sketch; with <paramref name="bandPlaces"/> at most all of its places.</param>
/// <param name="bandPlaces">Places per band: 2 to 4.</param>
/// <param name="most">Items that are remembered.</param>
/// <param name="isSame">Whether two signatures that share a band belong to near duplicates.</param>
internal sealed class SketchIndex(int signatureBytes, int bands, int bandPlaces, int most, SketchIndex.Comparison isSame)
{
    internal delegate bool Comparison(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b);

    /// <summary>So many items are kept under one key of one band: boilerplate must not take quadratic time.</summary>
    private const int MostPerKey = 64;
    private const double MostFull = 0.8;

    private readonly SignatureList _items = new(signatureBytes);
    private int[] _slots = new int[1024]; // item number + 1; 0 = free
    private int _used;

    /// <summary>Id of the first item that this one nearly equals, or null.</summary>
    public string? Find(ReadOnlySpan<byte> signature)
    {
        var first = int.MaxValue;
        for (var band = 0; band < bands; band++)
        {
            var key = KeyOf(signature, band);
            for (var slot = SlotOf(key, band); _slots[slot] is > 0 and var number; slot = slot + 1 == _slots.Length ? 0 : slot + 1)
            {
                var index = number - 1;
                if (index < first && KeyOf(_items[index], band) == key && isSame(signature, _items[index])) first = index;
            }
        }
        return first == int.MaxValue ? null : _items.IdOf(first);
    }

    public void Add(string itemId, ReadOnlySpan<byte> signature)
    {
        if (_items.Count >= most) return;
        if (_used + bands > _slots.Length * MostFull) Grow();
        _items.Add(itemId, signature);
        Insert(_items.Count - 1);
    }

    private void Insert(int index)
    {
        for (var band = 0; band < bands; band++)
        {
            var (key, sameKey) = (KeyOf(_items[index], band), 0);
            var slot = SlotOf(key, band);
            for (; _slots[slot] is > 0 and var number && sameKey < MostPerKey; slot = slot + 1 == _slots.Length ? 0 : slot + 1)
            {
                if (KeyOf(_items[number - 1], band) == key) sameKey++;
            }
            if (sameKey == MostPerKey) continue;
            _slots[slot] = index + 1;
            _used++;
        }
    }

    // In order of arrival, so that the cap per key keeps the same items.
    private void Grow()
    {
        _slots = new int[(int)Math.Min(Array.MaxLength, _slots.Length * 5L / 4)];
        _used = 0;
        for (var index = 0; index < _items.Count; index++) Insert(index);
    }

    private uint KeyOf(ReadOnlySpan<byte> signature, int band)
    {
        var at = SketchSignature.SketchAt + band * bandPlaces;
        var places = at + 4 <= signature.Length ? BinaryPrimitives.ReadUInt32LittleEndian(signature[at..]) : BinaryPrimitives.ReadUInt32LittleEndian(signature[^4..]) >> (8 * (at + 4 - signature.Length));
        return places & (uint)((1L << (8 * bandPlaces)) - 1);
    }

    private int SlotOf(uint key, int band)
    {
        var mixed = MinHash.Mixed(key + unchecked((uint)(band + 1) * 0x9E3779B9));
        return (int)(((ulong)mixed * (uint)_slots.Length) >> 32);
    }
}
