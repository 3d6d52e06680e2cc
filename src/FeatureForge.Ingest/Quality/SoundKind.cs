// Whether a recording sounds like speech, music or noise, from closed-form features that have long been used for it (Scheirer and
// Slaney, "Construction and evaluation of a robust multifeature speech/music discriminator", 1997): energy of the envelope around the
// syllable rate of 4 Hz, the share of quiet frames, the spread of the zero-crossing rate, and spectral flatness.
// A hint, nothing learned: singing, speech over music, animals and machines that throb fall between, and a second is too short for
// the syllable rate. tests/FeatureForge.Benchmarks/RESULTS.md says how often it is right.
namespace FeatureForge.Ingest;

internal static class SoundKind
{
    private const double LowestSyllables = 2.5;
    private const double HighestSyllables = 8;

    /// <summary>speech, music and noise; they add up to 1, a third each for silence.</summary>
    public static (float Speech, float Music, float Noise) Of(SoundFrames frames)
    {
        var features = SoundKindFeatures.Of(frames);
        if (features == null) return (1 / 3f, 1 / 3f, 1 / 3f);
        // Weights by hand, from what the features measure.
        var speech = Math.Exp(6 * features.SyllablePower + 3 * features.QuietShare + 4 * features.CrossingSpread - 8 * features.Flatness);
        var music = Math.Exp(2.5 - 6 * features.SyllablePower - 10 * features.Flatness);
        var noise = Math.Exp(12 * features.Flatness - 1);
        var sum = speech + music + noise;
        return ((float)(speech / sum), (float)(music / sum), (float)(noise / sum));
    }

    /// <param name="SyllablePower">Power of the envelope from 2.5 to 8 Hz by its square mean.</param>
    /// <param name="QuietShare">Frames with less than half the mean level.</param>
    /// <param name="CrossingSpread">Standard deviation of the zero-crossing rate by its mean.</param>
    /// <param name="Flatness">Mean over the frames, each counting by its level.</param>
    internal sealed record SoundKindFeatures(double SyllablePower, double QuietShare, double CrossingSpread, double Flatness)
    {
        public static SoundKindFeatures? Of(SoundFrames frames)
        {
            var levels = frames.Energies.Select(energy => Math.Sqrt(energy)).ToArray();
            if (levels.Length == 0 || levels.Average() is not (> 1e-5 and var mean)) return null;
            var heard = Enumerable.Range(0, levels.Length).Where(t => levels[t] >= 0.2 * mean).ToList();
            var crossings = heard.Select(t => (double)frames.Crossings[t]).ToList();
            var crossingMean = crossings.Average();
            var spread = Math.Sqrt(crossings.Average(rate => (rate - crossingMean) * (rate - crossingMean))) / Math.Max(0.01, crossingMean);
            return new(Syllables(levels, mean, frames.FramesPerSecond), (double)levels.Count(level => level < 0.5 * mean) / levels.Length, spread,
                heard.Sum(t => levels[t] * frames.Flatness[t]) / heard.Sum(t => levels[t]));
        }

        private static double Syllables(double[] levels, double mean, double perSecond)
        {
            // Whole bins of the recording's own length; at least one must lie in the range.
            var seconds = levels.Length / perSecond;
            var power = 0.0;
            for (var bin = (int)Math.Ceiling(LowestSyllables * seconds); bin <= HighestSyllables * seconds; bin++)
            {
                // The angle advances by a complex product: a sine per frame would cost more than decoding.
                var (stepSin, stepCos) = Math.SinCos(2 * Math.PI * bin / levels.Length);
                var (sin, cos, real, imaginary) = (0.0, 1.0, 0.0, 0.0);
                foreach (var level in levels)
                {
                    real += level * cos;
                    imaginary += level * sin;
                    (sin, cos) = (sin * stepCos + cos * stepSin, cos * stepCos - sin * stepSin);
                }
                power += 2 * (real * real + imaginary * imaginary);
            }
            return power / ((double)levels.Length * levels.Length * mean * mean);
        }
    }
}
