// Random numbers as a function of (seed, index): no state, so a resumed run draws what an uninterrupted one draws.
// splitmix64 finaliser (Steele, Lea, Flood 2014) over seed and counter; Box-Muller for normals.
namespace FeatureForge.Tensors;

/// <summary>A stream of draws addressed by index; the same on every machine.</summary>
public readonly record struct CounterRandom(long Seed)
{
    private const ulong Golden = 0x9E3779B97F4A7C15;

    /// <summary>64 random bits.</summary>
    public ulong Bits(long index)
    {
        var z = unchecked((ulong)Seed * Golden + ((ulong)index + 1) * Golden);
        z = unchecked((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9);
        z = unchecked((z ^ (z >> 27)) * 0x94D049BB133111EB);
        return z ^ (z >> 31);
    }

    /// <summary>Uniform in (0,1), never an end point.</summary>
    public double Unit(long index) => ((Bits(index) >> 11) + 0.5) * (1.0 / (1L << 53));

    /// <summary>Uniform in [0, <paramref name="end"/>).</summary>
    public int Below(long index, int end) => (int)Math.BigMul(Bits(index), (ulong)end, out _);

    /// <summary>Standard normal.</summary>
    public double Normal(long index) => Math.Sqrt(-2 * Math.Log(Unit(2 * index))) * Math.Cos(2 * Math.PI * Unit(2 * index + 1));

    /// <summary>Another stream, unrelated to this one.</summary>
    public CounterRandom Stream(long number) => new(unchecked((long)Bits(~number)));

    /// <summary><paramref name="count"/> different numbers of [0, <paramref name="end"/>), ascending.</summary>
    public int[] Sample(int count, int end)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, end);
        // Selection sampling (Knuth, TAOCP 2, algorithm S).
        var chosen = new int[count];
        for (int i = 0, taken = 0; taken < count; i++)
        {
            if ((end - i) * Unit(i) < count - taken) chosen[taken++] = i;
        }
        return chosen;
    }
}
