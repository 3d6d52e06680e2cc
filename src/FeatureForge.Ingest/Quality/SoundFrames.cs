// Spectra of a recording's first minute, from which its kind (speech, music, noise) is guessed and its fingerprint made.
// Looked at from 0 to about 4 kHz, 128 ms at a time, every 16 ms: what survives telephones, lossy coders and resampling.
using System.Runtime.Intrinsics;

namespace FeatureForge.Ingest;

/// <summary>Takes mono samples at one rate, in order; memory is bounded by the minute.</summary>
internal sealed class SoundFrames
{
    public const int Bands = 24;
    private const double LowestHertz = 150;
    private const double HighestHertz = 3700;
    private const int FrameSamples = 1024;
    private const int HopSamples = 128;
    private const int MostFrames = 3750;

    private readonly int _reduction;
    private readonly RealSpectrum _transform = new(FrameSamples);
    private readonly float[] _power = new float[FrameSamples / 2];
    private readonly float[] _frame = new float[FrameSamples];
    private readonly int[] _edges = new int[Bands + 1];
    private readonly List<float> _bandEnergies = []; // [frames, Bands]
    private readonly List<float> _energies = [];
    private readonly List<float> _flatness = [];
    private readonly List<float> _crossings = [];
    private float _sum;
    private int _summed;
    private int _filled;

    public SoundFrames(int sampleRate)
    {
        _reduction = Math.Max(1, (int)Math.Round(sampleRate / 8000.0));
        Rate = (double)sampleRate / _reduction;
        for (var i = 0; i <= Bands; i++)
        {
            var hertz = LowestHertz * Math.Pow(HighestHertz / LowestHertz, (double)i / Bands);
            _edges[i] = Math.Clamp((int)Math.Round(hertz * FrameSamples / Rate), 1, FrameSamples / 2);
        }
        for (var i = 1; i <= Bands; i++) _edges[i] = Math.Min(FrameSamples / 2, Math.Max(_edges[i], _edges[i - 1] + 1));
    }

    /// <summary>Samples per second after reduction; about 8000.</summary>
    public double Rate { get; }
    public double FramesPerSecond => Rate / HopSamples;
    public int Count => _energies.Count;
    /// <summary>Mean squares, one per frame.</summary>
    public IReadOnlyList<float> Energies => _energies;
    /// <summary>Geometric by arithmetic mean of the power spectrum: 0 a tone, 0.56 white noise.</summary>
    public IReadOnlyList<float> Flatness => _flatness;
    /// <summary>Sign changes per sample in the frame's newest 16 ms.</summary>
    public IReadOnlyList<float> Crossings => _crossings;

    public ReadOnlySpan<float> BandsOf(int frame) => System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_bandEnergies).Slice(frame * Bands, Bands);

    public void Add(ReadOnlySpan<float> mono)
    {
        if (Count >= MostFrames) return;
        foreach (var sample in mono)
        {
            _sum += sample;
            if (++_summed < _reduction) continue;
            _frame[_filled++] = _sum / _reduction;
            (_sum, _summed) = (0, 0);
            if (_filled == FrameSamples) EndFrame();
        }
    }

    /// <summary>A recording shorter than a frame is filled up with silence.</summary>
    public void Finish()
    {
        if (Count > 0 || _filled == 0) return;
        _frame.AsSpan(_filled).Clear();
        EndFrame();
    }

    private void EndFrame()
    {
        _transform.Power(_frame, _power);
        var energy = Vector256<float>.Zero;
        for (var i = 0; i < FrameSamples; i += Vector256<float>.Count) energy += Vector256.Create(_frame, i) * Vector256.Create(_frame, i);
        _energies.Add(Vector256.Sum(energy) / FrameSamples);
        for (var band = 0; band < Bands; band++)
        {
            var sum = 0f;
            foreach (var power in _power.AsSpan(_edges[band].._edges[band + 1])) sum += power;
            _bandEnergies.Add(sum);
        }
        _flatness.Add(FlatnessOf(_power.AsSpan(_edges[0].._edges[Bands])));
        var crossings = 0;
        for (var i = FrameSamples - HopSamples; i < FrameSamples; i++)
        {
            if (_frame[i] >= 0 != _frame[i - 1] >= 0) crossings++;
        }
        _crossings.Add((float)crossings / HopSamples);
        _frame.AsSpan(HopSamples).CopyTo(_frame);
        _filled = FrameSamples - HopSamples;
    }

    // Logarithms of products of eight bins: an eighth of the logarithms, and far from the ends of what a double holds.
    private static float FlatnessOf(ReadOnlySpan<float> power)
    {
        var (logs, sum, product, bins) = (0.0, 0.0, 1.0, power.Length & ~7);
        for (var i = 0; i < bins; i++)
        {
            sum += power[i];
            product *= power[i] + 1e-12;
            if ((i & 7) != 7) continue;
            logs += Math.Log(product);
            product = 1;
        }
        return sum <= 0 ? 0 : (float)(Math.Exp(logs / bins) / (sum / bins));
    }
}
