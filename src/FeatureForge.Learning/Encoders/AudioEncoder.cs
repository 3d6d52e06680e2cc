// Recordings: windows of one second every half second. A window counts in its item by its share of sound, because the digital
// silence that fills a clip up says nothing. Where a recording is shorter than a window, the network sees silence after its end;
// raw features (mean and deviation of the 64 log-mel bands) see its frames again instead: all count about the same.
using FeatureForge.Data;
using FeatureForge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

internal sealed class AudioEncoder : ConvEncoder
{
    private const int WindowSamples = LogMel.SampleRate;
    private const int HopSamples = WindowSamples / 2;
    private const int WindowFrames = WindowSamples / LogMel.Hop;

    private readonly LogMel mel = new();
    // Mean and deviation of all log-mel values of the training corpus.
    private readonly Tensor mean;
    private readonly Tensor deviation;
    private SpectrogramBatches? _frames;

    public AudioEncoder(Recipe recipe, PreparationSpec preparation) : base(nameof(AudioEncoder), recipe, channels: 1, stemChannels: 1, rawDimension: 2 * LogMel.Bands)
    {
        if (preparation.SampleRate != LogMel.SampleRate)
            throw new BadRequestException($"The audio front end reads {LogMel.SampleRate} Hz; the corpus is prepared at {preparation.SampleRate} Hz.");
        if (recipe.Encoder.FramesPerSecond is < 1 || WindowFrames % recipe.Encoder.FramesPerSecond != 0)
            throw new BadRequestException($"Recipe {recipe.Name} asks for {recipe.Encoder.FramesPerSecond} frames per second; expected a divisor of {WindowFrames}.");
        mean = zeros(1);
        deviation = ones(1);
        RegisterComponents();
    }

    /// <summary>Level of log-mel values over at most 2,000 windows spread evenly over the corpus.</summary>
    public override void Fit(PreparedCorpus corpus, int seed, CancellationToken stop)
    {
        var (sum, square, values) = (0.0, 0.0, 0L);
        foreach (var items in Sampling.Evenly(corpus.Count, 2_000).Chunk(100))
        {
            stop.ThrowIfCancellationRequested();
            using var inner = NewDisposeScope();
            using var inference = no_grad();
            var bands = Input(corpus, [.. items.Select(item => new SpanWindow(item, 0, 0, Last: true))]).to(ScalarType.Float64);
            sum += bands.sum().item<double>();
            square += (bands * bands).sum().item<double>();
            values += bands.numel();
        }
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        mean.fill_((float)(sum / values));
        deviation.fill_((float)Math.Sqrt(Math.Max(1e-6, square / values - sum / values * (sum / values))));
    }

    public override void PrepareTraining(PreparedCorpus corpus, string folder, CancellationToken stop)
    {
        var frames = Enumerable.Range(0, corpus.Count).Select(item => FramesOf(corpus.SampleCount(item))).ToArray();
        _frames?.Dispose();
        _frames = new(SpectrogramFile.Open(Path.Combine(folder, "spectrograms.f16"), frames, Recipe.Encoder.Bands, () => Spectrograms(corpus, stop)), Recipe.Encoder.Bands, ViewFrames(frames));
    }

    // As long as nine of ten recordings, a second at most: views of short ones would be little but silence. A transformer's
    // positions are those of a whole window.
    private int ViewFrames(int[] frames)
    {
        if (Recipe.Encoder.Transformer is not null) return Recipe.Encoder.FramesPerSecond;
        var cell = CellSize.Columns;
        var usual = frames.Order().ElementAt(frames.Length * 9 / 10);
        return Math.Min(Recipe.Encoder.FramesPerSecond, (usual + cell - 1) / cell * cell);
    }

    // Frames of the network for so many samples; never none.
    private int FramesOf(int samples) => Math.Max(1, (int)(((long)samples * Recipe.Encoder.FramesPerSecond + LogMel.SampleRate - 1) / LogMel.SampleRate));

    /// <summary>All frames of all items in order, batch by batch.</summary>
    private IEnumerable<Half[]> Spectrograms(PreparedCorpus corpus, CancellationToken stop)
    {
        foreach (var windows in AdjacentWindows(corpus).Chunk(WindowsPerBatch))
        {
            stop.ThrowIfCancellationRequested();
            yield return FramesOf(corpus, windows);
        }
    }

    private Half[] FramesOf(PreparedCorpus corpus, SpanWindow[] windows)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var all = Shrink(Input(corpus, windows)).squeeze(1).transpose(1, 2); // [windows, frames, bands]
        var valid = windows.Select((window, w) => all[w, ..FramesOf(Math.Min(WindowSamples, corpus.SampleCount(window.Item) - window.Start))]);
        return HostCopies.ToArray<Half>(cat(valid.ToList(), 0).to(ScalarType.Float16));
    }

    private static IEnumerable<SpanWindow> AdjacentWindows(PreparedCorpus corpus)
    {
        for (var item = 0; item < corpus.Count; item++)
        {
            var length = corpus.SampleCount(item);
            for (int index = 0, start = 0; index == 0 || (start < length && start >= 0); index++, start += WindowSamples)
                yield return new(item, index, start, (long)start + WindowSamples >= length);
        }
    }

    public override long? BytesToHold(PreparedCorpus corpus) => _frames?.BytesToHold;

    public override void Hold(PreparedCorpus corpus, CancellationToken stop) => Frames.Hold(Device, stop);

    private SpectrogramBatches Frames => _frames ?? throw new InvalidOperationException("PrepareTraining comes first.");

    public override HostBatch Gather(PreparedCorpus corpus, ReadOnlySpan<int> items, StepRandom random) => Frames.Gather(items, Recipe.ViewCount, random);

    public override IReadOnlyList<Tensor> Views(HostBatch batch, StepRandom random)
    {
        using var scope = NewDisposeScope();
        var spectrograms = Frames.OnDevice(batch, Device).to(ScalarType.Float32).transpose(2, 3).contiguous();
        return [((AudioViews.Alter(spectrograms, Recipe.AudioViews, mean, random) - mean) / deviation).MoveToOuterDisposeScope()]; // [V * B, 1, bands, frames]
    }

    /// <summary>The window's share of sound; of an entirely silent item all windows count the same.</summary>
    public override double Weight(PreparedCorpus corpus, SpanWindow window)
    {
        var samples = new short[Math.Min(corpus.SampleCount(window.Item) - window.Start, WindowSamples)];
        corpus.ReadSamples(window.Item, window.Start, samples);
        return Math.Max(1e-6, Sound(samples));
    }

    /// <summary>The share of a window's hops that hold a sample other than 0.</summary>
    public static double Sound(ReadOnlySpan<short> samples)
    {
        var sounding = 0;
        for (var at = 0; at < samples.Length; at += LogMel.Hop)
            if (samples[at..Math.Min(samples.Length, at + LogMel.Hop)].ContainsAnyExcept((short)0)) sounding++;
        return (double)sounding / WindowFrames;
    }

    protected override IEnumerable<SpanWindow> Windows(PreparedCorpus corpus, int first, int count)
    {
        for (var item = first; item < first + count; item++)
        {
            var length = corpus.SampleCount(item);
            for (int index = 0, start = 0; ; index++, start += HopSamples)
            {
                var last = (long)start + WindowSamples >= length;
                // The last window ends with the recording.
                yield return new(item, index, last ? Math.Max(0, length - WindowSamples) : start, last);
                if (last) break;
            }
        }
    }

    /// <summary>[windows, bands, frames]; a short recording is followed by its frames again, evenly stretched or thinned out to fill the window.</summary>
    protected override Tensor Input(PreparedCorpus corpus, SpanWindow[] windows)
    {
        var length = WindowSamples + 2 * LogMel.Margin;
        var values = new short[windows.Length * length];
        var frames = new long[windows.Length * WindowFrames];
        var step = WindowFrames / Recipe.Encoder.FramesPerSecond;
        for (var w = 0; w < windows.Length; w++)
        {
            CopyWindow(corpus, windows[w].Item, windows[w].Start, values.AsSpan(w * length, length));
            var found = Math.Min(WindowFrames, FramesOf(corpus.SampleCount(windows[w].Item)) * step);
            for (var frame = 0; frame < WindowFrames; frame++)
                frames[w * WindowFrames + frame] = frame < found ? frame : (frame - found) * found / (WindowFrames - found);
        }
        using var scope = NewDisposeScope();
        var bands = mel.forward(HostCopies.ToTensor(values, [windows.Length, length], Device));
        var order = HostCopies.ToTensor(frames, [windows.Length, 1, WindowFrames], Device).expand(-1, LogMel.Bands, -1);
        return bands.gather(2, order).MoveToOuterDisposeScope();
    }

    /// <summary>Where a short recording has ended the network sees silence.</summary>
    protected override Tensor NetworkInput(Tensor input, PreparedCorpus corpus, SpanWindow[] windows)
    {
        using var scope = NewDisposeScope();
        var bands = Shrink(input);
        var (count, frames) = (windows.Length, (int)bands.size(3));
        var ended = new float[count * frames];
        for (var w = 0; w < count; w++)
        {
            var found = Math.Min(frames, FramesOf(corpus.SampleCount(windows[w].Item)));
            ended.AsSpan(w * frames + found, frames - found).Fill(1);
        }
        var silent = HostCopies.ToTensor(ended, [count, 1, 1, frames], Device) > 0;
        return ((bands.masked_fill(silent, LogMel.Silence) - mean) / deviation).MoveToOuterDisposeScope();
    }

    // [B, 64, 100] to [B, 1, bands, frames] as the recipe wants it.
    private Tensor Shrink(Tensor bands) =>
        nn.functional.adaptive_avg_pool2d(bands.unsqueeze(1), [Recipe.Encoder.Bands, Recipe.Encoder.FramesPerSecond * WindowSamples / LogMel.SampleRate]);

    protected override (int Rows, int Columns) Grid(Grain grain)
    {
        var total = CellSize.Columns;
        return (1, grain == Grain.Patch ? (Recipe.Encoder.FramesPerSecond + total - 1) / total : 1);
    }

    protected override SpanMoments RawMoments(Tensor input, int rows, int columns) => new(Pool(input, columns), Pool(input * input, columns));

    // [B, bands, frames] to [B, columns, bands]
    private static Tensor Pool(Tensor values, int columns) => nn.functional.adaptive_avg_pool1d(values, columns).transpose(1, 2);

    protected override Tensor RawOfViews(Tensor views, Tensor stem)
    {
        var bands = (views * deviation + mean).squeeze(1); // [2B, bands, frames]
        return cat([bands.mean([2]), bands.std(2, unbiased: false)], 1);
    }

    public override IEnumerable<(int Cell, ItemSpan Span)> Spans(PreparedCorpus corpus, SpanWindow window, Grain grain)
    {
        var duration = corpus.DurationMs(window.Item);
        if (grain == Grain.Item) return [(0, ItemSpan.Range(0, duration))];
        var start = (int)(window.Start * 1000L / LogMel.SampleRate);
        if (grain == Grain.Segment) return [(0, ItemSpan.Range(Math.Min(start, duration), window.Last ? duration : start + 1000))];
        return PatchSpans(window, start, duration, Grid(grain).Columns);
    }

    // Windows overlap by half: each gives the cells of its first half, the last one all that lie in the recording.
    private static IEnumerable<(int Cell, ItemSpan Span)> PatchSpans(SpanWindow window, int start, int duration, int columns)
    {
        // The last window starts wherever the recording's end wants it, so its cells may begin inside those already given.
        var given = window.Index == 0 ? 0 : (window.Index - 1) * 500 + (columns / 2) * 1000 / columns;
        var most = window.Last ? columns : columns / 2;
        for (var cell = 0; cell < columns; cell++)
        {
            var (from, to) = (start + cell * 1000 / columns, start + (cell + 1) * 1000 / columns);
            if (from >= duration && !(cell == 0 && window.Index == 0)) yield break;
            if (cell >= most || (window.Last && from < given)) continue;
            yield return (cell, ItemSpan.Range(Math.Min(from, duration), Math.Min(to, duration)));
        }
    }

    /// <summary>Fills <paramref name="target"/> with the window at <paramref name="start"/> and its margins, silence where the recording has none.</summary>
    private static void CopyWindow(PreparedCorpus corpus, int item, int start, Span<short> target)
    {
        var at = start - LogMel.Margin;
        var from = Math.Max(0, at);
        var to = (int)Math.Min(corpus.SampleCount(item), (long)at + target.Length);
        if (to > from) corpus.ReadSamples(item, from, target.Slice(from - at, to - from));
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) _frames?.Dispose();
        base.Dispose(disposing);
    }
}
