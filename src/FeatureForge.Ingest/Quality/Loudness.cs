// Loudness after ITU-R BS.1770-4 of a mono mix: K-weighting, blocks of 400 ms every 100 ms, an absolute and a relative gate.
// The mix stands for one channel, so a stereo programme reads up to 3 LU lower than by a meter that sums channels.
namespace FeatureForge.Ingest;

internal sealed class Loudness
{
    private const double AbsoluteGate = -70;
    private const double RelativeGate = -10;
    private const int Bins = 800; // of 0.1 LU from -70 to +10

    private readonly int _stepSamples;
    private readonly long[] _counts = new long[Bins];
    private readonly double[] _energies = new double[Bins];
    private readonly double[] _steps = new double[4];
    private readonly Biquad _shelf;
    private readonly Biquad _highPass;
    private int _inStep;
    private long _stepCount;
    private double _stepEnergy;

    public Loudness(int sampleRate)
    {
        _stepSamples = Math.Max(1, sampleRate / 10);
        _shelf = Biquad.HighShelf(sampleRate, 1681.974450955533, 3.999843853973347, 0.7071752369554196);
        _highPass = Biquad.HighPass(sampleRate, 38.13547087602444, 0.5003270373238773);
    }

    public void Add(ReadOnlySpan<float> mono)
    {
        foreach (var sample in mono)
        {
            var weighted = _highPass.Filter(_shelf.Filter(sample));
            _stepEnergy += weighted * weighted;
            if (++_inStep == _stepSamples) EndStep();
        }
    }

    /// <summary>LUFS; -70 when nothing is louder. What is shorter than 0.4 s is one block.</summary>
    public double Integrated()
    {
        if (_stepCount < 4)
        {
            var samples = _stepCount * _stepSamples + _inStep;
            var sum = (_steps[0] + _steps[1] + _steps[2]) * _stepSamples + _stepEnergy;
            return samples == 0 || sum <= 0 ? AbsoluteGate : Math.Max(AbsoluteGate, Units(sum / samples));
        }
        var (energy, blocks) = Gated(0);
        if (blocks == 0) return AbsoluteGate;
        var threshold = Units(energy / blocks) + RelativeGate;
        (energy, blocks) = Gated(Math.Clamp((int)Math.Ceiling((threshold - AbsoluteGate) * 10), 0, Bins - 1));
        return blocks == 0 ? AbsoluteGate : Units(energy / blocks);
    }

    private (double Energy, long Blocks) Gated(int from) => (_energies.Skip(from).Sum(), _counts.Skip(from).Sum());

    private void EndStep()
    {
        _steps[_stepCount++ % 4] = _stepEnergy / _stepSamples;
        (_stepEnergy, _inStep) = (0, 0);
        if (_stepCount < 4) return;
        var energy = (_steps[0] + _steps[1] + _steps[2] + _steps[3]) / 4;
        var units = Units(energy);
        if (!(units >= AbsoluteGate)) return;
        var bin = Math.Min(Bins - 1, (int)((units - AbsoluteGate) * 10));
        _counts[bin]++;
        _energies[bin] += energy;
    }

    private static double Units(double energy) => -0.691 + 10 * Math.Log10(energy);
}

/// <summary>A filter of second order, from the bilinear transform of its analogue form.</summary>
internal sealed class Biquad(double b0, double b1, double b2, double a1, double a2)
{
    private double _first;
    private double _second;

    public static Biquad HighShelf(double rate, double hertz, double decibels, double quality)
    {
        var k = Math.Tan(Math.PI * Math.Min(hertz, 0.49 * rate) / rate);
        var high = Math.Pow(10, decibels / 20);
        var band = Math.Pow(high, 0.4996667741545416);
        var a0 = 1 + k / quality + k * k;
        return new((high + band * k / quality + k * k) / a0, 2 * (k * k - high) / a0, (high - band * k / quality + k * k) / a0, 2 * (k * k - 1) / a0, (1 - k / quality + k * k) / a0);
    }

    public static Biquad HighPass(double rate, double hertz, double quality)
    {
        var k = Math.Tan(Math.PI * hertz / rate);
        var a0 = 1 + k / quality + k * k;
        return new(1, -2, 1, 2 * (k * k - 1) / a0, (1 - k / quality + k * k) / a0);
    }

    public double Filter(double input)
    {
        var output = b0 * input + _first;
        _first = b1 * input - a1 * output + _second;
        _second = b2 * input - a2 * output;
        return output;
    }
}
