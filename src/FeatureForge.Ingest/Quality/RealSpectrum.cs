// Power spectrum of a windowed frame: a radix-2 FFT of half the length, the real samples taken as complex pairs.
namespace FeatureForge.Ingest;

/// <summary>For one length; not for several threads at once.</summary>
internal sealed class RealSpectrum
{
    private readonly int _half;
    private readonly float[] _window;
    private readonly float[] _cos;
    private readonly float[] _sin;
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
        for (var size = 2; size <= _half; size *= 2)
        {
            var step = 2 * _half / size;
            for (var start = 0; start < _half; start += size)
            {
                for (int i = start, turn = 0; i < start + size / 2; i++, turn += step)
                {
                    var j = i + size / 2;
                    var (cos, sin) = (_cos[turn], _sin[turn]);
                    var real = _real[j] * cos - _imaginary[j] * sin;
                    var imaginary = _real[j] * sin + _imaginary[j] * cos;
                    (_real[j], _imaginary[j]) = (_real[i] - real, _imaginary[i] - imaginary);
                    (_real[i], _imaginary[i]) = (_real[i] + real, _imaginary[i] + imaginary);
                }
            }
        }
    }
}
