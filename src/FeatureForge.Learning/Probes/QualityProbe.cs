// Label-free quality of an encoder, always beside the same numbers for raw features:
// - rankme_ratio: effective rank of the vectors over their width (Garrido et al. 2023, RankMe, arXiv 2210.02885), here of centred vectors;
// - retrieval: how often the nearest neighbour of one view of an item, among the other views, is the item's own.
using FeatureForge.Data;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

internal sealed class QualityProbe
{
    private const int MostItems = 1024;
    private const int ItemsPerBatch = 128;

    private readonly PreparedCorpus _corpus;
    private readonly Encoder _encoder;
    private readonly int[] _items;
    private readonly int _seed;

    public QualityProbe(PreparedCorpus corpus, Encoder encoder, int seed)
    {
        (_corpus, _encoder, _seed) = (corpus, encoder, seed);
        _items = [.. Sampling.Evenly(corpus.Count, MostItems)];
    }

    /// <summary>Scores by name; the same views every time, so that numbers over steps compare.</summary>
    public IReadOnlyDictionary<string, double> Measure(CancellationToken stop)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var views = new Dictionary<string, (List<Tensor> First, List<Tensor> Second)> { [Level.Raw] = ([], []), [Level.High] = ([], []) };
        for (var from = 0; from < _items.Length; from += ItemsPerBatch)
        {
            stop.ThrowIfCancellationRequested();
            using var inner = NewDisposeScope();
            var items = _items.AsSpan(from, Math.Min(ItemsPerBatch, _items.Length - from));
            var batch = _encoder.Views(_encoder.Gather(_corpus, items, new StepRandom(_seed, from, DrawPurpose.Probe)), new StepRandom(_seed, from + 1, DrawPurpose.Probe));
            foreach (var (level, (first, second)) in views)
            {
                var vectors = _encoder.Describe(batch, level);
                first.Add(vectors[..items.Length].MoveToOuterDisposeScope());
                second.Add(vectors[items.Length..].MoveToOuterDisposeScope());
            }
        }
        var scores = new SortedDictionary<string, double>(StringComparer.Ordinal);
        foreach (var (level, (first, second)) in views)
        {
            var (one, other) = (cat(first, 0), cat(second, 0));
            scores[$"rankme_ratio.{level}"] = EffectiveRank(one) / Math.Min(one.size(1), Math.Max(1, one.size(0) - 1));
            scores[$"retrieval.{level}"] = Retrieval(one, other);
            if (level == Level.High) scores["spread.high"] = Spread(one);
        }
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

    /// <summary>Share of the first views whose nearest second view, by cosine of standardised vectors, is of the same item.</summary>
    public static double Retrieval(Tensor first, Tensor second)
    {
        using var scope = NewDisposeScope();
        var both = cat([first, second], 0);
        var deviation = both.std(0, unbiased: false).clamp_min(1e-6);
        var scaled = nn.functional.normalize((both - both.mean([0])) / deviation, p: 2, dim: 1);
        var nearest = mm(scaled[..(int)first.size(0)], scaled[(int)first.size(0)..].t()).argmax(1);
        var own = arange(first.size(0), dtype: ScalarType.Int64, device: first.device);
        return (nearest == own).to(ScalarType.Float64).mean().item<double>();
    }

    /// <summary>Deviation per dimension of unit vectors, times the square root of the width: about 1 when spread over the sphere, 0 at collapse.</summary>
    public static double Spread(Tensor vectors)
    {
        using var scope = NewDisposeScope();
        return nn.functional.normalize(vectors, p: 2, dim: 1).std(0, unbiased: false).mean().item<float>() * Math.Sqrt(vectors.size(1));
    }
}
