// Documents through a transformer: a level's vector of a span is the mean of its tokens' vectors after the level's blocks.
// Raw features are TF-IDF projected, by latent semantic analysis where a corpus was fitted, else by a fixed random projection.
using FeatureForge.Data;
using FeatureForge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

internal sealed class TokenEncoder : Encoder
{
    private const int LongestWindow = 256;
    private const int WindowsPerBatch = 32;
    private const int MostDocumentsToFit = 100_000;

    // Names of parameters and buffers in weight files start with these field names.
    private readonly TokenNetwork network;
    private readonly LevelScale scale;
    private readonly Tensor vocabulary;
    private readonly Tensor rarity;
    private readonly Tensor projection;
    private readonly TextTokens _tokens;
    private readonly IReadOnlyList<EncoderLevel> _levels;
    private float[] _rarity = [];

    public TokenEncoder(Recipe recipe, TextTokens tokens) : base(nameof(TokenEncoder), recipe)
    {
        var spec = recipe.Encoder;
        _tokens = tokens;
        _levels = [new(Level.Raw, spec.RawWidth, "cosine"), .. Level.Learned.Select(level => new EncoderLevel(level, spec.Transformer!.Width * spec.BlocksOf(level).Count, "cosine"))];
        network = new TokenNetwork(tokens.Size, spec.Longest, spec.Transformer!);
        scale = new LevelScale(_levels.Select(level => (level.Name, level.Dimension)));
        vocabulary = HostCopies.ToTensor(tokens.Bytes, [tokens.Bytes.Length], CPU);
        rarity = ones(tokens.Size);
        projection = zeros(tokens.Size, spec.RawWidth);
        RegisterComponents();
        AfterLoad();
    }

    public override EncoderShape Shape => new(Recipe.Encoder.Transformer!.Width, Recipe.Encoder.Transformer.Width, Recipe.Encoder.Transformer.Width, _tokens.Size);
    public override IReadOnlyList<EncoderLevel> Levels => _levels;
    public override LevelScale Scale => scale;

    // As in the CPU tier's encoder: scaling would lift the projection's weakest directions to the strongest.
    public override Scaling Scaling(string level) => level == Level.Raw ? Learning.Scaling.Centre : base.Scaling(level);

    /// <summary>IDF over all documents; the projection from at most 100,000 of them, spread evenly.</summary>
    public override void Fit(PreparedCorpus corpus, int seed, CancellationToken stop)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        rarity.copy_(HostCopies.ToTensor(TermWeights.InverseFrequency(corpus, text => _tokens.Of(text).Numbers, _tokens.Size, stop), [_tokens.Size], Device));
        AfterLoad();
        projection.copy_(LatentSemantics.Projection(() => Documents(corpus), _tokens.Size, Recipe.Encoder.RawWidth, seed, stop));
    }

    private IEnumerable<WeightedTokens> Documents(PreparedCorpus corpus)
    {
        foreach (var item in Sampling.Evenly(corpus.Count, MostDocumentsToFit))
        {
            var numbers = _tokens.Of(corpus.Text(item)).Numbers;
            yield return new(numbers, Weights(numbers));
        }
    }

    private float[] Weights(ReadOnlySpan<int> numbers)
    {
        var weights = new float[numbers.Length];
        TermWeights.Fill(numbers, _rarity, weights);
        return weights;
    }

    public override void AfterLoad() => _rarity = HostCopies.ToArray<float>(rarity);

    public override HostBatch Gather(PreparedCorpus corpus, ReadOnlySpan<int> items, StepRandom random)
    {
        var (length, views) = (Recipe.TextViews.Longest, Recipe.ViewCount);
        var values = new long[views * items.Length * length];
        void Write(int[] numbers, int row)
        {
            for (var t = 0; t < numbers.Length; t++) values[row * length + t] = numbers[t];
        }
        for (var i = 0; i < items.Length; i++)
        {
            var numbers = _tokens.Of(corpus.Text(items[i])).Numbers;
            var (start, count) = TextViews.Stretch(numbers.Length, Recipe.TextViews, random);
            for (var view = 0; view < views; view += 2)
            {
                var (first, second) = TextViews.Cut(numbers.AsSpan(start, count), Recipe.TextViews, random);
                Write(first, view * items.Length + i);
                if (view + 1 < views) Write(second, (view + 1) * items.Length + i);
            }
        }
        return new(values, [views * items.Length, length], items.Length);
    }

    public override IReadOnlyList<Tensor> Views(HostBatch batch, StepRandom random) => [HostCopies.ToTensor((long[])batch.Values, batch.Shape, Device)]; // [V * B, L]

    public override Encoded Encode(Tensor views) => Encoding(views, null);

    public override Encoded EncodeHidden(Tensor views, Tensor hidden) => Encoding(views, hidden);

    private Encoded Encoding(Tensor views, Tensor? hidden)
    {
        var blocks = Blocks(views, hidden);
        return new(Mean(blocks[^1], views), blocks);
    }

    /// <summary>Numbers [N, L], padded by 0, to the tokens' vectors after every block, each [N, L, D].</summary>
    private Tensor[] Blocks(Tensor numbers, Tensor? hidden)
    {
        if (_tokens.First is not { } first)
        {
            // A row of nothing but padding would have nothing to look at.
            var visible = numbers.ne(0);
            visible[.., 0] = true;
            return network.Forward(numbers, visible, hidden);
        }
        var framed = nn.functional.pad(numbers, [1, 0], value: first);
        var covered = hidden is null ? null : nn.functional.pad(hidden.to(ScalarType.Byte), [1, 0]).to(ScalarType.Bool);
        return [.. network.Forward(framed, framed.ne(0), covered).Select(block => block.narrow(1, 1, numbers.size(1)))];
    }

    // [N, L, D] to [N, D], padding left out.
    private static Tensor Mean(Tensor vectors, Tensor numbers)
    {
        var present = numbers.ne(0).to(vectors.dtype).unsqueeze(2);
        return (vectors * present).sum([1L]) / present.sum([1L]).clamp_min(1);
    }

    public override (int Rows, int Columns) CellGrid(Tensor views) => (1, (int)views.size(1));

    public override Tensor Patches(Tensor views) => network.Vectors(views).detach(); // [N, L, D]

    public override Tensor? Tokens(Tensor views) => views;

    public override IReadOnlyDictionary<string, Tensor> Describe(Tensor views, IReadOnlyList<string> levels)
    {
        var blocks = levels.Any(level => level != Level.Raw) ? Blocks(views, null) : [];
        return levels.ToDictionary(level => level, level => level == Level.Raw
            ? RawOfViews(views)
            : Mean(cat([.. Recipe.Encoder.BlocksOf(level).Select(block => blocks[block - 1])], 2), views));
    }

    private Tensor RawOfViews(Tensor views)
    {
        var (count, length) = ((int)views.size(0), (int)views.size(1));
        var numbers = HostCopies.ToArray<long>(views).Select(number => (int)number).ToArray();
        var weights = Enumerable.Range(0, count).SelectMany(row => Weights(numbers.AsSpan(row * length, length))).ToArray();
        return (projection.index_select(0, views.flatten()).view(count, length, -1) * HostCopies.ToTensor(weights, [count, length, 1], Device)).sum([1L]);
    }

    public override IEnumerable<SpanVectors> Extract(PreparedCorpus corpus, int first, int count, IReadOnlyList<string> levels, IReadOnlyList<Grain> grains, CancellationToken stop)
    {
        var collector = new TokenCollector(scale, levels, grains);
        foreach (var windows in Windows(corpus, first, count, grains).Chunk(WindowsPerBatch))
        {
            stop.ThrowIfCancellationRequested();
            Collect(windows, levels, grains, collector);
            foreach (var block in collector.Take(minimumRows: 4096)) yield return block;
        }
        collector.Close();
        foreach (var block in collector.Take(minimumRows: 1)) yield return block;
    }

    private IEnumerable<DocumentWindow> Windows(PreparedCorpus corpus, int first, int count, IReadOnlyList<Grain> grains)
    {
        var longest = Math.Min(network.Longest, LongestWindow) - (_tokens.First is null ? 0 : 1) - (_tokens.Last is null ? 0 : 1);
        for (var item = first; item < first + count; item++)
        {
            var text = corpus.Text(item);
            var (tokens, numbers) = _tokens.Of(text);
            var document = new TextDocument(corpus.ItemId(item), tokens, numbers, TextSpans.CodePoints(text));
            var spans = grains.ToDictionary(grain => grain, grain => GrainSpans.Of(document, grain, span => Weights(span)));
            foreach (var window in TokenWindow.Of(numbers.Length, longest)) yield return new(document, spans, window);
        }
    }

    private void Collect(DocumentWindow[] windows, IReadOnlyList<string> levels, IReadOnlyList<Grain> grains, TokenCollector collector)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var frame = _tokens.First is null ? 0 : 1;
        var length = Math.Max(1, windows.Max(window => window.Window.Length) + frame + (_tokens.Last is null ? 0 : 1));
        var numbers = new long[windows.Length * length];
        var places = new List<long>(); // of the answered tokens in [windows * length]
        var answered = new List<long>(); // their numbers
        for (var w = 0; w < windows.Length; w++)
        {
            var row = numbers.AsSpan(w * length, length);
            var (document, window) = (windows[w].Document, windows[w].Window);
            if (_tokens.First is { } first) row[0] = first;
            for (var i = 0; i < window.Length; i++) row[frame + i] = document.Numbers[window.Start + i];
            if (_tokens.Last is { } last) row[frame + window.Length] = last;
            for (var token = window.From; token < window.To; token++)
            {
                places.Add(w * length + frame + token - window.Start);
                answered.Add(document.Numbers[token]);
            }
        }
        var input = HostCopies.ToTensor(numbers, [windows.Length, length], Device);
        var visible = input.ne(0);
        visible[.., 0] = true;
        var blocks = levels.Any(level => level != Level.Raw) ? network.Forward(input, visible) : [];
        var chosen = HostCopies.ToTensor(places.ToArray(), [places.Count], Device);
        var vectors = levels.ToDictionary(level => level, level => level == Level.Raw
            ? projection.index_select(0, HostCopies.ToTensor(answered.ToArray(), [answered.Count], Device))
            : cat([.. Recipe.Encoder.BlocksOf(level).Select(block => blocks[block - 1])], 2).flatten(0, 1).index_select(0, chosen));
        foreach (var grain in grains) collector.Add(grain, windows, vectors);
    }
}
