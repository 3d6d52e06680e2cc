// What an encoder of any modality can do: fit its statistics, make views for training, embed them, and give vectors of spans.
// One subclass per modality. Parameters under "network." are learned by gradient; all other tensors are statistics.
using FeatureForge.Data;
using FeatureForge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

/// <summary>Raw values of one batch on the host, as read from the prepared corpus; or where they lie in the corpus that is held on the device.</summary>
internal sealed record HostBatch(Array Values, long[] Shape, int Items);

/// <summary>What the network made of views: vectors [N, D] and the cells of the blocks on the last grid, shallow to deep, each [N, T, Dk].</summary>
internal sealed record Encoded(Tensor Pooled, IReadOnlyList<Tensor> Cells);

/// <summary>Vectors of consecutive spans at one level and grain.</summary>
internal sealed record SpanVectors(string Level, Grain Grain, EmbeddingBlock Block);

/// <summary>An encoder with its front end.</summary>
internal abstract class Encoder : nn.Module
{
    protected Encoder(string name, Recipe recipe) : base(name) => Recipe = recipe;

    public Recipe Recipe { get; }

    /// <summary>Where the parameters are.</summary>
    public torch.Device Device { get; private set; } = CPU;

    /// <summary>What the heads of objectives need to know.</summary>
    public abstract EncoderShape Shape { get; }

    /// <summary>Levels, shallow to deep.</summary>
    public abstract IReadOnlyList<EncoderLevel> Levels { get; }

    /// <summary>Centres and scales the vectors of each level.</summary>
    public abstract LevelScale Scale { get; }

    /// <summary>How the vectors of a level are centred and scaled.</summary>
    public virtual Scaling Scaling(string level) => Learning.Scaling.CentreAndScale;

    /// <summary>Parts of a level's vectors that stand side by side and are brought to lengths in a given proportion; one part is left as it is.</summary>
    public virtual IReadOnlyList<LevelPart> Parts(string level) => [];

    public void MoveTo(torch.Device device)
    {
        Device = device;
        this.to(device);
    }

    /// <summary>Fits what is not learned by gradient (means, IDF, …), streaming over the corpus, before training.</summary>
    public abstract void Fit(PreparedCorpus corpus, int seed, CancellationToken stop);

    /// <summary>Starting values that depend on the statistics, after <see cref="Fit"/> or after loading statistics alone.</summary>
    public virtual void Initialise() { }

    /// <summary>Host copies of loaded tensors.</summary>
    public virtual void AfterLoad() { }

    /// <summary>Makes what <see cref="Gather"/> reads besides the corpus, in the run's staging folder; before training.</summary>
    public virtual void PrepareTraining(PreparedCorpus corpus, string folder, CancellationToken stop) { }

    /// <summary>Bytes of device memory that <see cref="Hold"/> would take; null where batches are made on the host (texts).</summary>
    public virtual long? BytesToHold(PreparedCorpus corpus) => null;

    /// <summary>Copies what views are made from to the device, once; <see cref="Gather"/> then hands out places in it instead of values. After <see cref="PrepareTraining"/>.</summary>
    public virtual void Hold(PreparedCorpus corpus, CancellationToken stop) { }

    /// <summary>Reads what the views of each item need. Touches no tensors: a reader thread calls it.</summary>
    public abstract HostBatch Gather(PreparedCorpus corpus, ReadOnlySpan<int> items, StepRandom random);

    /// <summary>The views of each item: a group of one size after another, global views first; in a group the second views follow all first ones.</summary>
    public abstract IReadOnlyList<Tensor> Views(HostBatch batch, StepRandom random);

    /// <summary>Views [N, ...] to pooled vectors and cells; gradients flow.</summary>
    public abstract Encoded Encode(Tensor views);

    /// <summary>The same with part of the cells' input hidden; <paramref name="hidden"/> is [N, T] bool.</summary>
    public abstract Encoded EncodeHidden(Tensor views, Tensor hidden);

    /// <summary>Rows and columns of cells that these views have; T = rows * columns.</summary>
    public abstract (int Rows, int Columns) CellGrid(Tensor views);

    /// <summary>The input values that each cell covers, [N, T, P].</summary>
    public abstract Tensor Patches(Tensor views);

    /// <summary>Token numbers of views, [N, T] int64; null unless text.</summary>
    public virtual Tensor? Tokens(Tensor views) => null;

    /// <summary>Views as whole items, not scaled, each level [N, dimension].</summary>
    public abstract IReadOnlyDictionary<string, Tensor> Describe(Tensor views, IReadOnlyList<string> levels);

    /// <summary>Vectors of the spans of items [first, first + count), per level and grain in the order (item, span).</summary>
    public abstract IEnumerable<SpanVectors> Extract(PreparedCorpus corpus, int first, int count, IReadOnlyList<string> levels, IReadOnlyList<Grain> grains, CancellationToken stop);

    /// <summary>All tensors by name, learned and fitted, in the order of registration.</summary>
    public IReadOnlyDictionary<string, Tensor> State()
    {
        var state = new Dictionary<string, Tensor>();
        foreach (var (name, parameter) in named_parameters()) state[name] = parameter;
        foreach (var (name, buffer) in named_buffers()) state[name] = buffer;
        return state;
    }

    /// <summary>Copies the named tensors in. With <paramref name="statisticsOnly"/> the network keeps its own (random) ones.</summary>
    /// <exception cref="BadRequestException">A tensor is missing or has another shape.</exception>
    public void LoadState(IReadOnlyDictionary<string, Tensor> source, string from, bool statisticsOnly = false)
    {
        using var noGradient = no_grad();
        var problems = new List<string>();
        foreach (var (name, target) in State())
        {
            if (statisticsOnly && name.StartsWith("network.", StringComparison.Ordinal)) continue;
            if (!source.TryGetValue(name, out var value)) problems.Add($"{from} has no tensor '{name}'.");
            else if (!value.shape.SequenceEqual(target.shape))
                problems.Add($"{from}: tensor '{name}' has shape [{string.Join(", ", value.shape)}], expected [{string.Join(", ", target.shape)}].");
            else target.copy_(value);
        }
        BadRequestException.ThrowIfAny(problems);
        if (statisticsOnly) Initialise();
        AfterLoad();
    }
}
