// Picks who decodes a recording: our WAV reader, then libsndfile, then ffmpeg. Each attempt starts with an empty sink.
using FeatureForge.Data;

namespace FeatureForge.Ingest;

internal static class AudioDecoder
{
    /// <param name="wantedRate">Hertz of the samples that are kept.</param>
    /// <param name="mostSamples">Decoding ends after so many kept samples; then length and scores are those of the beginning alone.</param>
    /// <param name="scratchFolder">Where the samples of a long recording wait.</param>
    /// <exception cref="MediaRejectedException">The recording is bad.</exception>
    public static DecodedAudio Decode(MediaContent content, MediaFormat format, int wantedRate, IngestLimits limits, long mostSamples, string scratchFolder, CancellationToken stop)
    {
        Streamed(content, stream => { CutOff.ThrowIf(stream, format); return true; });
        if (format.Name == "WAV" && Attempt(sink => Streamed(content, stream => WavReader.Decode(stream, sink, stop))) is { } wave) return wave;
        if (IsForSndFile(format) && SndFileReader.IsPresent && Attempt(sink => Streamed(content, stream => SndFileReader.Decode(stream, format, sink, stop) && sink.Frames > 0)) is { } sound) return sound;
        return Attempt(sink =>
        {
            FfmpegReader.Decode(content, format, sink, limits, scratchFolder, stop);
            return true;
        })!;

        DecodedAudio? Attempt(Func<SoundSink, bool> decode)
        {
            using var sink = new SoundSink(wantedRate, limits, mostSamples, scratchFolder, stop);
            try { return decode(sink) ? sink.Finish() : null; }
            catch (EnoughSamplesException) { return sink.Finish(); }
        }
    }

    /// <summary>Which decoders this machine has, for people.</summary>
    public static string MadeWith => string.Join("; ",
        ["own WAV reader", SndFileReader.IsPresent ? SndFileReader.Version : "no libsndfile", SoxrResampler.IsPresent ? "libsoxr" : "own resampler", FfmpegReader.Program != null ? "ffmpeg" : "no ffmpeg"]);

    private static bool IsForSndFile(MediaFormat format) => format.Name is "WAV" or "FLAC" or "Ogg" or "MP3" or "AIFF" or "AU" or "CAF" or "Wave64";

    private static bool Streamed(MediaContent content, Func<Stream, bool> decode)
    {
        using var stream = content.Open();
        return decode(stream);
    }
}
