// What a prepared recording (mono, 16 bit) sounds like, in a few numbers.
namespace FeatureForge.Clustering;

internal static class SoundAxes
{
    internal static IReadOnlyList<Axis> All { get; } = [new("short", "long"), new("quiet", "loud"), new("dull", "bright"), new("even", "bursty"), new("low-pitched", "high-pitched"),
        new("unmeasured", "rhythmic")];

    /// <summary>One value per axis: log seconds, decibels, log of zero crossings per second, decibels between loud and median frames,
    /// log of the median pitch in hertz, and how strongly the loudness repeats between 0.2 and 1.2 seconds.</summary>
    internal static float[] Measure(ReadOnlySpan<short> samples, int sampleRate)
    {
        var frame = Math.Max(1, sampleRate / 40); // 25 ms
        var levels = new List<double>();
        double energy = 0;
        long crossings = 0;
        for (var first = 0; first < samples.Length; first += frame)
        {
            double sum = 0;
            var some = samples.Slice(first, Math.Min(frame, samples.Length - first));
            for (var i = 0; i < some.Length; i++)
            {
                sum += (double)some[i] * some[i];
                if (i > 0 && (some[i] ^ some[i - 1]) < 0) crossings++;
            }
            energy += sum;
            levels.Add(Decibels(sum / some.Length));
        }
        var rhythm = Repetition([.. levels], 8, 48);
        levels.Sort();
        var seconds = Math.Max(1e-3, samples.Length / (double)sampleRate);
        return [(float)Math.Log(seconds), (float)Decibels(energy / Math.Max(1, samples.Length)), (float)Math.Log(1 + crossings / seconds),
            levels.Count == 0 ? 0 : (float)(levels[(int)(0.95 * (levels.Count - 1))] - levels[levels.Count / 2]),
            (float)Math.Log(Pitch(samples, sampleRate)), (float)rhythm];
    }

    // Median over up to 20 loud windows of the strongest autocorrelation between 60 and 500 Hz; 60 where nothing repeats.
    private static double Pitch(ReadOnlySpan<short> samples, int sampleRate)
    {
        var window = sampleRate / 15;
        var (shortest, longest) = (Math.Max(2, sampleRate / 500), sampleRate / 60);
        if (samples.Length < window + longest) return 60;
        var found = new List<double>();
        var step = Math.Max(1, (samples.Length - window - longest) / 20);
        for (var first = 0; first + window + longest <= samples.Length && found.Count < 20; first += step)
        {
            var piece = new double[window + longest];
            for (var i = 0; i < piece.Length; i++) piece[i] = samples[first + i];
            var (lag, strength) = Strongest(piece, window, shortest, longest);
            if (strength > 0.5) found.Add(sampleRate / (double)lag);
        }
        found.Sort();
        return found.Count == 0 ? 60 : found[found.Count / 2];
    }

    private static double Repetition(double[] levels, int shortest, int longest)
    {
        if (levels.Length < 3 * shortest) return 0;
        longest = Math.Min(longest, levels.Length / 2);
        var mean = levels.Average();
        return Math.Max(0, Strongest(Array.ConvertAll(levels, level => level - mean), levels.Length - longest, shortest, longest).Strength);
    }

    // The shift at which the first `window` values are most like themselves; a multiple of it must be clearly better to win.
    private static (int Lag, double Strength) Strongest(double[] values, int window, int shortest, int longest)
    {
        var (best, strength) = (shortest, 0.0);
        for (var lag = shortest; lag <= longest; lag++)
        {
            double product = 0, here = 1e-9, there = 1e-9;
            for (var i = 0; i < window; i++)
            {
                product += values[i] * values[i + lag];
                here += values[i] * values[i];
                there += values[i + lag] * values[i + lag];
            }
            var likeness = product / Math.Sqrt(here * there);
            if (likeness > strength + 0.02) (best, strength) = (lag, likeness);
        }
        return (best, strength);
    }

    private static double Decibels(double meanSquare) => 10 * Math.Log10(1e-10 + meanSquare / (32768.0 * 32768.0));
}
