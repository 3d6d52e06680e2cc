// Power spectrum of a windowed frame: a radix-2 FFT of half the length, the real samples taken as complex pairs.
using System.Runtime.Intrinsics;

namespace FeatureForge.Ingest;

/// <summary>For one length; not for several threads at once.</summary>
internal sealed class RealSpectrum
{
    private readonly int _half;
    private readonly float[] _window;
    private readonly float[] _cos;
    private readonly float[] _sin;
    private readonly (float[] Cos, float[] Sin)[] _stages;
    private readonly int[] _reversed;
    private readonly float[] _real;
    private readonly float[] _imaginary;

    /// <param name="length">Samples of a frame; a power of two.</param>
    public RealSpectrum(int length)
    {
        _half = length / 2;
        (_window, _cos, _sin) = (new float[length], new float[_half], new float[_half]);
        for (var i = 0; i < length; i++) _window[i] = (float)(0.5 - 0.5 * Math.Cos(2 * Math.PI * i / length));
        for (var i = 0; i < _half; i++) (_cos[i], _sin[i]) = ((float)Math.Cos(2 * Math.PI * i / length), (float)-Math.Sin(2 * Math.PI * i / length));
        // Each stage's factors lie side by side, so that eight butterflies go at once.
        _stages = [.. Enumerable.Range(0, System.Numerics.BitOperations.Log2((uint)_half)).Select(stage => (Factors(_cos, 1 << stage, length), Factors(_sin, 1 << stage, length)))];
        (_reversed, _real, _imaginary) = (new int[_half], new float[_half], new float[_half]);
        for (var i = 1; i < _half; i++) _reversed[i] = (_reversed[i >> 1] >> 1) | ((i & 1) * (_half >> 1));
    }

    /// <summary>Half the length of a frame: bins from 0 to just below half the sample rate.</summary>
    public int Bins => _half;

    /// <summary>Squared magnitudes under a Hann window.</summary>
    public void Power(ReadOnlySpan<float> frame, Span<float> power)
    {
        for (var i = 0; i < _half; i++)
        {
            var to = _reversed[i];
            _real[to] = frame[2 * i] * _window[2 * i];
            _imaginary[to] = frame[2 * i + 1] * _window[2 * i + 1];
        }
        Transform();
        // Even and odd samples come apart again by symmetry.
        power[0] = (_real[0] + _imaginary[0]) * (_real[0] + _imaginary[0]);
        for (var k = 1; k < _half; k++)
        {
            var mirrored = _half - k;
            var (evenReal, evenImaginary) = (0.5f * (_real[k] + _real[mirrored]), 0.5f * (_imaginary[k] - _imaginary[mirrored]));
            var (oddReal, oddImaginary) = (0.5f * (_imaginary[k] + _imaginary[mirrored]), 0.5f * (_real[mirrored] - _real[k]));
            var real = evenReal + _cos[k] * oddReal - _sin[k] * oddImaginary;
            var imaginary = evenImaginary + _cos[k] * oddImaginary + _sin[k] * oddReal;
            power[k] = real * real + imaginary * imaginary;
        }
    }

    private void Transform()
    {
        foreach (var (cosines, sines) in _stages)
        {
            var half = cosines.Length;
            for (var start = 0; start < _half; start += 2 * half)
            {
                var (low, high) = (start, start + half);
                if (half >= Vector256<float>.Count) Eight(_real.AsSpan(low, half), _imaginary.AsSpan(low, half), _real.AsSpan(high, half), _imaginary.AsSpan(high, half), cosines, sines);
                else One(_real.AsSpan(low, half), _imaginary.AsSpan(low, half), _real.AsSpan(high, half), _imaginary.AsSpan(high, half), cosines, sines);
            }
        }
    }

    private static void One(Span<float> lowReal, Span<float> lowImaginary, Span<float> highReal, Span<float> highImaginary, ReadOnlySpan<float> cosines, ReadOnlySpan<float> sines)
    {
        for (var i = 0; i < cosines.Length; i++)
        {
            var real = highReal[i] * cosines[i] - highImaginary[i] * sines[i];
            var imaginary = highReal[i] * sines[i] + highImaginary[i] * cosines[i];
            (highReal[i], highImaginary[i]) = (lowReal[i] - real, lowImaginary[i] - imaginary);
            (lowReal[i], lowImaginary[i]) = (lowReal[i] + real, lowImaginary[i] + imaginary);
        }
    }

    private static void Eight(Span<float> lowReal, Span<float> lowImaginary, Span<float> highReal, Span<float> highImaginary, ReadOnlySpan<float> cosines, ReadOnlySpan<float> sines)
    {
        for (var i = 0; i < cosines.Length; i += Vector256<float>.Count)
        {
            var (cos, sin) = (Vector256.Create(cosines[i..]), Vector256.Create(sines[i..]));
            var (oldReal, oldImaginary) = (Vector256.Create<float>(highReal[i..]), Vector256.Create<float>(highImaginary[i..]));
            var (keptReal, keptImaginary) = (Vector256.Create<float>(lowReal[i..]), Vector256.Create<float>(lowImaginary[i..]));
            var real = oldReal * cos - oldImaginary * sin;
            var imaginary = oldReal * sin + oldImaginary * cos;
            (keptReal - real).CopyTo(highReal[i..]);
            (keptImaginary - imaginary).CopyTo(highImaginary[i..]);
            (keptReal + real).CopyTo(lowReal[i..]);
            (keptImaginary + imaginary).CopyTo(lowImaginary[i..]);
        }
    }

    private static float[] Factors(float[] all, int half, int length) => [.. Enumerable.Range(0, half).Select(i => all[i * (length / (2 * half))])];
}
