// Spoken syllables by formant synthesis (after D. H. Klatt, "Software for a cascade/parallel formant synthesizer", JASA 67,
// 1980, much reduced): a buzz of glottal pulses or noise runs through resonators that glide from the consonant's to the
// vowel's frequencies. Six voices differ in pitch and length of the vocal tract; takes differ in speed, melody and noise.
using FeatureForge.Data;

namespace FeatureForge.Ingest;

/// <summary>Made speech: 16-bit WAV files at 16 kHz.</summary>
public static class SpokenSyllables
{
    private const int SampleRate = 16000;

    private enum Onset { Stop, Fricative, Nasal, Glide }

    /// <summary>Frequencies in hertz: three resonances at the consonant and at the vowel, and the consonant's noise.</summary>
    private sealed record Syllable(string Name, Onset Onset, double[] Start, double[] Vowel, double Noise);

    private sealed record Voice(string Name, double Pitch, double Tract);

    private static readonly Syllable[] Syllables =
    [
        new("ba", Onset.Stop, [300, 900, 2200], [750, 1250, 2500], 800),
        new("di", Onset.Stop, [300, 1800, 2700], [300, 2250, 3000], 4000),
        new("gu", Onset.Stop, [280, 1500, 2000], [320, 850, 2250], 1800),
        new("sa", Onset.Fricative, [400, 1500, 2600], [750, 1250, 2500], 5800),
        new("shi", Onset.Fricative, [300, 1900, 2600], [300, 2250, 3000], 3000),
        new("mo", Onset.Nasal, [250, 1000, 2200], [500, 900, 2400], 0),
        new("ne", Onset.Nasal, [250, 1700, 2600], [530, 1850, 2500], 0),
        new("wa", Onset.Glide, [300, 650, 2200], [750, 1250, 2500], 0),
    ];

    private static readonly Voice[] Voices = [new("alto", 190, 1.12), new("bass", 92, 0.92), new("child", 280, 1.3), new("soprano", 230, 1.18), new("tenor", 130, 1.0), new("baritone", 108, 0.96)];

    /// <summary>Writes <paramref name="count"/> recordings and their labels below the folder.</summary>
    public static SampleCorpus Write(string folder, int count, int seed)
    {
        var source = Path.Combine(folder, "speech");
        Directory.CreateDirectory(source);
        var rows = new List<(string, string)>();
        for (var i = 0; i < count; i++)
        {
            var syllable = Syllables[i % Syllables.Length];
            var voice = Voices[i / Syllables.Length % Voices.Length];
            File.WriteAllBytes(Path.Combine(source, $"{i:D5}.wav"), WaveFile.Of(Speak(syllable, voice, SampleCorpus.RandomOf(seed, i)), SampleRate));
            rows.Add(($"{i:D5}.wav", syllable.Name));
        }
        return new(Modality.Audio, source, SampleCorpus.WriteLabels(Path.Combine(folder, "speech-labels.csv"), rows));
    }

    private static short[] Speak(Syllable syllable, Voice voice, Random random)
    {
        var speed = 0.85 + 0.3 * random.NextDouble();
        var onset = (int)(SampleRate * speed * (syllable.Onset == Onset.Stop ? 0.02 : 0.09));
        var glide = (int)(SampleRate * speed * 0.07);
        var total = onset + (int)(SampleRate * speed * (0.28 + 0.1 * random.NextDouble()));
        var (pitch, fall) = (voice.Pitch * (0.93 + 0.14 * random.NextDouble()), 0.1 + 0.25 * random.NextDouble());
        var tract = voice.Tract * (0.98 + 0.04 * random.NextDouble());
        var (resonators, hiss) = (new[] { new Resonator(), new Resonator(), new Resonator() }, new Resonator());
        var (breath, phase, samples) = (0.002 + 0.004 * random.NextDouble(), 0.0, new double[total]);
        for (var i = 0; i < total; i++)
        {
            var isOnset = i < onset;
            var toVowel = Math.Clamp((double)(i - onset) / glide, 0, 1);
            phase += pitch * (1 - fall * i / total) * (1 + 0.01 * (random.NextDouble() - 0.5)) / SampleRate;
            if (phase >= 1) phase -= 1;
            // A glottal pulse rises slowly and closes fast.
            var pulse = phase < 0.6 ? phase / 0.6 - 0.5 : -0.5;
            var noise = random.NextDouble() - 0.5;
            var voiced = !isOnset ? 1 : syllable.Onset switch { Onset.Nasal => 0.4, Onset.Glide => 1, _ => 0 };
            var sound = voiced * pulse + breath * noise;
            for (var f = 0; f < 3; f++)
            {
                var frequency = tract * (syllable.Start[f] + (syllable.Vowel[f] - syllable.Start[f]) * toVowel);
                sound = resonators[f].Next(sound, frequency, 60 + 0.05 * frequency);
            }
            if (isOnset && syllable.Noise > 0) sound += 0.5 * hiss.Next(noise, syllable.Noise * tract, 700) * (syllable.Onset == Onset.Stop ? 2 : Math.Sin(Math.PI * i / onset));
            samples[i] = sound * Math.Min(1, Math.Min(i, total - i) / (0.02 * SampleRate));
        }
        return ToSixteenBits(samples, 0.35 + 0.5 * random.NextDouble());
    }

    private static short[] ToSixteenBits(double[] samples, double peak)
    {
        var loudest = samples.Max(Math.Abs);
        return [.. samples.Select(sample => (short)Math.Round(sample / loudest * peak * short.MaxValue))];
    }

    // A two-pole filter with unit gain at zero frequency (Klatt's resonator).
    private sealed class Resonator
    {
        private double _last;
        private double _before;

        public double Next(double input, double frequency, double bandwidth)
        {
            frequency = Math.Min(frequency, SampleRate * 0.48);
            var c = -Math.Exp(-2 * Math.PI * bandwidth / SampleRate);
            var b = 2 * Math.Exp(-Math.PI * bandwidth / SampleRate) * Math.Cos(2 * Math.PI * frequency / SampleRate);
            var output = (1 - b - c) * input + b * _last + c * _before;
            (_before, _last) = (_last, output);
            return output;
        }
    }
}
