// Recordings through a network that hears the samples themselves. A recording is cut into equal windows of at most ten seconds; all
// windows of a batch have one length, so nothing is padded and a window's vector does not depend on its neighbours in the batch.
// Segments last about a second, patches about a fifth; raw features are mean and deviation of the log-mel bands.
using FeatureForge.Data;
using FeatureForge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

internal sealed class SpeechEncoder : ConvEncoder
{
    private const int LongestWindow = 10 * LogMel.SampleRate;
    private const int LargestBatch = 16;
    private const int SegmentSamples = LogMel.SampleRate;
    private const int PatchSamples = LogMel.SampleRate / 5;
    private const int ViewSamples = 2 * LogMel.SampleRate;

    private readonly LogMel mel = new();
    private readonly SpeechSpec _speech;

    public SpeechEncoder(Recipe recipe, PreparationSpec preparation) : base(nameof(SpeechEncoder), recipe, channels: 1, stemChannels: 1, rawDimension: 2 * LogMel.Bands)
    {
        if (preparation.SampleRate != LogMel.SampleRate)
            throw new BadRequestException($"The network hears {LogMel.SampleRate} Hz; the corpus is prepared at {preparation.SampleRate} Hz.");
        _speech = recipe.Encoder.Speech!;
        RegisterComponents();
    }

    /// <summary>Nothing to fit: windows are normalised by themselves.</summary>
    public override void Fit(PreparedCorpus corpus, int seed, CancellationToken stop) { }

    public override HostBatch Gather(PreparedCorpus corpus, ReadOnlySpan<int> items, StepRandom random)
    {
        var values = new short[Recipe.ViewCount * items.Length * ViewSamples];
        for (var view = 0; view < Recipe.ViewCount; view++)
        {
            for (var i = 0; i < items.Length; i++)
            {
                var count = corpus.SampleCount(items[i]);
                var taken = Math.Min(ViewSamples, count);
                var (from, to) = (random.Below(count - taken + 1), random.Below(ViewSamples - taken + 1));
                corpus.ReadSamples(items[i], from, values.AsSpan((view * items.Length + i) * ViewSamples + to, taken));
            }
        }
        return new(values, [Recipe.ViewCount * items.Length, 1, 1, ViewSamples], items.Length);
    }

    /// <summary>Stretches of two seconds, each with another view of the batch in the background at a tenth to a third of its strength.</summary>
    public override IReadOnlyList<Tensor> Views(HostBatch batch, StepRandom random)
    {
        using var scope = NewDisposeScope();
        var sound = Normalised(HostCopies.ToTensor((short[])batch.Values, batch.Shape, Device));
        var count = (int)batch.Shape[0];
        var others = HostCopies.ToTensor(random.Permutation(count).Select(number => (long)number).ToArray(), [count], Device);
        var strength = HostCopies.ToTensor(Enumerable.Range(0, count).Select(_ => random.Uniform(0.1, 0.33)).ToArray(), [count, 1, 1, 1], Device);
        return [Normalised(sound + sound.index_select(0, others) * strength, isSound: true).MoveToOuterDisposeScope()]; // [V * B, 1, 1, S]
    }

    private Tensor Normalised(Tensor samples, bool isSound = false)
    {
        var sound = isSound ? samples : samples.to(ScalarType.Float32) / 32768f;
        if (!_speech.Normalise) return sound;
        return (sound - sound.mean([-1], keepdim: true)) / (sound.var(-1, unbiased: false, keepdim: true) + 1e-7).sqrt();
    }

    public override (int Rows, int Columns) CellGrid(Tensor views) => (1, _speech.Cells(views.size(3)));

    public override Tensor Patches(Tensor views) => views.narrow(3, 0, (long)CellGrid(views).Columns * _speech.Stride).reshape(views.size(0), -1, _speech.Stride);

    protected override IEnumerable<SpanWindow> Windows(PreparedCorpus corpus, int first, int count)
    {
        for (var item = first; item < first + count; item++)
        {
            var (samples, windows) = (corpus.SampleCount(item), WindowsOf(corpus.SampleCount(item)));
            for (var index = 0; index < windows; index++) yield return new(item, index, (int)((long)index * samples / windows), index == windows - 1);
        }
    }

    private static int WindowsOf(int samples) => Math.Max(1, (samples + LongestWindow - 1) / LongestWindow);

    // All windows of a recording are equally long, rounded up; never too short for a cell.
    private int LengthOf(int samples) => Math.Max(ShortestWindow, (samples + WindowsOf(samples) - 1) / WindowsOf(samples));

    private int ShortestWindow
    {
        get
        {
            var shortest = 1;
            for (var i = _speech.Kernels.Count - 1; i >= 0; i--) shortest = (shortest - 1) * _speech.Strides[i] + _speech.Kernels[i];
            return Math.Max(shortest, LogMel.Hop);
        }
    }

    protected override IEnumerable<SpanWindow[]> Batches(PreparedCorpus corpus, IEnumerable<SpanWindow> windows)
    {
        var batch = new List<SpanWindow>();
        foreach (var window in windows)
        {
            if (batch.Count == LargestBatch || (batch.Count > 0 && LengthOf(corpus.SampleCount(batch[0].Item)) != LengthOf(corpus.SampleCount(window.Item))))
            {
                yield return [.. batch];
                batch.Clear();
            }
            batch.Add(window);
        }
        if (batch.Count > 0) yield return [.. batch];
    }

    /// <summary>int16 samples of equally long windows with the margins that spectrograms need, [windows, S + 2 margins].</summary>
    protected override Tensor Input(PreparedCorpus corpus, SpanWindow[] windows)
    {
        var length = LengthOf(corpus.SampleCount(windows[0].Item)) + 2 * LogMel.Margin;
        var values = new short[windows.Length * length];
        for (var w = 0; w < windows.Length; w++)
        {
            var at = windows[w].Start - LogMel.Margin;
            var (from, to) = (Math.Max(0, at), (int)Math.Min(corpus.SampleCount(windows[w].Item), (long)at + length));
            if (to > from) corpus.ReadSamples(windows[w].Item, from, values.AsSpan(w * length + from - at, to - from));
        }
        return HostCopies.ToTensor(values, [windows.Length, length], Device);
    }

    protected override Tensor NetworkInput(Tensor input, PreparedCorpus corpus, SpanWindow[] windows) =>
        Normalised(input.narrow(1, LogMel.Margin, input.size(1) - 2 * LogMel.Margin)).unsqueeze(1).unsqueeze(1);

    protected override (int Rows, int Columns) Grid(Grain grain) => throw new NotSupportedException("Windows differ in length: ask for the grid of a window.");

    protected override (int Rows, int Columns) Grid(Grain grain, PreparedCorpus corpus, SpanWindow window)
    {
        var length = LengthOf(corpus.SampleCount(window.Item));
        return (1, grain switch
        {
            Grain.Item => 1,
            Grain.Segment => Math.Max(1, (length + SegmentSamples / 2) / SegmentSamples),
            _ => Math.Max(1, (length + PatchSamples / 2) / PatchSamples),
        });
    }

    protected override Tensor RawMap(Tensor input, Tensor stem) => mel.forward(input); // [windows, bands, frames]

    protected override SpanMoments RawMoments(Tensor map, int rows, int columns) => new(Pool(map, columns), Pool(map * map, columns));

    // [B, bands, frames] to [B, columns, bands]
    private static Tensor Pool(Tensor values, int columns) => nn.functional.adaptive_avg_pool1d(values, columns).transpose(1, 2);

    protected override Tensor RawOfViews(Tensor views, Tensor stem)
    {
        // Normalised sound is about ten times louder than recordings are.
        var bands = mel.forward(nn.functional.pad(views.flatten(1) * 3276.8f, [LogMel.Margin, LogMel.Margin]));
        return cat([bands.mean([2]), bands.std(2, unbiased: false)], 1);
    }

    public override IEnumerable<(int Cell, ItemSpan Span)> Spans(PreparedCorpus corpus, SpanWindow window, Grain grain)
    {
        var duration = corpus.DurationMs(window.Item);
        if (grain == Grain.Item)
        {
            yield return (0, ItemSpan.Range(0, duration));
            yield break;
        }
        var (samples, windows) = ((long)corpus.SampleCount(window.Item), WindowsOf(corpus.SampleCount(window.Item)));
        var columns = Grid(grain, corpus, window).Columns;
        // Part number p of all windows' parts; the last one ends with the recording, whatever was rounded.
        int At(long part) => part == (long)windows * columns ? duration : (int)Math.Min(duration, part * samples * 1000 / ((long)windows * columns * LogMel.SampleRate));
        for (var cell = 0; cell < columns; cell++)
        {
            var part = (long)window.Index * columns + cell;
            yield return (cell, ItemSpan.Range(At(part), At(part + 1)));
        }
    }
}
