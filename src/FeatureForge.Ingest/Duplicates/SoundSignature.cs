// What a recording shares with its louder, recompressed, resampled or slightly trimmed copies: the set of its spectral landmarks.
// A landmark is the band that stands out most from the recording's own mean spectrum at three moments a tenth of a second apart: levels
// and equalisers cancel out, and no absolute time enters. The set is sketched like a document's words (the combination of
// landmarks and min-hashing is that of Baluja and Covell, "Waveprint: Efficient wavelet-based audio fingerprinting", 2008).
namespace FeatureForge.Ingest;

internal static class SoundSignature
{
    private const int Stride = 6; // frames of 16 ms
    private const double QuietDecibels = 45;

    /// <summary>Null for silence and for less than a fifth of a second.</summary>
    /// <param name="seconds">Length of the whole recording.</param>
    public static byte[]? Of(SoundFrames frames, double seconds)
    {
        if (frames.Count <= 2 * Stride || frames.Energies.Max() is not (> 1e-9f and var loudest)) return null;
        var floor = loudest * Math.Pow(10, -QuietDecibels / 10);
        var levels = Levels(frames, floor, out var means);
        var peaks = Peaks(levels, frames, floor, means);
        var (sketch, seen) = (new MinHash(), new HashSet<uint>());
        for (var t = 0; t + 2 * Stride < peaks.Length; t++)
        {
            if (peaks[t] < 0 || peaks[t + Stride] < 0 || peaks[t + 2 * Stride] < 0) continue;
            var landmark = (uint)((peaks[t] * SoundFrames.Bands + peaks[t + Stride]) * SoundFrames.Bands + peaks[t + 2 * Stride]);
            if (seen.Add(landmark)) sketch.Add(MinHash.Mixed(landmark + 1));
        }
        return seen.Count == 0 ? null : SketchSignature.OfSound(sketch, seen.Count, seconds, Spectrum(means));
    }

    // Log energies; their mean over the frames that are not quiet.
    private static float[] Levels(SoundFrames frames, double floor, out float[] means)
    {
        var levels = new float[frames.Count * SoundFrames.Bands];
        means = new float[SoundFrames.Bands];
        var loud = 0;
        for (var t = 0; t < frames.Count; t++)
        {
            var bands = frames.BandsOf(t);
            // A band far below the frame's sum is the coder's business, not the recording's.
            var least = 0f;
            foreach (var energy in bands) least += energy;
            least = least * 1e-5f + 1e-12f;
            for (var b = 0; b < bands.Length; b++) levels[t * SoundFrames.Bands + b] = MathF.Log2(bands[b] + least);
            if (frames.Energies[t] < floor) continue;
            loud++;
            for (var b = 0; b < means.Length; b++) means[b] += levels[t * SoundFrames.Bands + b];
        }
        for (var b = 0; b < means.Length; b++) means[b] /= Math.Max(1, loud);
        return levels;
    }

    // The band that stands out in each frame and its neighbours; -1 where it is quiet.
    private static int[] Peaks(float[] levels, SoundFrames frames, double floor, float[] means)
    {
        var peaks = new int[frames.Count];
        for (var t = 0; t < peaks.Length; t++)
        {
            peaks[t] = -1;
            if (frames.Energies[t] < floor) continue;
            var most = float.MinValue;
            for (var b = 0; b < SoundFrames.Bands; b++)
            {
                var level = levels[t * SoundFrames.Bands + b] - means[b];
                if (level > most) (most, peaks[t]) = (level, b);
            }
        }
        return peaks;
    }

    private static byte[] Spectrum(float[] means)
    {
        var spectrum = new byte[SketchSignature.SpectrumBands];
        var most = means.Max();
        for (var i = 0; i < spectrum.Length; i++)
        {
            var (from, to) = (i * SoundFrames.Bands / spectrum.Length, Math.Max((i + 1) * SoundFrames.Bands / spectrum.Length, i * SoundFrames.Bands / spectrum.Length + 1));
            var below = (most - means[from..to].Average()) * 3.0103f;
            spectrum[i] = (byte)Math.Clamp((int)MathF.Round(below), 0, 255);
        }
        return spectrum;
    }
}
