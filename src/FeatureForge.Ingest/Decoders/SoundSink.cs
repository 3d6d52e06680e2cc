// Where every audio decoder pours its samples: mixes them down to mono, measures them, resamples them and keeps 16-bit
// samples, block by block, within the limits; in memory while they are few, then in a scratch file.
using FeatureForge.Data;

namespace FeatureForge.Ingest;

/// <summary>A decoded recording: the source's rate and channels, and mono samples at the wanted rate.</summary>
internal sealed record DecodedAudio(int DurationMs, int SampleRate, int Channels, KeptSamples Samples, Measured Quality);

/// <summary>Takes interleaved samples in [-1,1] of one recording.</summary>
/// <param name="wantedRate">Hertz of the samples that are kept.</param>
/// <param name="mostSamples">So many kept samples are enough: then <see cref="EnoughSamplesException"/> ends the decoding.</param>
/// <param name="scratchFolder">Where long recordings are kept.</param>
internal sealed class SoundSink(int wantedRate, IngestLimits limits, long mostSamples, string scratchFolder, CancellationToken stop) : IDisposable
{
    private const int LongestFrame = 1 << 14;
    private readonly KeptSamples _kept = new(scratchFolder);
    private SoundMeasures? _measures;
    private float[] _mono = [];
    private short[] _block = [];
    private IResampler? _resampler;
    private long _frames;
    private bool _isFinished;

    public int SampleRate { get; private set; }
    public int Channels { get; private set; }
    public long Frames => _frames;

    /// <summary>Called once, before the first samples.</summary>
    /// <exception cref="MediaRejectedException">No recording has such a rate or channels.</exception>
    public void Start(int sampleRate, int channels)
    {
        if (sampleRate is < 1 or > 10_000_000) throw new MediaRejectedException(RejectionCode.Malformed, $"The header declares {sampleRate} samples a second; expected 1 to 10000000.");
        if (channels is < 1 or > 1024) throw new MediaRejectedException(RejectionCode.Malformed, $"The header declares {channels} channels; expected 1 to 1024.");
        (SampleRate, Channels) = (sampleRate, channels);
        _resampler = Resampling.Between(sampleRate, wantedRate);
        _measures = new(sampleRate, wantedRate);
    }

    /// <summary>Whole frames: one sample per channel each.</summary>
    public void Add(ReadOnlySpan<float> interleaved)
    {
        stop.ThrowIfCancellationRequested();
        var block = LongestFrame / Channels * Channels;
        if (block == 0) block = Channels;
        for (; !interleaved.IsEmpty; interleaved = interleaved[Math.Min(block, interleaved.Length)..])
        {
            AddBlock(interleaved[..Math.Min(block, interleaved.Length)]);
        }
    }

    /// <summary>What came in; the sink can take no more.</summary>
    /// <exception cref="MediaRejectedException">Nothing came in.</exception>
    public DecodedAudio Finish()
    {
        if (_frames == 0) throw new MediaRejectedException(RejectionCode.Empty, "The recording holds no samples.");
        if (_resampler != null && _kept.Count < mostSamples) Keep(_resampler.Finish());
        _kept.Complete();
        _isFinished = true;
        var duration = (int)Math.Min(int.MaxValue, Math.Round(_frames * 1000.0 / SampleRate));
        return new(duration, SampleRate, Channels, _kept, _measures!.Finish((double)_frames / SampleRate));
    }

    public void Dispose()
    {
        _resampler?.Dispose();
        if (!_isFinished) _kept.Dispose();
    }

    private void AddBlock(ReadOnlySpan<float> interleaved)
    {
        var frames = interleaved.Length / Channels;
        _frames += frames;
        if (_frames > limits.AudioSeconds * SampleRate)
            throw new MediaRejectedException(RejectionCode.TooLarge, $"The recording is longer than {limits.AudioSeconds} s, the limit. Cut it, or raise the limit (--max-seconds).");
        if (_mono.Length < frames) _mono = new float[frames];
        var mono = _mono.AsSpan(0, frames);
        MixDown(interleaved, mono);
        _measures!.AddDecoded(mono);
        Keep(_resampler == null ? mono : _resampler.Process(mono));
        if (_kept.Count >= mostSamples) throw new EnoughSamplesException();
    }

    private void MixDown(ReadOnlySpan<float> interleaved, Span<float> mono)
    {
        for (var i = 0; i < mono.Length; i++)
        {
            var sum = 0f;
            for (var c = 0; c < Channels; c++) sum += interleaved[i * Channels + c];
            mono[i] = sum / Channels;
            if (!float.IsFinite(mono[i])) throw new MediaRejectedException(RejectionCode.Malformed, $"Sample {_frames - mono.Length + i} is not a finite number.");
        }
    }

    private void Keep(ReadOnlySpan<float> samples)
    {
        if (samples.IsEmpty) return;
        _measures!.AddKept(samples);
        if (_kept.Count + samples.Length > int.MaxValue) throw new MediaRejectedException(RejectionCode.TooLarge, $"The recording has more than {int.MaxValue} samples at {wantedRate} Hz. Cut it.");
        if (_block.Length < samples.Length) _block = new short[samples.Length];
        var block = _block.AsSpan(0, samples.Length);
        for (var i = 0; i < block.Length; i++) block[i] = (short)Math.Clamp((int)MathF.Round(samples[i] * 32768f), short.MinValue, short.MaxValue);
        _kept.Add(block);
    }
}

/// <summary>Ends a decoding of which only the beginning is wanted.</summary>
internal sealed class EnoughSamplesException : Exception;
