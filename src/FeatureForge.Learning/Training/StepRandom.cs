// Random draws as a pure function of (seed, step, purpose), so that a resumed run draws what an uninterrupted one would.
// SplitMix64: Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators".
namespace FeatureForge.Learning;

/// <summary>What a stream of draws is for; streams of different purposes are independent.</summary>
internal enum DrawPurpose
{
    Order,
    Gather,
    Views,
    Probe,
    Sample,
    Subspace,
    Objective,
    Mask,
    Torch,
}

/// <summary>A generator for one step and purpose.</summary>
internal sealed class StepRandom
{
    private ulong _state;

    public StepRandom(int seed, long step, DrawPurpose purpose) =>
        _state = Mix(Mix(Mix((uint)seed + 0x9E3779B97F4A7C15UL) ^ (ulong)step) ^ ((ulong)purpose + 1));

    /// <summary>In [0, 1).</summary>
    public double Uniform() => (Next() >> 11) * (1.0 / (1UL << 53));

    /// <summary>In [low, high).</summary>
    public float Uniform(double low, double high) => (float)(low + (high - low) * Uniform());

    /// <summary>In [0, count).</summary>
    public int Below(int count) => (int)(Uniform() * count);

    public bool Chance(double probability) => Uniform() < probability;

    /// <summary>Standard normal, by Box and Muller.</summary>
    public float Normal() => (float)(Math.Sqrt(-2 * Math.Log(1 - Uniform())) * Math.Cos(2 * Math.PI * Uniform()));

    /// <summary>A number to seed another generator with.</summary>
    public ulong Seed() => Next();

    /// <summary>A random order of 0 … count-1.</summary>
    public int[] Permutation(int count)
    {
        var order = Enumerable.Range(0, count).ToArray();
        Shuffle(order.AsSpan());
        return order;
    }

    public void Shuffle<T>(Span<T> values)
    {
        for (var i = values.Length - 1; i > 0; i--)
        {
            var j = Below(i + 1);
            (values[i], values[j]) = (values[j], values[i]);
        }
    }

    private ulong Next() => Mix(_state += 0x9E3779B97F4A7C15UL);

    private static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9UL;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EBUL;
        return value ^ (value >> 31);
    }
}
