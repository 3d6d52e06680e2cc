// A sketch of a set: two sketches agree in about the share of places that the sets have in common (Broder, "On the resemblance and
// containment of documents", 1997). Eight bits of each minimum are kept (Li, König, "b-Bit Minwise Hashing", 2010).
using System.Numerics;

namespace FeatureForge.Ingest;

/// <summary>Sketches one set at a time.</summary>
internal sealed class MinHash
{
    public const int Places = 64;

    private static readonly uint[] _factors = Constants(1, odd: true);
    private static readonly uint[] _offsets = Constants(2, odd: false);

    private readonly uint[] _least = new uint[Places];

    public MinHash() => Array.Fill(_least, uint.MaxValue);

    /// <param name="member">Well mixed; adding it twice changes nothing.</param>
    public void Add(uint member)
    {
        var value = new Vector<uint>(member);
        for (var i = 0; i < Places; i += Vector<uint>.Count)
        {
            var hashed = value * new Vector<uint>(_factors, i) + new Vector<uint>(_offsets, i);
            Vector.Min(hashed, new Vector<uint>(_least, i)).CopyTo(_least, i);
        }
    }

    /// <summary>The same for many at once, several times as fast: what the loop needs stays in registers.</summary>
    public void Add(ReadOnlySpan<uint> members)
    {
        for (var i = 0; i < Places; i += 2 * Vector<uint>.Count)
        {
            var (factor, offset, least) = (new Vector<uint>(_factors, i), new Vector<uint>(_offsets, i), new Vector<uint>(_least, i));
            var next = i + Vector<uint>.Count;
            var (factorToo, offsetToo, leastToo) = (new Vector<uint>(_factors, next), new Vector<uint>(_offsets, next), new Vector<uint>(_least, next));
            foreach (var member in members)
            {
                var value = new Vector<uint>(member);
                least = Vector.Min(value * factor + offset, least);
                leastToo = Vector.Min(value * factorToo + offsetToo, leastToo);
            }
            least.CopyTo(_least, i);
            leastToo.CopyTo(_least, next);
        }
    }

    /// <summary>One byte per place.</summary>
    public void CopyTo(Span<byte> sketch)
    {
        for (var i = 0; i < Places; i++) sketch[i] = (byte)(Mixed(_least[i]) >> 24);
    }

    /// <summary>Places in which two sketches agree, 0 to 64; unrelated sets agree in one of 256 by chance.</summary>
    public static int Agreement(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
    {
        var agreeing = 0;
        for (var i = 0; i < Places; i += Vector<byte>.Count)
        {
            // Equal bytes become 255, which is -1: their negated sum counts them.
            var equal = Vector.Equals(new Vector<byte>(a[i..]), new Vector<byte>(b[i..]));
            agreeing -= Vector.Sum(Vector.AsVectorSByte(equal));
        }
        return agreeing;
    }

    /// <summary>A finaliser of MurmurHash3 (public domain): every bit of the input reaches every bit of the output.</summary>
    public static uint Mixed(uint value)
    {
        value = unchecked((value ^ (value >> 16)) * 0x85EBCA6B);
        value = unchecked((value ^ (value >> 13)) * 0xC2B2AE35);
        return value ^ (value >> 16);
    }

    private static uint[] Constants(uint seed, bool odd)
    {
        var constants = new uint[Places];
        for (var i = 0; i < Places; i++) constants[i] = Mixed(unchecked(seed * 0x9E3779B9 + (uint)i * 0x7F4A7C15 + 1)) | (odd ? 1u : 0u);
        return constants;
    }
}
