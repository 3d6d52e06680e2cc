// What image and audio encoders share: items are cut into windows of one fixed size, a convolutional network sees windows,
// and spans pool the cells they cover. Fixed windows keep memory independent of an item's length and make an item's vector
// independent of what else is in its batch.
using FeatureForge.Data;
using FeatureForge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

/// <summary>Mean and mean square per span of a batch of windows, on the host: [windows, spans, channels].</summary>
internal sealed record WindowMoments(float[] Mean, float[] Square, int Spans, int Channels);

internal abstract class ConvEncoder : Encoder
{
    protected const int WindowsPerBatch = 128;

    // Names of parameters and buffers in weight files start with these field names.
    private readonly ConvNetwork network;
    private readonly LevelScale scale;
    private readonly IReadOnlyList<EncoderLevel> _levels;

    protected ConvEncoder(string name, Recipe recipe, int channels, int rawDimension) : base(name, recipe)
    {
        var spec = recipe.Encoder;
        network = new ConvNetwork(channels, spec);
        _levels =
        [
            new(Level.Raw, rawDimension, "cosine"),
            new(Level.Low, 2 * spec.Widths[spec.Low - 1], "cosine"),
            new(Level.Mid, 2 * spec.Widths[spec.Mid - 1], "cosine"),
            new(Level.High, 2 * spec.Widths[spec.High - 1], "cosine"),
        ];
        scale = new LevelScale(_levels.Select(level => (level.Name, level.Dimension)));
    }

    public override int Width => 2 * Recipe.Encoder.Widths[^1];
    public override IReadOnlyList<EncoderLevel> Levels => _levels;
    public override LevelScale Scale => scale;

    public override Tensor Trained(Tensor views) => SpanPooling.MeanAndDeviation(network.forward(views)[^1]).squeeze(1); // [2B, 2C]

    public override Tensor Describe(Tensor views, string level) => level == Level.Raw
        ? RawOfViews(views)
        : SpanPooling.MeanAndDeviation(network.forward(views)[StageOf(level)]).squeeze(1);

    public override IEnumerable<SpanVectors> Extract(PreparedCorpus corpus, int first, int count, IReadOnlyList<string> levels, IReadOnlyList<Grain> grains, CancellationToken stop)
    {
        var collector = new SpanCollector(corpus, this, levels, grains);
        foreach (var windows in Windows(corpus, first, count).Chunk(WindowsPerBatch))
        {
            stop.ThrowIfCancellationRequested();
            collector.Add(windows, Moments(corpus, windows, levels, grains));
            foreach (var block in collector.Take(minimumRows: 4096)) yield return block;
        }
        foreach (var block in collector.Take(minimumRows: 1)) yield return block;
    }

    private Dictionary<(string, Grain), WindowMoments> Moments(PreparedCorpus corpus, SpanWindow[] windows, IReadOnlyList<string> levels, IReadOnlyList<Grain> grains)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var input = Input(corpus, windows);
        var stages = levels.Any(level => level != Level.Raw) ? network.forward(NetworkInput(input, corpus, windows)) : [];
        var moments = new Dictionary<(string, Grain), WindowMoments>();
        foreach (var level in levels)
        {
            foreach (var grain in grains)
            {
                var (rows, columns) = Grid(grain);
                var (mean, square) = level == Level.Raw ? RawMoments(input, rows, columns) : SpanPooling.Moments(stages[StageOf(level)], rows, columns);
                moments[(level, grain)] = new(HostCopies.ToArray<float>(mean), HostCopies.ToArray<float>(square), (int)mean.size(1), (int)mean.size(2));
            }
        }
        return moments;
    }

    private int StageOf(string level) => level switch
    {
        Level.Low => Recipe.Encoder.Low - 1,
        Level.Mid => Recipe.Encoder.Mid - 1,
        Level.High => Recipe.Encoder.High - 1,
        _ => throw new ArgumentException($"Level '{level}' is not one of {string.Join(", ", Level.All)}."),
    };

    /// <summary>The windows of the items, in order.</summary>
    protected abstract IEnumerable<SpanWindow> Windows(PreparedCorpus corpus, int first, int count);

    /// <summary>The windows' values on the device, before the network's own normalisation.</summary>
    protected abstract Tensor Input(PreparedCorpus corpus, SpanWindow[] windows);

    /// <summary>Input of windows to what the network sees: [B, C, H, W].</summary>
    protected abstract Tensor NetworkInput(Tensor input, PreparedCorpus corpus, SpanWindow[] windows);

    /// <summary>Into how many rows and columns a window is cut at a grain.</summary>
    protected abstract (int Rows, int Columns) Grid(Grain grain);

    /// <summary>Closed-form features of spans as moments, [windows, spans, values]; features that do not pool over windows return themselves as the mean.</summary>
    protected abstract (Tensor Mean, Tensor Square) RawMoments(Tensor input, int rows, int columns);

    /// <summary>Closed-form features of views.</summary>
    protected abstract Tensor RawOfViews(Tensor views);

    /// <summary>True when raw vectors are plain values (pixels), not mean and spread of something.</summary>
    public abstract bool RawIsMeanOnly { get; }

    /// <summary>What stands beside the mean: the deviation, or for raw features whatever the modality takes.</summary>
    public virtual double Spread(string level, double variance) => SpanPooling.Deviation(variance);

    /// <summary>The spans of one window at a grain that exist in the item, as (cell of the grid, span); item grain: the whole item.</summary>
    public abstract IEnumerable<(int Cell, ItemSpan Span)> Spans(PreparedCorpus corpus, SpanWindow window, Grain grain);
}

/// <summary>One window of an item. <paramref name="Start"/> in samples for audio, 0 for pictures.</summary>
internal readonly record struct SpanWindow(int Item, int Index, int Start, bool Last);
