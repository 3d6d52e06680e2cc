// Documents: a bag of tokens per span. Raw features are TF-IDF projected by latent semantic analysis; low = word vectors
// averaged by IDF, mid = averaged by the learned weights, high = after the residual layer.
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

    // Names of parameters and buffers in weight files start with these field names.
    private readonly BagNetwork network;
    private readonly LevelScale scale;
    private readonly Tensor vocabulary;
    private readonly Tensor rarity;
    private readonly Tensor projection;
    private readonly Vocabulary _words;
    private readonly IReadOnlyList<EncoderLevel> _levels;
    private float[] _rarity = [];

    public TextEncoder(Recipe recipe, Vocabulary words) : base(nameof(TextEncoder), recipe)
    {
        var spec = recipe.Encoder;
        _words = words;
        _levels = [new(Level.Raw, spec.RawWidth, "cosine"), .. new[] { Level.Low, Level.Mid, Level.High }.Select(level => new EncoderLevel(level, spec.Width, "cosine"))];
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

    // Scaling would lift the weakest directions of the projection to the strongest (measured: k-means NMI 7 instead of 43).
    public override Scaling Scaling(string level) => level == Level.Raw ? Learning.Scaling.Centre : base.Scaling(level);

    /// <summary>IDF over all documents; the projection from at most 100,000 of them, spread evenly.</summary>
    public override void Fit(PreparedCorpus corpus, int seed, CancellationToken stop)
    {
        var holding = new int[_words.Size];
        for (var item = 0; item < corpus.Count; item++)
        {
            stop.ThrowIfCancellationRequested();
            foreach (var token in _words.Encode(corpus.Text(item)).Distinct()) holding[token]++;
        }
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        rarity.copy_(HostCopies.ToTensor(TermWeights.InverseFrequency(holding, corpus.Count), [holding.Length], Device));
        Initialise();
        projection.copy_(LatentSemantics.Projection(() => Documents(corpus), _words.Size, Recipe.Encoder.RawWidth, seed, stop));
    }

    public override void Initialise()
    {
        network.StartGate(rarity);
        _rarity = HostCopies.ToArray<float>(rarity);
    }

    public override void AfterLoad() => _rarity = HostCopies.ToArray<float>(rarity);

    private IEnumerable<WeightedTokens> Documents(PreparedCorpus corpus)
    {
        foreach (var item in Sampling.Evenly(corpus.Count, MostDocumentsToFit))
        {
            var tokens = _words.Encode(corpus.Text(item));
            var weights = new float[tokens.Length];
            TermWeights.Fill(tokens, _rarity, weights);
            yield return new(tokens, weights);
        }
    }

    public override HostBatch Gather(PreparedCorpus corpus, ReadOnlySpan<int> items, StepRandom random)
    {
        var (length, views) = (Recipe.TextViews.Longest, Recipe.ViewCount);
        var values = new long[views * items.Length * length];
        var unused = new long[length];
        for (var i = 0; i < items.Length; i++)
        {
            var tokens = _words.Encode(corpus.Text(items[i]));
            for (var view = 0; view < views; view += 2)
            {
                var second = view + 1 < views ? values.AsSpan(((view + 1) * items.Length + i) * length, length) : unused;
                TextViews.Cut(tokens, Recipe.TextViews, random, values.AsSpan((view * items.Length + i) * length, length), second);
            }
        }
        return new(values, [views * items.Length, length], items.Length);
    }

    public override IReadOnlyList<Tensor> Views(HostBatch batch, StepRandom random) => [HostCopies.ToTensor((long[])batch.Values, batch.Shape, Device)]; // [V * B, L]

    public override Encoded Encode(Tensor views) => new(network.Head(network.Average(views)), [network.Vectors(views)]);

    // Hidden words become padding: the bag is of the others. Their cell is the document's vector, which is all that knows of them.
    public override Encoded EncodeHidden(Tensor views, Tensor hidden)
    {
        var pooled = network.Head(network.Average(views.masked_fill(hidden, 0)));
        return new(pooled, [pooled.unsqueeze(1).expand(-1, views.size(1), -1)]);
    }

    public override (int Rows, int Columns) CellGrid(Tensor views) => (1, (int)views.size(1));

    public override Tensor Patches(Tensor views) => network.Vectors(views).detach(); // [N, L, D]

    public override Tensor? Tokens(Tensor views) => views;

    public override IReadOnlyDictionary<string, Tensor> Describe(Tensor views, IReadOnlyList<string> levels)
    {
        var length = (int)views.size(1);
        var tokens = HostCopies.ToArray<long>(views).Select(token => (int)token).ToArray();
        var groups = Enumerable.Range(0, (int)views.size(0)).Select(row => new TokenGroup(tokens.AsMemory(row * length, length))).ToArray();
        return levels.ToDictionary(level => level, level => Vectors(groups, level));
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
                var groups = spans.Select(span => new TokenGroup(span.Tokens)).ToArray();
                foreach (var level in levels) yield return new(level, grain, Block(spans, groups, level));
            }
        }
    }

    // Not inside the iterator: a dispose scope must not be open across a yield.
    private EmbeddingBlock Block(TextSpan[] spans, TokenGroup[] groups, string level)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var vectors = HostCopies.ToArray<float>(scale.Apply(level, Vectors(groups, level)));
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

    /// <summary>Unscaled vectors of groups of tokens, [groups, dimension].</summary>
    private Tensor Vectors(TokenGroup[] groups, string level)
    {
        if (level == Level.Raw) return Sums(groups, projection.size(1), tokens => projection.index_select(0, tokens), RawWeights).Sums;
        var weigh = level == Level.Low ? (Func<TokenGroup[], Tensor, Tensor>)((_, tokens) => rarity.index_select(0, tokens)) : (_, tokens) => network.Weights(tokens);
        var (sums, weights) = Sums(groups, Width, network.Vectors, weigh);
        var average = sums / weights.clamp_min(1e-6);
        return level == Level.High ? network.Head(average) : average;
    }

    private Tensor RawWeights(TokenGroup[] slab, Tensor tokens)
    {
        var weights = new float[slab.Sum(group => group.Tokens.Length)];
        var at = 0;
        foreach (var group in slab)
        {
            TermWeights.Fill(group.Tokens.Span, _rarity, weights.AsSpan(at, group.Tokens.Length));
            at += group.Tokens.Length;
        }
        return HostCopies.ToTensor(weights, [weights.Length], Device);
    }

    /// <summary>Weighted sums of rows and sums of weights per group.</summary>
    private (Tensor Sums, Tensor Weights) Sums(TokenGroup[] groups, long width, Func<Tensor, Tensor> rows, Func<TokenGroup[], Tensor, Tensor> weigh)
    {
        var sums = zeros(groups.Length, width, device: Device);
        var totals = zeros(groups.Length, 1, device: Device);
        var count = groups.Sum(group => group.Tokens.Length);
        if (count == 0) return (sums, totals);
        var numbers = new long[count];
        var owners = new long[count];
        var at = 0;
        for (var g = 0; g < groups.Length; g++)
        {
            foreach (var token in groups[g].Tokens.Span) (numbers[at], owners[at++]) = (token, g);
        }
        var weights = weigh(groups, HostCopies.ToTensor(numbers, [count], Device)) * HostCopies.ToTensor(numbers.Select(n => n == 0 ? 0f : 1f).ToArray(), [count], Device);
        // A document of a million tokens is added up in pieces, so that its rows are never all in memory.
        for (var from = 0; from < count; from += TokensPerBatch)
        {
            using var scope = NewDisposeScope();
            var length = Math.Min(TokensPerBatch, count - from);
            var owner = HostCopies.ToTensor(owners.AsSpan(from, length), [length], Device);
            var weight = weights.narrow(0, from, length).unsqueeze(1);
            sums.index_add_(0, owner, rows(HostCopies.ToTensor(numbers.AsSpan(from, length), [length], Device)) * weight, 1);
            totals.index_add_(0, owner, weight, 1);
        }
        return (sums, totals);
    }

    private readonly record struct TokenGroup(ReadOnlyMemory<int> Tokens);
}
