// Closed-form features of pictures: small patches, contrast-normalised and whitened, compared with a dictionary of typical patches
// found by k-means, and pooled over quarters. Coates, Lee, Ng 2011, "An analysis of single-layer networks in unsupervised feature
// learning" (AISTATS): triangle activation, equation 3. Nothing is learned by gradient: the honest baseline of every run.
using FeatureForge.Data;
using FeatureForge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

/// <summary>Buffers: the whitening, the mean patch, the dictionary. Field names are names in weight files.</summary>
internal sealed class PatchDictionary : nn.Module
{
    /// <summary>Activations per place.</summary>
    public const int Entries = 192;
    /// <summary>Values per span: one activation per quarter and dictionary entry.</summary>
    public const int Dimension = 4 * Entries;
    /// <summary>Pixels from one place to the next: a map has half the picture's side.</summary>
    public const int Stride = 2;

    private const int PatchSide = 6;
    private const int Margin = (PatchSide - Stride) / 2;
    private const int Values = 3 * PatchSide * PatchSide;
    private const int PatchesToFit = 100_000;
    private const int MostItems = 10_000;

    // The paper's constants, for pixels in 0 … 255 and for unit contrast.
    private const double ContrastFloor = 10 / (255.0 * 255.0);
    private const double WhiteningFloor = 0.1;

    private readonly Tensor centre; // [108]
    private readonly Tensor whitening; // [108, 108], symmetric
    private readonly Tensor entries; // [K, 108]
    private readonly int _side;

    /// <param name="side">Pixels per side of the pictures that are looked at; larger ones are averaged down.</param>
    public PatchDictionary(int side) : base(nameof(PatchDictionary))
    {
        _side = side;
        (centre, whitening, entries) = (zeros(Values), eye(Values), zeros(Entries, Values));
        RegisterComponents();
    }

    /// <summary>Fits to patches of pictures in [0, 1], [N, 3, S, S] a batch; which patches depends on the seed alone.</summary>
    public void Fit(PreparedCorpus corpus, Func<int[], Tensor> pictures, int seed, CancellationToken stop)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var items = Sampling.Evenly(corpus.Count, MostItems).ToArray();
        var perItem = (PatchesToFit + items.Length - 1) / items.Length;
        var taken = new List<Tensor>();
        foreach (var (chunk, number) in items.Chunk(256).Select((chunk, number) => (chunk, number)))
        {
            stop.ThrowIfCancellationRequested();
            taken.Add(Sample(pictures(chunk), perItem, new StepRandom(seed, number, DrawPurpose.Sample)));
        }
        var patches = cat(taken, 0); // [M, 108]
        centre.copy_(patches.mean([0]));
        var centred = patches - centre;
        var (variances, directions) = linalg.eigh(mm(centred.t(), centred) / patches.size(0));
        whitening.copy_(mm(directions * (variances.clamp_min(0) + WhiteningFloor).rsqrt(), directions.t()));
        var white = mm(centred, whitening);
        // Few patches (a corpus of a handful of pictures) are all entries themselves.
        var found = KMeans.Fit(white, new KMeansOptions { Clusters = (int)Math.Min(Entries, white.size(0)), Metric = VectorMetric.L2, Seed = seed, Restarts = 1, Iterations = 30 }, null, stop).Centroids;
        var rows = HostCopies.ToTensor(found, [found.Length / Values, Values], entries.device);
        entries.copy_(rows.repeat((Entries + rows.size(0) - 1) / rows.size(0), 1)[..Entries]);
    }

    private Tensor Sample(Tensor pictures, int perItem, StepRandom random)
    {
        using var scope = NewDisposeScope();
        var all = Cut(Sized(pictures)); // [N, L, 108]
        var places = Enumerable.Range(0, (int)all.size(0) * perItem).Select(_ => (long)random.Below((int)all.size(1))).ToArray();
        var index = HostCopies.ToTensor(places, [all.size(0), perItem, 1], all.device).expand(-1, -1, Values);
        return Normalised(all.gather(1, index).flatten(0, 1)).MoveToOuterDisposeScope();
    }

    /// <summary>Pictures in [0, 1], [N, 3, S, S], to activations of every entry at every place, [N, K, S/2, S/2], channels last in memory; no gradients.</summary>
    public Tensor Map(Tensor pictures)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var sized = Sized(pictures);
        if (sized.device_type != DeviceType.CPU) return MapByTensors(sized).MoveToOuterDisposeScope();
        using var activations = new PatchActivations(PatchSide, Stride, ContrastFloor, centre, whitening, entries);
        return activations.Map(sized).MoveToOuterDisposeScope();
    }

    /// <summary>The same by operations of LibTorch, which an accelerator has.</summary>
    internal Tensor MapByTensors(Tensor sized)
    {
        var side = sized.size(2) / Stride;
        var white = mm(Normalised(Cut(sized).flatten(0, 1)) - centre, whitening); // [N * L, 108]
        // Squared distances as one product: |x|^2 + |c|^2 - 2 x c.
        var distances = addmm(entries.pow(2).sum(1), white, entries.t(), beta: 1, alpha: -2).add_(white.pow(2).sum(1, keepdim: true)).clamp_min_(0).sqrt_(); // [N * L, K]
        var active = distances.neg_().sub_(distances.mean([1], keepdim: true)).clamp_min_(0);
        return active.view(sized.size(0), side, side, Entries).permute(0, 3, 1, 2);
    }

    /// <summary>A map to spans: the grid cut into rows x columns, each span into quarters, [N, rows * columns, 4K].</summary>
    public static Tensor Pool(Tensor map, int rows, int columns)
    {
        var quarters = nn.functional.adaptive_avg_pool2d(map, [2 * rows, 2 * columns]);
        return quarters.view(map.size(0), Entries, rows, 2, columns, 2).permute(0, 2, 4, 3, 5, 1).reshape(map.size(0), rows * columns, Dimension);
    }

    private Tensor Sized(Tensor pictures) =>
        pictures.size(2) <= _side ? pictures : nn.functional.adaptive_avg_pool2d(pictures, [_side, _side]);

    // All patches, those at the border completed by reflection, [N, L, 108].
    private static Tensor Cut(Tensor pictures) =>
        nn.functional.unfold(nn.functional.pad(pictures, [Margin, Margin, Margin, Margin], PaddingModes.Reflect), PatchSide, 1, 0, Stride).transpose(1, 2);

    // Each patch [M, 108] with its own mean taken off and its contrast made one.
    private static Tensor Normalised(Tensor patches)
    {
        var centred = patches - patches.mean([1], keepdim: true);
        return centred.div_((centred.pow(2).mean([1], keepdim: true) + ContrastFloor).sqrt_());
    }
}
