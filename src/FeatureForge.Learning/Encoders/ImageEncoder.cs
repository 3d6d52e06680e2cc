// Pictures: one window per item, the prepared square. Raw features are activations of a dictionary of whitened patches.
using FeatureForge.Data;
using FeatureForge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

internal sealed class ImageEncoder : ConvEncoder
{
    // Without a dictionary in front of the network, raw features look at a small copy: patches of large pictures say little.
    private const int LargestRawSide = 32;

    // Per-channel mean and deviation of the training pixels, [3, 1, 1].
    private readonly Tensor mean;
    private readonly Tensor deviation;
    private readonly PatchDictionary dictionary;
    private readonly bool _hasStem;
    private readonly int _size;
    private Tensor? _held; // [N, 3, S, S] uint8

    public ImageEncoder(Recipe recipe, PreparationSpec preparation) : base(nameof(ImageEncoder), recipe, channels: 3, stemChannels: recipe.Encoder.DictionaryStem ? PatchDictionary.Entries : 3, rawDimension: PatchDictionary.Dimension)
    {
        _size = Math.Min(recipe.Encoder.ImageSize, preparation.ImageSize!.Value);
        _hasStem = recipe.Encoder.DictionaryStem;
        dictionary = new PatchDictionary(_hasStem ? _size : Math.Min(_size, LargestRawSide));
        mean = zeros(3, 1, 1);
        deviation = ones(3, 1, 1);
        RegisterComponents();
    }

    /// <summary>Channel statistics over at most 20,000 items spread evenly over the corpus.</summary>
    public override void Fit(PreparedCorpus corpus, int seed, CancellationToken stop)
    {
        var sums = new double[6];
        var pixels = 0L;
        foreach (var item in Sampling.Evenly(corpus.Count, 20_000))
        {
            stop.ThrowIfCancellationRequested();
            var values = corpus.Pixels(item);
            var area = values.Length / 3;
            for (var channel = 0; channel < 3; channel++)
            {
                long sum = 0, square = 0;
                foreach (var value in values.Slice(channel * area, area)) { sum += value; square += value * value; }
                sums[channel] += sum / 255.0;
                sums[3 + channel] += square / (255.0 * 255.0);
            }
            pixels += area;
        }
        var means = Enumerable.Range(0, 3).Select(c => (float)(sums[c] / pixels)).ToArray();
        var deviations = Enumerable.Range(0, 3).Select(c => (float)Math.Sqrt(Math.Max(1e-6, sums[3 + c] / pixels - means[c] * (double)means[c]))).ToArray();
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        mean.copy_(HostCopies.ToTensor(means, [3, 1, 1], Device));
        deviation.copy_(HostCopies.ToTensor(deviations, [3, 1, 1], Device));
        dictionary.Fit(corpus, items => Input(corpus, [.. items.Select(item => new SpanWindow(item, 0, 0, Last: true))]), seed, stop);
    }

    public override long? BytesToHold(PreparedCorpus corpus) => (long)corpus.Count * 3 * corpus.Preparation.ImageSize!.Value * corpus.Preparation.ImageSize.Value;

    public override void Hold(PreparedCorpus corpus, CancellationToken stop)
    {
        var side = corpus.Preparation.ImageSize!.Value;
        _held = HeldCorpus.Rows(corpus.Count, [3, side, side], ScalarType.Byte, Device, (first, count) => Tensor(Pixels(corpus, [.. Enumerable.Range(first, count)]), CPU), stop);
    }

    public override HostBatch Gather(PreparedCorpus corpus, ReadOnlySpan<int> items, StepRandom random)
    {
        if (_held is null) return Pixels(corpus, items);
        var places = new long[items.Length];
        for (var i = 0; i < places.Length; i++) places[i] = items[i];
        return new(places, [items.Length], items.Length);
    }

    private static Tensor Tensor(HostBatch pixels, torch.Device device) => HostCopies.ToTensor((byte[])pixels.Values, pixels.Shape, device);

    private static HostBatch Pixels(PreparedCorpus corpus, ReadOnlySpan<int> items)
    {
        var side = corpus.Preparation.ImageSize!.Value;
        var values = new byte[items.Length * 3 * side * side];
        for (var i = 0; i < items.Length; i++) corpus.Pixels(items[i]).CopyTo(values.AsSpan(i * 3 * side * side));
        return new(values, [items.Length, 3, side, side], items.Length);
    }

    public override IReadOnlyList<Tensor> Views(HostBatch batch, StepRandom random)
    {
        using var scope = NewDisposeScope();
        var pixels = (batch.Values is long[] places ? _held!.index_select(0, HostCopies.ToTensor(places, batch.Shape, Device)) : Tensor(batch, Device)).to(ScalarType.Float32) / 255f;
        Tensor Normalised(Tensor views) => ((views - mean) / deviation).MoveToOuterDisposeScope(); // [views * B, 3, S, S]
        var global = Normalised(ImageViews.Global(pixels, Recipe.ImageViews, Recipe.GlobalViews, _size, random));
        return Recipe.LocalViews == 0 ? [global] : [global, Normalised(ImageViews.Local(pixels, Recipe.ImageViews, Recipe.LocalViews, random))];
    }

    protected override IEnumerable<SpanWindow> Windows(PreparedCorpus corpus, int first, int count) =>
        Enumerable.Range(first, count).Select(item => new SpanWindow(item, 0, 0, Last: true));

    protected override Tensor Input(PreparedCorpus corpus, SpanWindow[] windows)
    {
        using var scope = NewDisposeScope();
        return (Tensor(Pixels(corpus, [.. windows.Select(window => window.Item)]), Device).to(ScalarType.Float32) / 255f).MoveToOuterDisposeScope();
    }

    protected override Tensor NetworkInput(Tensor input, PreparedCorpus corpus, SpanWindow[] windows)
    {
        var sized = input.size(2) == _size ? input : nn.functional.adaptive_avg_pool2d(input, [_size, _size]);
        return (sized - mean) / deviation;
    }

    protected override (int Rows, int Columns) Grid(Grain grain)
    {
        var total = CellSize.Rows;
        var side = grain switch { Grain.Item => 1, Grain.Segment => _size >= 64 ? 4 : 2, _ => (_size + total - 1) / total };
        return (side, side);
    }

    protected override Tensor RawMap(Tensor input, Tensor stem) => _hasStem ? stem : dictionary.Map(input);

    protected override int StemStride => _hasStem ? PatchDictionary.Stride : 1;

    protected override Tensor Stem(Tensor views) => _hasStem ? dictionary.Map(views * deviation + mean) : views;

    // Brings activations, which are small, to about unit deviation; BatchNorm does the rest.
    protected override float StemScale => _hasStem ? 3 : 1;

    protected override SpanMoments RawMoments(Tensor map, int rows, int columns) => new(PatchDictionary.Pool(map, rows, columns), null);

    protected override Tensor RawOfViews(Tensor views, Tensor stem) =>
        PatchDictionary.Pool(_hasStem ? stem : dictionary.Map(views * deviation + mean), 1, 1).squeeze(1);

    public override IEnumerable<(int Cell, ItemSpan Span)> Spans(PreparedCorpus corpus, SpanWindow window, Grain grain)
    {
        var (width, height) = corpus.SourceSize(window.Item);
        var (rows, columns) = Grid(grain);
        for (var row = 0; row < rows; row++)
        {
            for (var column = 0; column < columns; column++)
            {
                var (x, next) = Cut(width, column, columns);
                var (y, below) = Cut(height, row, rows);
                yield return (row * columns + column, ItemSpan.Rectangle(x, y, next - x, below - y));
            }
        }
    }

    // A picture narrower than the grid gives neighbouring cells the same pixel.
    private static (int From, int To) Cut(int length, int part, int parts)
    {
        var from = Math.Min((int)((long)length * part / parts), length - 1);
        return (from, Math.Max(from + 1, (int)((long)length * (part + 1) / parts)));
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) _held?.Dispose();
        base.Dispose(disposing);
    }
}
