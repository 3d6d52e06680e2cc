// Everything that is measured of a recording while it is decoded, and what comes of it at the end.
namespace FeatureForge.Ingest;

/// <param name="sampleRate">Of the source.</param>
/// <param name="keptRate">Of the samples that are kept.</param>
internal sealed class SoundMeasures(int sampleRate, int keptRate)
{
    private readonly AudioMeter _meter = new(sampleRate);
    private readonly Loudness _loudness = new(keptRate);
    private readonly SoundFrames _frames = new(keptRate);

    /// <summary>Mono, at the source's rate.</summary>
    public void AddDecoded(ReadOnlySpan<float> mono) => _meter.Add(mono);

    /// <summary>Mono, at the rate that is kept.</summary>
    public void AddKept(ReadOnlySpan<float> mono)
    {
        _loudness.Add(mono);
        _frames.Add(mono);
    }

    /// <param name="seconds">Length of the recording.</param>
    public Measured Finish(double seconds)
    {
        _frames.Finish();
        var scores = _meter.Scores();
        scores["loudness_lufs"] = (float)_loudness.Integrated();
        (scores["speech"], scores["music"], scores["noise"]) = SoundKind.Of(_frames);
        return new(scores, SoundSignature.Of(_frames, seconds));
    }
}
