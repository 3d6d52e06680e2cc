// Documents: a bag of tokens per span, repeated words damped by a logarithm. Raw features are TF-IDF projected by latent semantic
// analysis; low = word vectors averaged by IDF, mid = averaged by the learned weights, high = after the residual layer, with a share of
// the raw vector beside it where the recipe says so: rare words say what a learned average forgets.
using FeatureForge.Data;
using FeatureForge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

internal sealed class TextEncoder : Encoder
{
    private const int TokensPerBatch = 32_768;
    private const int DocumentsPerBatch = 256;
    private const int MostDocumentsToFit = 100_000;
    private const int DocumentsToStart = 2_000;

    // Names of parameters and buffers in weight files start with these field names.
    private readonly BagNetwork network;
    private readonly LevelScale scale;
    private readonly Tensor vocabulary;
    private readonly Tensor rarity;
    private readonly Tensor projection;
    private readonly Vocabulary _words;
    private readonly IReadOnlyList<EncoderLevel> _levels;
    private float[] _rarity = [];
    private TokenFile? _tokens;

    public TextEncoder(Recipe recipe, Vocabulary words) : base(nameof(TextEncoder), recipe)
    {
        var spec = recipe.Encoder;
        _words = words;
        _levels = [new(Level.Raw, spec.RawWidth, "cosine"), .. Level.Learned.Select(level => new EncoderLevel(level, spec.Width + (level == Level.High && spec.RawShare > 0 ? spec.RawWidth : 0), "cosine"))];
        network = new BagNetwork(words.Size, spec.Width, spec.Hidden);
        scale = new LevelScale(_levels.Select(level => (level.Name, level.Dimension)));
        var bytes = words.ToBytes();
        vocabulary = HostCopies.ToTensor(bytes, [bytes.Length], CPU);
        rarity = zeros(words.Size);
        projection = zeros(words.Size, spec.RawWidth);
        RegisterComponents();
    }

    private int Width => Recipe.Encoder.Width;

    public override EncoderShape Shape => new(Width, Width, Width, _words.Size);
    public override IReadOnlyList<EncoderLevel> Levels => _levels;
    public override LevelScale Scale => scale;

    // Scaling would lift the weakest directions of the latent semantic space, and of the word vectors that start there, to the
    // strongest (measured for k-means NMI: raw 7 instead of 43, high 50 instead of 58).
    public override Scaling Scaling(string level) => Learning.Scaling.Centre;

    public override IReadOnlyList<LevelPart> Parts(string level) =>
        level == Level.High && Recipe.Encoder.RawShare > 0 ? [new(Width, 1), new(Recipe.Encoder.RawWidth, Recipe.Encoder.RawShare)] : [];

    /// <summary>IDF over all documents; the projection from at most 100,000 of them, spread evenly; word vectors start there.</summary>
    public override void Fit(PreparedCorpus corpus, int seed, CancellationToken stop)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        rarity.copy_(HostCopies.ToTensor(TermWeights.InverseFrequency(corpus, _words.Encode, _words.Size, stop), [_words.Size], Device));
        Initialise();
        projection.copy_(LatentSemantics.Projection(() => Documents(corpus), _words.Size, Recipe.Encoder.RawWidth, seed, stop));
        if (!Recipe.Encoder.RandomWords) StartWords(corpus);
    }

    public override void Initialise()
    {
        network.StartGate(rarity);
        _rarity = HostCopies.ToArray<float>(rarity);
    }

    public override void AfterLoad() => _rarity = HostCopies.ToArray<float>(rarity);

    // Averages of length about one: the learning rate is in proportion to that.
    private void StartWords(PreparedCorpus corpus)
    {
        network.StartWords(projection);
        var averages = Vectors([.. Sampling.Evenly(corpus.Count, DocumentsToStart).Select(item => Bag(corpus, item))], Level.Mid);
        network.StretchWords(1 / Math.Max(1e-6, averages.pow(2).sum(1).mean().sqrt().item<float>()));
    }

    private TokenBag Bag(PreparedCorpus corpus, int item) => TokenBag.Of(_words.Encode(corpus.Text(item)));

    private IEnumerable<WeightedTokens> Documents(PreparedCorpus corpus)
    {
        foreach (var item in Sampling.Evenly(corpus.Count, MostDocumentsToFit))
        {
            var bag = Bag(corpus, item);
            yield return new(bag.Numbers, TermWeights.Of(bag, _rarity));
        }
    }

    public override void PrepareTraining(PreparedCorpus corpus, string folder, CancellationToken stop) =>
        _tokens = TokenFile.Open(Path.Combine(folder, "tokens.i32"), corpus.Count, () => Tokens(corpus, stop));

    private IEnumerable<int[]> Tokens(PreparedCorpus corpus, CancellationToken stop)
    {
        for (var item = 0; item < corpus.Count; item++)
        {
            stop.ThrowIfCancellationRequested();
            yield return _words.Encode(corpus.Text(item));
        }
    }

    public override HostBatch Gather(PreparedCorpus corpus, ReadOnlySpan<int> items, StepRandom random)
    {
        var tokens = _tokens ?? throw new InvalidOperationException("PrepareTraining comes before Gather.");
        var views = new TokenBag[Recipe.ViewCount * items.Length];
        for (var i = 0; i < items.Length; i++)
        {
            var (start, length) = TextViews.Stretch(tokens.Count(items[i]), Recipe.TextViews, random);
            var stretch = new int[length];
            tokens.Read(items[i], start, stretch);
            for (var view = 0; view < Recipe.ViewCount; view += 2)
            {
                var (first, second) = TextViews.Cut(stretch, Recipe.TextViews, random);
                views[view * items.Length + i] = TokenBag.Of(first);
                if (view + 1 < Recipe.ViewCount) views[(view + 1) * items.Length + i] = TokenBag.Of(second);
            }
        }
        return Pad(views, items.Length);
    }

    // As wide as the fullest view: of short texts a step is short.
    private static HostBatch Pad(TokenBag[] views, int items)
    {
        var length = Math.Max(1, views.Max(view => view.Numbers.Length));
        var values = new long[views.Length * length * 2];
        for (var v = 0; v < views.Length; v++)
            for (var i = 0; i < views[v].Numbers.Length; i++)
                (values[(v * length + i) * 2], values[(v * length + i) * 2 + 1]) = (views[v].Numbers[i], views[v].Counts[i]);
        return new(values, [views.Length, length, 2], items);
    }

    /// <summary>[V * B, L, 2]: token numbers (0 = padding) and how often each occurs in the view.</summary>
    public override IReadOnlyList<Tensor> Views(HostBatch batch, StepRandom random) => [HostCopies.ToTensor((long[])batch.Values, batch.Shape, Device)];

    public override Encoded Encode(Tensor views) => new(network.Head(network.Average(views)), [network.Vectors(BagNetwork.Numbers(views))]);

    // Hidden words become padding: the bag is of the others. Their cell is the document's vector, which is all that knows of them.
    public override Encoded EncodeHidden(Tensor views, Tensor hidden)
    {
        var pooled = network.Head(network.Average(views.masked_fill(hidden.unsqueeze(2), 0)));
        return new(pooled, [pooled.unsqueeze(1).expand(-1, views.size(1), -1)]);
    }

    public override (int Rows, int Columns) CellGrid(Tensor views) => (1, (int)views.size(1));

    public override Tensor Patches(Tensor views) => network.Vectors(BagNetwork.Numbers(views)).detach(); // [N, L, D]

    public override Tensor? Tokens(Tensor views) => BagNetwork.Numbers(views);

    public override IReadOnlyDictionary<string, Tensor> Describe(Tensor views, IReadOnlyList<string> levels)
    {
        var (rows, length) = ((int)views.size(0), (int)views.size(1));
        var values = HostCopies.ToArray<long>(views);
        var bags = new TokenBag[rows];
        for (var row = 0; row < rows; row++)
        {
            var pairs = Enumerable.Range(row * length, length).Where(i => values[2 * i] != 0).ToArray();
            bags[row] = new([.. pairs.Select(i => (int)values[2 * i])], [.. pairs.Select(i => (int)values[2 * i + 1])]);
        }
        return levels.ToDictionary(level => level, level => Vectors(bags, level));
    }

    public override IEnumerable<SpanVectors> Extract(PreparedCorpus corpus, int first, int count, IReadOnlyList<string> levels, IReadOnlyList<Grain> grains, CancellationToken stop)
    {
        foreach (var documents in Batches(corpus, first, count))
        {
            stop.ThrowIfCancellationRequested();
            foreach (var grain in grains)
            {
                var spans = documents.SelectMany(document => TextSpans.Of(document, grain)).ToArray();
                if (spans.Length == 0) continue;
                var bags = spans.Select(span => TokenBag.Of(span.Tokens.Span)).ToArray();
                foreach (var level in levels) yield return new(level, grain, Block(spans, bags, level));
            }
        }
    }

    // Not inside the iterator: a dispose scope must not be open across a yield.
    private EmbeddingBlock Block(TextSpan[] spans, TokenBag[] bags, string level)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var vectors = HostCopies.ToArray<float>(scale.Apply(level, Vectors(bags, level)));
        return new([.. spans.Select(s => s.ItemId)], [.. spans.Select(s => s.Index)], [.. spans.Select(s => s.Span)], vectors, vectors.Length / spans.Length);
    }

    private IEnumerable<List<TextDocument>> Batches(PreparedCorpus corpus, int first, int count)
    {
        var batch = new List<TextDocument>();
        var tokens = 0;
        for (var item = first; item < first + count; item++)
        {
            var text = corpus.Text(item);
            var found = Words.Of(text);
            batch.Add(new(corpus.ItemId(item), found, [.. found.Select(token => _words.NumberOf(token.Text))], TextSpans.CodePoints(text)));
            tokens += found.Count;
            if (batch.Count < DocumentsPerBatch && tokens < TokensPerBatch) continue;
            yield return batch;
            (batch, tokens) = ([], 0);
        }
        if (batch.Count > 0) yield return batch;
    }

    /// <summary>Unscaled vectors of bags of tokens, [bags, dimension].</summary>
    private Tensor Vectors(TokenBag[] bags, string level)
    {
        if (level == Level.Raw) return RawVectors(bags);
        var frequencies = bags.SelectMany(bag => bag.Counts.Select(TermWeights.Frequency)).ToArray();
        var (sums, weights) = Sums(bags, frequencies, Width, level == Level.Low ? tokens => rarity.index_select(0, tokens) : network.Weights, network.Vectors);
        var average = sums / weights.clamp_min(1e-6);
        if (level != Level.High) return average;
        var learned = network.Head(average);
        return Recipe.Encoder.RawShare > 0 ? cat([learned, RawVectors(bags)], 1) : learned;
    }

    private Tensor RawVectors(TokenBag[] bags) =>
        Sums(bags, [.. bags.SelectMany(bag => TermWeights.Of(bag, _rarity))], projection.size(1), _ => ones(1, device: Device), tokens => projection.index_select(0, tokens)).Sums;

    /// <summary>Sums of rows weighted by frequency times weight, and sums of those products, per bag.</summary>
    private (Tensor Sums, Tensor Weights) Sums(TokenBag[] bags, float[] frequencies, long width, Func<Tensor, Tensor> weigh, Func<Tensor, Tensor> rows)
    {
        var sums = zeros(bags.Length, width, device: Device);
        var totals = zeros(bags.Length, 1, device: Device);
        var numbers = bags.SelectMany(bag => bag.Numbers).Select(number => (long)number).ToArray();
        var owners = bags.SelectMany((bag, b) => Enumerable.Repeat((long)b, bag.Numbers.Length)).ToArray();
        // In pieces, so that the rows of many tokens are never all in memory.
        for (var from = 0; from < numbers.Length; from += TokensPerBatch)
        {
            using var scope = NewDisposeScope();
            var length = Math.Min(TokensPerBatch, numbers.Length - from);
            var tokens = HostCopies.ToTensor(numbers.AsSpan(from, length), [length], Device);
            var owner = HostCopies.ToTensor(owners.AsSpan(from, length), [length], Device);
            var weight = (HostCopies.ToTensor(frequencies.AsSpan(from, length), [length], Device) * weigh(tokens)).unsqueeze(1);
            sums.index_add_(0, owner, rows(tokens) * weight, 1);
            totals.index_add_(0, owner, weight, 1);
        }
        return (sums, totals);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) _tokens?.Dispose();
        base.Dispose(disposing);
    }
}
