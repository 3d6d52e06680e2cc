// What a prepared recording (mono, 16 bit) sounds like, in a few numbers.
namespace FeatureForge.Clustering;

internal static class SoundAxes
{
    internal static IReadOnlyList<Axis> All { get; } = [new("short", "long"), new("quiet", "loud"), new("dull", "bright"), new("even", "bursty")];

    /// <summary>One value per axis: log seconds, decibels, log of zero crossings per second, decibels between loud and median frames.</summary>
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
        levels.Sort();
        var seconds = Math.Max(1e-3, samples.Length / (double)sampleRate);
        return [(float)Math.Log(seconds), (float)Decibels(energy / Math.Max(1, samples.Length)), (float)Math.Log(1 + crossings / seconds),
            levels.Count == 0 ? 0 : (float)(levels[(int)(0.95 * (levels.Count - 1))] - levels[levels.Count / 2])];
    }

    private static double Decibels(double meanSquare) => 10 * Math.Log10(1e-10 + meanSquare / (32768.0 * 32768.0));
}
