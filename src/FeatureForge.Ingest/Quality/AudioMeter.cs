// Scores of a recording at its own sample rate, measured while it is decoded: silence, clipping, offset, level, bandwidth.
using System.Runtime.Intrinsics;

namespace FeatureForge.Ingest;

/// <summary>Takes mono samples in [-1,1], in order, in blocks of any length. Memory does not grow with them.</summary>
internal sealed class AudioMeter(int sampleRate)
{
    private const int BlockSamples = 1024;
    private const float SilenceRms = 0.001f;
    private const float FullScale = 0.9995f;
    private const double LowestLevel = -120;
    /// <summary>One block in so many is transformed: bandwidth is a property of the whole recording.</summary>
    private const int BlocksPerSpectrum = 8;
    /// <summary>The loudest spectrum less this is where a recording ends in frequency; lossy coders cut to far below.</summary>
    private const double BandwidthFloor = 1e-6;

    private readonly float[] _block = new float[BlockSamples];
    private readonly double[] _spectrum = new double[BlockSamples / 2];
    private readonly float[] _power = new float[BlockSamples / 2];
    private readonly RealSpectrum _transform = new(BlockSamples);
    private long _samples;
    private long _clipped;
    private long _blocks;
    private long _silentBlocks;
    private double _sum;
    private double _soundEnergy;
    private long _soundSamples;
    private int _inBlock;

    public void Add(ReadOnlySpan<float> mono)
    {
        _samples += mono.Length;
        while (!mono.IsEmpty)
        {
            var taken = Math.Min(mono.Length, BlockSamples - _inBlock);
            mono[..taken].CopyTo(_block.AsSpan(_inBlock));
            mono = mono[taken..];
            if ((_inBlock += taken) == BlockSamples) EndBlock();
        }
    }

    /// <summary>
    /// silence_share: blocks of 1024 samples below -60 dB of full scale. clipping_share: samples at full scale. dc_offset: the mean, as a
    /// fraction of full scale. level_dbfs: root mean square of the blocks that are not silent. bandwidth_hz: below it
    /// lies everything that is within 60 dB of the strongest frequency. narrow_bandwidth: how much of the range up to 8 kHz is empty.
    /// </summary>
    public Dictionary<string, float> Scores()
    {
        if (_inBlock > 0) EndBlock();
        var bandwidth = Bandwidth();
        return new()
        {
            ["silence_share"] = _blocks == 0 ? 0 : (float)_silentBlocks / _blocks,
            ["clipping_share"] = _samples == 0 ? 0 : (float)_clipped / _samples,
            ["dc_offset"] = _samples == 0 ? 0 : (float)Math.Abs(_sum / _samples),
            ["level_dbfs"] = (float)(_soundSamples == 0 ? LowestLevel : Math.Max(LowestLevel, 10 * Math.Log10(_soundEnergy / _soundSamples))),
            ["bandwidth_hz"] = (float)bandwidth,
            ["narrow_bandwidth"] = (float)Math.Max(0, 1 - bandwidth / 8000),
        };
    }

    private void EndBlock()
    {
        // What is missing of the last block counts as zeros.
        _block.AsSpan(_inBlock).Clear();
        var (sums, squares, clips, full) = (Vector256<float>.Zero, Vector256<float>.Zero, Vector256<int>.Zero, Vector256.Create(FullScale));
        for (var i = 0; i < BlockSamples; i += Vector256<float>.Count)
        {
            var samples = Vector256.Create(_block, i);
            sums += samples;
            squares += samples * samples;
            clips -= Vector256.GreaterThanOrEqual(Vector256.Abs(samples), full).AsInt32(); // true is -1
        }
        var (sum, energy, clipped) = (Vector256.Sum(sums), Vector256.Sum(squares), Vector256.Sum(clips));
        _clipped += clipped;
        _sum += sum;
        var isSilent = Math.Sqrt(energy / _inBlock) < SilenceRms;
        if (isSilent) _silentBlocks++;
        else (_soundEnergy, _soundSamples) = (_soundEnergy + energy, _soundSamples + _inBlock);
        if (_blocks % BlocksPerSpectrum == 0 && !isSilent) AddSpectrum();
        _blocks++;
        _inBlock = 0;
    }

    private void AddSpectrum()
    {
        _transform.Power(_block, _power);
        for (var i = 0; i < _power.Length; i++) _spectrum[i] += _power[i];
    }

    // The lowest bins are left out: an offset is not sound.
    private double Bandwidth()
    {
        var strongest = _spectrum.Skip(2).Max();
        if (strongest <= 0) return 0;
        var last = Array.FindLastIndex(_spectrum, power => power >= strongest * BandwidthFloor);
        return (last + 1) * (double)sampleRate / BlockSamples;
    }
}
