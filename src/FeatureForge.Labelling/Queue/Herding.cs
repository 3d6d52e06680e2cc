// Cold start: which items, labelled, would cover most of the rest? Greedy maximisation of a covering kernel (MaxHerding: Bae, Noh, Sutherland
// 2024): each pick adds most similarity that earlier picks and labels do not give yet. The kernel falls with the distance, its width the typical
// distance to the n/2b-th neighbour of b picks: typical items of big uncovered groups win, outliers (TypiClust's worry) never do.
using FeatureForge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Labelling;

internal static class Herding
{
    private const int Candidates = 4096;
    private const int References = 8192;

    /// <summary>Picks rows that cover best, in order, with the share of the whole similarity that each adds.</summary>
    /// <param name="labelled">Rows that cover already.</param>
    /// <param name="may">Which rows may be picked.</param>
    /// <param name="regions">How many picks the kernel's width is meant for: labelled and to come.</param>
    internal static IReadOnlyList<(int Row, float Gain)> Pick(float[] values, int rows, int dimension, VectorMetric metric, IReadOnlyCollection<int> labelled,
        Func<int, bool> may, int count, int regions, long seed, CancellationToken stop)
    {
        var random = new CounterRandom(seed);
        var candidates = Sample(random.Stream(1), [.. Enumerable.Range(0, rows).Where(may)], Candidates);
        var references = Sample(random.Stream(2), [.. Enumerable.Range(0, rows)], References);
        if (candidates.Length == 0) return [];
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var some = Rows(values, dimension, references); // [R, D]
        var width = Width(some, metric, regions);
        var kernel = Kernel(Rows(values, dimension, candidates), some, metric, width); // [C, R]
        var covered = labelled.Count == 0 ? zeros(references.Length) : Kernel(Rows(values, dimension, [.. labelled]), some, metric, width).amax([0L]); // [R]
        var open = new bool[candidates.Length];
        Array.Fill(open, true);
        var picks = new List<(int, float)>();
        while (picks.Count < Math.Min(count, candidates.Length))
        {
            stop.ThrowIfCancellationRequested();
            using var step = NewDisposeScope();
            var gains = HostCopies.ToArray<float>((kernel - covered).clamp_min(0).mean([1L])); // [C]
            var best = -1;
            for (var i = 0; i < gains.Length; i++)
                if (open[i] && (best < 0 || gains[i] > gains[best])) best = i;
            open[best] = false;
            picks.Add((candidates[best], gains[best]));
            covered = maximum(covered, kernel[best]).MoveToOuterDisposeScope();
        }
        return picks;
    }

    private static int[] Sample(CounterRandom random, int[] rows, int most) => rows.Length <= most ? rows : [.. random.Sample(most, rows.Length).Select(i => rows[i])];

    private static Tensor Rows(float[] values, int dimension, int[] rows)
    {
        var some = new float[(long)rows.Length * dimension];
        for (var i = 0; i < rows.Length; i++) values.AsSpan(rows[i] * dimension, dimension).CopyTo(some.AsSpan(i * dimension, dimension));
        return HostCopies.ToTensor(some, [rows.Length, dimension], CPU);
    }

    private static Tensor Kernel(Tensor left, Tensor right, VectorMetric metric, double width)
    {
        using var scope = NewDisposeScope();
        return Distances(left, right, metric).square().mul_(-1 / (width * width)).exp_().MoveToOuterDisposeScope();
    }

    // Cosine: 1 - cosine. L2: Euclidean.
    private static Tensor Distances(Tensor left, Tensor right, VectorMetric metric)
    {
        using var scope = NewDisposeScope();
        var products = mm(left, right.t());
        var distances = metric == VectorMetric.Cosine ? (1 - products).clamp_min_(0)
            : (left.square().sum(1L).unsqueeze(1) + right.square().sum(1L).unsqueeze(0) - products * 2).clamp_min_(0).sqrt_();
        return distances.MoveToOuterDisposeScope();
    }

    private static double Width(Tensor rows, VectorMetric metric, int regions)
    {
        using var scope = NewDisposeScope();
        var n = rows.shape[0];
        var some = rows.slice(0, 0, Math.Min(512, n), 1);
        var k = Math.Clamp(n / (2 * Math.Max(1, regions)), 1, n);
        var distance = Distances(some, rows, metric).topk((int)k, 1, false, true).values.slice(1, k - 1, k, 1).mean().item<float>();
        return Math.Max(distance, 1e-6);
    }
}
