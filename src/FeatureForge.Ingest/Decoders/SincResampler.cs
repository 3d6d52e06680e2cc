// Our own resampler: a bank of windowed-sinc filters (Kaiser), one per position of an output sample between two input
// samples (J. O. Smith, "Digital Audio Resampling", ccrma.stanford.edu/~jos/resample). Rates with very many positions
// share the nearest of 2048.
using System.Numerics;

namespace FeatureForge.Ingest;

internal sealed class SincResampler : IResampler
{
    private const int ZeroCrossings = 24;
    private const int MostPhases = 2048;
    private const double KaiserBeta = 9;
    private const double Passband = 0.94;

    private readonly long _up;
    private readonly long _down;
    private readonly int _half;
    private readonly float[][] _phases;
    private float[] _held;
    private int _heldCount;
    private long _heldFirst;
    private long _received;
    private long _produced;
    private float[] _output = [];

    public SincResampler(int from, int to)
    {
        var divisor = GreatestCommonDivisor(from, to);
        (_up, _down) = (to / divisor, from / divisor);
        var cutoff = Passband * Math.Min(1, (double)to / from);
        _half = (int)Math.Ceiling(ZeroCrossings / cutoff);
        _phases = Filters((int)Math.Min(_up, MostPhases), _half, cutoff);
        // Silence before the first sample fills the filter.
        _held = new float[_half * 4 + 4096];
        _heldCount = _half;
        _heldFirst = -_half;
    }

    public ReadOnlySpan<float> Process(ReadOnlySpan<float> samples)
    {
        _received += samples.Length;
        Hold(samples);
        return Produce(long.MaxValue);
    }

    public ReadOnlySpan<float> Finish()
    {
        Hold(new float[_half + 1]);
        return Produce((_received * _up + _down - 1) / _down);
    }

    public void Dispose() { }

    private void Hold(ReadOnlySpan<float> samples)
    {
        // Drop what no later output needs.
        var needed = Math.Max(0, (int)Math.Min(_heldCount, _produced * _down / _up - _half + 1 - _heldFirst));
        _held.AsSpan(needed, _heldCount - needed).CopyTo(_held);
        _heldCount -= needed;
        _heldFirst += needed;
        if (_heldCount + samples.Length > _held.Length) Array.Resize(ref _held, _heldCount + samples.Length);
        samples.CopyTo(_held.AsSpan(_heldCount));
        _heldCount += samples.Length;
    }

    // Output n lies at input time n * down / up; it needs the inputs from floor - half + 1 to floor + half.
    private ReadOnlySpan<float> Produce(long end)
    {
        var count = 0;
        while (_produced < end)
        {
            var at = _produced * _down;
            var first = at / _up - _half + 1 - _heldFirst;
            if (first + 2 * _half > _heldCount) break;
            var filter = _phases[at % _up * _phases.Length / _up];
            var input = _held.AsSpan((int)first, 2 * _half);
            if (count == _output.Length) Array.Resize(ref _output, Math.Max(4096, count * 2));
            _output[count++] = Dot(filter, input);
            _produced++;
        }
        return _output.AsSpan(0, count);
    }

    private static float Dot(ReadOnlySpan<float> filter, ReadOnlySpan<float> input)
    {
        var sums = Vector<float>.Zero;
        var i = 0;
        for (; i + Vector<float>.Count <= filter.Length; i += Vector<float>.Count)
        {
            sums += new Vector<float>(filter[i..]) * new Vector<float>(input[i..]);
        }
        var sum = Vector.Sum(sums);
        for (; i < filter.Length; i++) sum += filter[i] * input[i];
        return sum;
    }

    private static float[][] Filters(int phases, int half, double cutoff)
    {
        var filters = new float[phases][];
        for (var phase = 0; phase < phases; phase++)
        {
            var taps = new double[2 * half];
            for (var i = 0; i < taps.Length; i++)
            {
                var distance = i - half + 1 - (double)phase / phases;
                taps[i] = cutoff * Sinc(cutoff * distance) * Kaiser(distance / half);
            }
            // The same loudness in every phase.
            var sum = taps.Sum();
            filters[phase] = [.. taps.Select(tap => (float)(tap / sum))];
        }
        return filters;
    }

    private static double Sinc(double x) => Math.Abs(x) < 1e-9 ? 1 : Math.Sin(Math.PI * x) / (Math.PI * x);

    private static double Kaiser(double x) => Math.Abs(x) >= 1 ? 0 : Bessel(KaiserBeta * Math.Sqrt(1 - x * x)) / Bessel(KaiserBeta);

    private static double Bessel(double x)
    {
        var (sum, term) = (1.0, 1.0);
        for (var k = 1; term > 1e-12 * sum; k++)
        {
            term *= x / (2 * k) * (x / (2 * k));
            sum += term;
        }
        return sum;
    }

    private static int GreatestCommonDivisor(int a, int b) => b == 0 ? a : GreatestCommonDivisor(b, a % b);
}
