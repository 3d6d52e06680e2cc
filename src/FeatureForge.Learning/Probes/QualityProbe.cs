// Label-free quality of an encoder, every level beside the same numbers for raw features, from two views of some items:
// - rankme_ratio: effective rank of the vectors over their width (Garrido et al. 2023, RankMe, arXiv 2210.02885), here of centred vectors;
// - retrieval: how often the nearest neighbour of one view of an item, among the other views, is the item's own;
// - neighbours: how many of the ten nearest items of one view are also among the ten nearest of the other;
// - alignment and uniformity (Wang and Isola 2020, arXiv 2005.10242): mean squared distance of an item's views, and log of the mean
//   of exp(-2 d^2) over pairs of items; lower is better for both;
// - spread: deviation per dimension of unit vectors; about 1 when spread over the sphere, 0 at collapse.
using FeatureForge.Data;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

internal sealed class QualityProbe
{
    private const int MostItems = 1024;
    private const int ItemsPerBatch = 128;
    private const int NeighboursCompared = 10;

    private readonly PreparedCorpus _corpus;
    private readonly Encoder _reader;
    private readonly int[] _items;
    private readonly int _seed;
    private IReadOnlyDictionary<string, double>? _raw;

    /// <param name="reader">The encoder whose front end is prepared for training; what is measured may be its teacher.</param>
    public QualityProbe(PreparedCorpus corpus, Encoder reader, int seed)
    {
        (_corpus, _reader, _seed) = (corpus, reader, seed);
        _items = [.. Sampling.Evenly(corpus.Count, MostItems)];
    }

    /// <summary>Scores by "measure.level"; the same views every time, so that numbers over steps compare.</summary>
    public IReadOnlyDictionary<string, double> Measure(Encoder encoder, CancellationToken stop)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        // Raw features do not change while a network trains, and the views are the same: once is enough.
        var levels = _raw is null ? Level.All : Level.Learned;
        var views = levels.ToDictionary(level => level, _ => (First: new List<Tensor>(), Second: new List<Tensor>()));
        for (var from = 0; from < _items.Length; from += ItemsPerBatch)
        {
            stop.ThrowIfCancellationRequested();
            using var inner = NewDisposeScope();
            var items = _items.AsSpan(from, Math.Min(ItemsPerBatch, _items.Length - from));
            var batch = _reader.Views(_reader.Gather(_corpus, items, new StepRandom(_seed, from, DrawPurpose.Probe)), new StepRandom(_seed, from + 1, DrawPurpose.Probe))[0];
            foreach (var (level, vectors) in encoder.Describe(batch[..(2 * items.Length)], levels))
            {
                views[level].First.Add(vectors[..items.Length].MoveToOuterDisposeScope());
                views[level].Second.Add(vectors[items.Length..].MoveToOuterDisposeScope());
            }
        }
        var scores = new SortedDictionary<string, double>(StringComparer.Ordinal);
        foreach (var (level, (first, second)) in views)
        {
            var (one, other) = (cat(first, 0), cat(second, 0));
            scores[$"rankme_ratio.{level}"] = EffectiveRank(one) / Math.Min(one.size(1), Math.Max(1, one.size(0) - 1));
            scores[$"spread.{level}"] = Spread(one);
            using var inner = NewDisposeScope();
            var (a, b) = Standardised(one, other);
            scores[$"retrieval.{level}"] = Retrieval(a, b);
            scores[$"neighbours.{level}"] = NeighbourOverlap(a, b, Math.Min(NeighboursCompared, (int)a.size(0) - 1));
            scores[$"alignment.{level}"] = (a - b).pow(2).sum(1).mean().item<float>();
            scores[$"uniformity.{level}"] = Uniformity(a);
        }
        _raw ??= scores.Where(pair => pair.Key.EndsWith("." + Level.Raw, StringComparison.Ordinal)).ToDictionary();
        foreach (var (name, value) in _raw) scores[name] = value;
        return scores;
    }

    /// <summary>exp of the entropy of the normalised singular values of the centred rows [N, D].</summary>
    public static double EffectiveRank(Tensor vectors)
    {
        using var scope = NewDisposeScope();
        var centred = vectors.to(ScalarType.Float64) - vectors.mean([0], keepdim: true, type: ScalarType.Float64);
        // Singular values from the smaller Gram matrix: a thousand rows take milliseconds.
        var gram = centred.size(0) < centred.size(1) ? mm(centred, centred.t()) : mm(centred.t(), centred);
        var singular = linalg.eigvalsh(gram).clamp_min(0).sqrt();
        var share = singular / singular.sum().clamp_min(1e-12) + 1e-12;
        return Math.Exp(-(share * share.log()).sum().item<double>());
    }

    /// <summary>Both sets centred and scaled by their common statistics, as unit rows.</summary>
    public static (Tensor First, Tensor Second) Standardised(Tensor first, Tensor second)
    {
        var both = cat([first, second], 0);
        var deviation = both.std(0, unbiased: false).clamp_min(1e-6);
        var scaled = nn.functional.normalize((both - both.mean([0])) / deviation, p: 2, dim: 1);
        return (scaled[..(int)first.size(0)], scaled[(int)first.size(0)..]);
    }

    /// <summary>Share of the unit rows of one view whose nearest row of the other is of the same item.</summary>
    public static double Retrieval(Tensor first, Tensor second)
    {
        using var scope = NewDisposeScope();
        var nearest = mm(first, second.t()).argmax(1);
        var own = arange(first.size(0), dtype: ScalarType.Int64, device: first.device);
        return (nearest == own).to(ScalarType.Float64).mean().item<double>();
    }

    /// <summary>Share of the <paramref name="count"/> nearest other items that two views of an item have in common.</summary>
    public static double NeighbourOverlap(Tensor first, Tensor second, int count)
    {
        using var scope = NewDisposeScope();
        Tensor Marked(Tensor view)
        {
            var similarity = mm(view, view.t()) - 4 * eye(view.size(0), device: view.device); // an item is not its own neighbour
            var nearest = similarity.topk(count, 1).indexes;
            return zeros_like(similarity).scatter_(1, nearest, ones_like(nearest, similarity.dtype));
        }
        return (Marked(first) * Marked(second)).sum().item<float>() / (first.size(0) * (double)count);
    }

    /// <summary>log of the mean of exp(-2 d^2) over all pairs of different unit rows.</summary>
    public static double Uniformity(Tensor unit)
    {
        using var scope = NewDisposeScope();
        var apart = (2 - 2 * mm(unit, unit.t())).clamp_min(0); // squared distances [N, N]
        var count = unit.size(0);
        return Math.Log((((-2 * apart).exp().sum() - count) / Math.Max(1.0, count * (count - 1.0))).item<float>() + 1e-12);
    }

    /// <summary>Deviation per dimension of unit vectors, times the square root of the width: about 1 when spread over the sphere, 0 at collapse.</summary>
    public static double Spread(Tensor vectors)
    {
        using var scope = NewDisposeScope();
        return nn.functional.normalize(vectors, p: 2, dim: 1).std(0, unbiased: false).mean().item<float>() * Math.Sqrt(vectors.size(1));
    }
}
