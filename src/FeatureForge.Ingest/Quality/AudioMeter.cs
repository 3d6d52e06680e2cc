// Issue scores of a recording, measured while it is decoded.
namespace FeatureForge.Ingest;

/// <summary>silence_share: blocks of 1024 samples below -60 dB of full scale. clipping_share: samples at full scale.</summary>
internal sealed class AudioMeter
{
    private const int BlockSamples = 1024;
    private const float SilenceRms = 0.001f;
    private const float FullScale = 0.9995f;
    private long _samples;
    private long _clipped;
    private long _blocks;
    private long _silentBlocks;
    private double _blockEnergy;
    private int _inBlock;

    public void Add(ReadOnlySpan<float> mono)
    {
        foreach (var sample in mono)
        {
            if (MathF.Abs(sample) >= FullScale) _clipped++;
            _blockEnergy += sample * sample;
            if (++_inBlock == BlockSamples) EndBlock();
        }
        _samples += mono.Length;
    }

    public IReadOnlyDictionary<string, float> Scores()
    {
        if (_inBlock > 0) EndBlock();
        return new Dictionary<string, float>
        {
            ["silence_share"] = _blocks == 0 ? 0 : (float)_silentBlocks / _blocks,
            ["clipping_share"] = _samples == 0 ? 0 : (float)_clipped / _samples,
        };
    }

    private void EndBlock()
    {
        if (Math.Sqrt(_blockEnergy / _inBlock) < SilenceRms) _silentBlocks++;
        _blocks++;
        (_blockEnergy, _inBlock) = (0, 0);
    }
}
