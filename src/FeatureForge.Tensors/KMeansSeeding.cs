// Greedy k-means++ (Arthur, Vassilvitskii 2007; the greedy variant is the one of their own program and of scikit-learn):
// every next seed is the best of a few candidates drawn in proportion to the squared distance. With many clusters the
// rows are sampled first and the candidates are one each, since the cost grows as rows x clusters x candidates.
using static TorchSharp.torch;

namespace FeatureForge.Tensors;

internal static class KMeansSeeding
{
    private const int ManyClusters = 512;
    private const int RowsPerCluster = 16;

    /// <summary>k rows of <paramref name="rows"/> [N, D], as a tensor of their own [K, D].</summary>
    internal static Tensor Seed(Tensor rows, int clusters, CounterRandom random, CancellationToken stop)
    {
        using var scope = NewDisposeScope();
        var limit = Math.Max(clusters * (long)RowsPerCluster, 1 << 16);
        if (rows.shape[0] > limit)
        {
            var sample = random.Stream(1).Sample((int)limit, (int)rows.shape[0]);
            rows = rows.index_select(0, HostCopies.ToTensor(Array.ConvertAll(sample, row => (long)row), [sample.Length], rows.device));
        }

        var n = (int)rows.shape[0];
        var candidates = clusters <= ManyClusters ? 2 + (int)Math.Log(clusters) : 1;
        var norms = rows.square().sum(1L).unsqueeze(0); // [1, N]
        var chosen = new long[clusters];
        chosen[0] = random.Below(0, n);
        var closest = Squared(rows, norms, [chosen[0]]).squeeze(0); // [N]: squared distance to the nearest seed
        for (var k = 1; k < clusters; k++)
        {
            stop.ThrowIfCancellationRequested();
            using var step = NewDisposeScope();
            var drawn = Draw(closest, candidates, random, k, chosen.AsSpan(0, k));
            var reduced = minimum(Squared(rows, norms, drawn), closest.unsqueeze(0)); // [L, N]
            var winner = candidates == 1 ? 0 : (int)reduced.sum([1L], type: ScalarType.Float64).argmin().item<long>();
            chosen[k] = drawn[winner];
            closest = reduced[winner].MoveToOuterDisposeScope();
        }
        return rows.index_select(0, HostCopies.ToTensor(chosen, [clusters], rows.device)).MoveToOuterDisposeScope();
    }

    // In proportion to the squared distance; when every row coincides with a seed, the first row that is no seed yet.
    private static long[] Draw(Tensor closest, int candidates, CounterRandom random, int k, ReadOnlySpan<long> chosen)
    {
        var cumulative = closest.cumsum(0, ScalarType.Float64); // [N]
        var total = cumulative[-1].item<double>();
        if (total <= 0)
        {
            var taken = new HashSet<long>(chosen.ToArray());
            var free = 0L;
            while (taken.Contains(free)) free++;
            return [free];
        }
        var targets = zeros([candidates], ScalarType.Float64, closest.device);
        for (var i = 0; i < candidates; i++) targets[i] = random.Unit((long)k * candidates + i) * total;
        var found = searchsorted(cumulative, targets, right: true).clamp_max(closest.shape[0] - 1);
        return HostCopies.ToArray<long>(found.to(ScalarType.Int64));
    }

    private static Tensor Squared(Tensor rows, Tensor norms, long[] seeds)
    {
        var index = HostCopies.ToTensor(seeds, [seeds.Length], rows.device);
        var points = rows.index_select(0, index); // [L, D]
        var squared = addmm(norms, points, rows.t(), beta: 1, alpha: -2) + points.square().sum(1L).unsqueeze(1);
        return squared.clamp_min_(0).scatter_(1, index.unsqueeze(1), zeros(seeds.Length, 1, device: rows.device)); // a seed's own distance is 0, not rounding
    }
}
