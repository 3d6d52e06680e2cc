// What image and audio encoders share: items are cut into windows of one fixed size, a convolutional network sees windows,
// and spans pool the cells they cover. Fixed windows keep memory independent of an item's length and make an item's vector
// independent of what else is in its batch.
using FeatureForge.Data;
using FeatureForge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

/// <summary>Means [windows, channels] and mean squares [windows, spreads] of whole windows, on the host: they add up to an item's. The first channels have a deviation, the others stand for themselves.</summary>
internal sealed record WindowMoments(float[] Mean, float[] Square, int Channels, int Spreads);

/// <summary>What a batch of windows gives: moments of each level for the item grain, and vectors [windows, spans, dimension] of the finer grains, which end within a window.</summary>
internal sealed record WindowBatch(Dictionary<string, WindowMoments> Items, Dictionary<(string Level, Grain Grain), float[]> Spans);

internal abstract class ConvEncoder : Encoder
{
    protected const int WindowsPerBatch = 128;
    // All blocks' outputs are kept, and a transformer's are as wide as its last: a large one would fill the memory.
    private const int TransformerWindowsPerBatch = 32;

    // Names of parameters and buffers in weight files start with these field names.
    private readonly GridNetwork network;
    private readonly LevelScale scale;
    private readonly IReadOnlyList<EncoderLevel> _levels;
    private readonly int _channels;

    protected ConvEncoder(string name, Recipe recipe, int channels, int stemChannels, int rawDimension) : base(name, recipe)
    {
        var spec = recipe.Encoder;
        network = GridNetwork.Of(stemChannels, spec);
        _levels =
        [
            new(Level.Raw, rawDimension, "cosine"),
            .. Level.Learned.Select(level => new EncoderLevel(level, spec.BlocksOf(level).Sum(WidthOf), "cosine")),
        ];
        _channels = channels;
        scale = new LevelScale(_levels.Select(level => (level.Name, level.Dimension)), spec.Whitened, spec.WhiteningLift);
    }

    // Blocks of the grid give mean and deviation, those of the head stand for themselves.
    private int WidthOf(int block) => IsHead(block) ? network.HeadWidths[block - 1 - network.Widths.Count] : 2 * network.Widths[block - 1];

    private bool IsHead(int block) => block > network.Widths.Count;

    public override EncoderShape Shape => new(network.HeadWidths.Count > 0 ? network.HeadWidths[^1] : 2 * network.Widths[^1], network.Widths[^1], _channels * CellSize.Rows * CellSize.Columns, Vocabulary: 0);
    public override IReadOnlyList<EncoderLevel> Levels => _levels;
    public override LevelScale Scale => scale;

    public override Encoded Encode(Tensor views)
    {
        var stages = Blocks(Stem(views));
        return new(Pooled(stages), Cells(stages));
    }

    public override Encoded EncodeHidden(Tensor views, Tensor hidden)
    {
        var (rows, columns) = CellGrid(views);
        var mask = hidden.view(-1, rows, columns);
        // A stem looks beyond its cell, so what is hidden from it is the picture itself; zero is its mean.
        var stages = StemStride == 1 ? network.ForwardHidden(views, mask) : Blocks(Stem(views.masked_fill(GridNetwork.OverInput(mask, views, CellSize), 0)));
        return new(Pooled(stages), Cells(stages));
    }

    /// <summary>What objectives see of whole views: the last block of the head, or mean and deviation where there is none.</summary>
    private Tensor Pooled(Tensor[] stages)
    {
        var pooled = SpanPooling.MeanAndDeviation(stages[^1]).squeeze(1);
        return network.HeadWidths.Count > 0 ? network.Head(pooled)[^1] : pooled;
    }

    /// <summary>The blocks on the last block's grid, shallow to deep, each [N, T, D].</summary>
    private static List<Tensor> Cells(Tensor[] stages) =>
        [.. stages.Where(stage => stage.size(2) == stages[^1].size(2) && stage.size(3) == stages[^1].size(3)).Select(stage => stage.flatten(2).transpose(1, 2))];

    /// <summary>Input rows and columns per cell of the last block.</summary>
    protected (int Rows, int Columns) CellSize => (network.CellSize.Rows * StemStride, network.CellSize.Columns * StemStride);

    /// <summary>How many pixels one value of the stem stands for, in each direction.</summary>
    protected virtual int StemStride => 1;

    /// <summary>What is computed before the network and not trained.</summary>
    protected virtual Tensor Stem(Tensor views) => views;

    /// <summary>What the stem is multiplied with before the network sees it.</summary>
    protected virtual float StemScale => 1;

    private Tensor[] Blocks(Tensor stem) => network.forward(StemScale == 1 ? stem : stem * StemScale);

    public override (int Rows, int Columns) CellGrid(Tensor views)
    {
        var (rows, columns) = CellSize;
        return ((int)(views.size(2) + rows - 1) / rows, (int)(views.size(3) + columns - 1) / columns);
    }

    public override Tensor Patches(Tensor views)
    {
        var ((rows, columns), (down, across)) = (CellSize, CellGrid(views));
        // What sticks out over the last cells is filled with the mean.
        var padded = nn.functional.pad(views, [0, across * columns - views.size(3), 0, down * rows - views.size(2)]);
        return padded.view(views.size(0), views.size(1), down, rows, across, columns).permute(0, 2, 4, 1, 3, 5).reshape(views.size(0), down * across, -1);
    }

    public override IReadOnlyDictionary<string, Tensor> Describe(Tensor views, IReadOnlyList<string> levels)
    {
        var stem = Stem(views);
        var stages = Blocks(stem);
        var known = new Dictionary<int, SpanMoments>();
        return levels.ToDictionary(level => level, level =>
        {
            if (level == Level.Raw) return RawOfViews(views, stem);
            return Read([new(stages, IsMirrored: false)], level, 1, 1, known).Combined.squeeze(1);
        });
    }

    /// <summary>The level's blocks side by side, those of the grid first, per span. Blocks in <paramref name="known"/> are not pooled again.</summary>
    private SpanMoments Read(IReadOnlyList<Look> looks, string level, long rows, long columns, Dictionary<int, SpanMoments> known)
    {
        var blocks = Recipe.Encoder.BlocksOf(level).OrderBy(IsHead).Select(block => Read(looks, block, rows, columns, known)).ToList();
        var squares = blocks.Where(block => block.Square is not null).Select(block => block.Square!).ToList();
        return new(cat([.. blocks.Select(block => block.Mean)], 2), squares.Count == 0 ? null : cat(squares, 2));
    }

    /// <summary>Moments of whole windows from those of their segments, where these divide a block's cells evenly: the cells are pooled once. What is pooled on the way is added to <paramref name="segments"/>.</summary>
    private Dictionary<int, SpanMoments> Wholes(IReadOnlyList<Look> looks, IReadOnlyList<string> levels, (int Rows, int Columns) parts, Dictionary<int, SpanMoments> segments)
    {
        var wholes = new Dictionary<int, SpanMoments>();
        if (parts == (1, 1)) return wholes;
        foreach (var block in levels.Where(level => level != Level.Raw).SelectMany(Recipe.Encoder.BlocksOf).Where(block => !IsHead(block)).Distinct())
        {
            var cells = looks[0].Stages[block - 1];
            if (cells.size(2) % parts.Rows != 0 || cells.size(3) % parts.Columns != 0) continue;
            var moments = Read(looks, block, parts.Rows, parts.Columns, segments);
            wholes[block] = new(moments.Mean.mean([1], keepdim: true), moments.Square!.mean([1], keepdim: true));
        }
        return wholes;
    }

    private SpanMoments Read(IReadOnlyList<Look> looks, int block, long rows, long columns, Dictionary<int, SpanMoments> known)
    {
        if (!known.TryGetValue(block, out var moments)) known[block] = moments = SpanMoments.Average([.. looks.Select(look => Read(look, block, rows, columns))]);
        return moments;
    }

    private SpanMoments Read(Look look, int block, long rows, long columns)
    {
        // A mirror image's spans are turned back, not its cells: there are fewer of them.
        Tensor Turned(Tensor spans) => look.IsMirrored && columns > 1 ? spans.unflatten(1, rows, columns).flip(2).flatten(1, 2) : spans;
        if (!IsHead(block))
        {
            var (mean, square) = SpanPooling.Moments(look.Stages[block - 1], rows, columns);
            return new(Turned(mean), Turned(square));
        }
        var pooled = SpanPooling.MeanAndDeviation(look.Stages[^1], rows, columns); // [N, S, 2D]
        return new(Turned(network.Head(pooled.flatten(0, 1))[block - 1 - network.Widths.Count].view(pooled.size(0), pooled.size(1), -1)), null);
    }

    /// <summary>What all blocks made of a batch of windows, or of their mirror images.</summary>
    private readonly record struct Look(Tensor[] Stages, bool IsMirrored);

    public override IEnumerable<SpanVectors> Extract(PreparedCorpus corpus, int first, int count, IReadOnlyList<string> levels, IReadOnlyList<Grain> grains, CancellationToken stop)
    {
        var collector = new SpanCollector(corpus, this, levels, grains);
        foreach (var windows in Batches(corpus, Windows(corpus, first, count)))
        {
            stop.ThrowIfCancellationRequested();
            collector.Add(windows, Forward(corpus, windows, levels, grains));
            foreach (var block in collector.Take(minimumRows: 4096)) yield return block;
        }
        foreach (var block in collector.Take(minimumRows: 1)) yield return block;
    }

    private WindowBatch Forward(PreparedCorpus corpus, SpanWindow[] windows, IReadOnlyList<string> levels, IReadOnlyList<Grain> grains)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var input = Input(corpus, windows);
        var sized = NetworkInput(input, corpus, windows);
        var stem = Stem(sized);
        var raw = levels.Contains(Level.Raw) ? RawMap(input, stem) : null;
        var looks = levels.Any(level => level != Level.Raw) ? Looks(sized, stem) : [];
        var batch = new WindowBatch([], []);
        // Items are put together from segments whether those are asked for or not, so that their vectors are the same.
        var (segments, parts) = (new Dictionary<int, SpanMoments>(), Grid(Grain.Segment, corpus, windows[0]));
        foreach (var grain in grains)
        {
            var (rows, columns) = Grid(grain, corpus, windows[0]);
            var known = grain switch { Grain.Segment => segments, Grain.Item => Wholes(looks, levels, parts, segments), _ => [] };
            foreach (var level in levels)
            {
                var found = level == Level.Raw ? RawMoments(raw!, rows, columns) : Read(looks, level, rows, columns, known);
                if (grain == Grain.Item)
                    batch.Items[level] = new(HostCopies.ToArray<float>(found.Mean), found.Square is null ? [] : HostCopies.ToArray<float>(found.Square), (int)found.Mean.size(2), (int)(found.Square?.size(2) ?? 0));
                else batch.Spans[(level, grain)] = HostCopies.ToArray<float>(scale.Apply(level, found.Combined));
            }
        }
        return batch;
    }

    /// <summary>The blocks' outputs for the windows, and for their mirror images where the recipe asks for it.</summary>
    private List<Look> Looks(Tensor input, Tensor stem)
    {
        var looks = new List<Look> { new(Blocks(stem), IsMirrored: false) };
        if (Recipe.Encoder.Mirror) looks.Add(new(Blocks(Stem(input.flip(3))), IsMirrored: true));
        return looks;
    }

    /// <summary>The windows of the items, in order.</summary>
    protected abstract IEnumerable<SpanWindow> Windows(PreparedCorpus corpus, int first, int count);

    /// <summary>The windows' values on the device, before the network's own normalisation.</summary>
    protected abstract Tensor Input(PreparedCorpus corpus, SpanWindow[] windows);

    /// <summary>Input of windows to what the network sees: [B, C, H, W].</summary>
    protected abstract Tensor NetworkInput(Tensor input, PreparedCorpus corpus, SpanWindow[] windows);

    /// <summary>Windows that go through the network together: of one size.</summary>
    protected virtual IEnumerable<SpanWindow[]> Batches(PreparedCorpus corpus, IEnumerable<SpanWindow> windows) =>
        windows.Chunk(Recipe.Encoder.Transformer is null ? WindowsPerBatch : TransformerWindowsPerBatch);

    /// <summary>The same as <see cref="Grid(Grain)"/> where windows differ in size.</summary>
    protected virtual (int Rows, int Columns) Grid(Grain grain, PreparedCorpus corpus, SpanWindow window) => Grid(grain);

    /// <summary>Into how many rows and columns a window is cut at a grain.</summary>
    protected abstract (int Rows, int Columns) Grid(Grain grain);

    /// <summary>What closed-form features of all grains are pooled from: the input, or what the stem made of it.</summary>
    protected virtual Tensor RawMap(Tensor input, Tensor stem) => input;

    /// <summary>Closed-form features of spans as moments, [windows, spans, values]; plain values (activations) have no squares.</summary>
    protected abstract SpanMoments RawMoments(Tensor map, int rows, int columns);

    /// <summary>Closed-form features of views, or of what the stem made of them.</summary>
    protected abstract Tensor RawOfViews(Tensor views, Tensor stem);

    /// <summary>How much a window counts in the vector of its item.</summary>
    public virtual double Weight(PreparedCorpus corpus, SpanWindow window) => 1;

    /// <summary>The spans of one window at a grain that exist in the item, as (cell of the grid, span); item grain: the whole item.</summary>
    public abstract IEnumerable<(int Cell, ItemSpan Span)> Spans(PreparedCorpus corpus, SpanWindow window, Grain grain);
}

/// <summary>One window of an item. <paramref name="Start"/> in samples for audio, 0 for pictures.</summary>
internal readonly record struct SpanWindow(int Item, int Index, int Start, bool Last);
