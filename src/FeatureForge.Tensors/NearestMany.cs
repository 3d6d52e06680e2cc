// The k best targets of a part of the queries. A tile of scores is compared with the k-th best of its lanes while it is in the
// first-level cache; only tiles that hold something better are looked into (a threshold instead of a sort per block).
using System.Numerics;
using System.Runtime.Intrinsics;

namespace FeatureForge.Tensors;

/// <summary>Queries with their best targets so far; ties go to the smaller target number when targets come in ascending order.</summary>
internal sealed unsafe class NearestMany : IDisposable
{
    // Targets that stay in the second-level cache while the panels pass over them.
    private const long CachedFloats = 1 << 16;

    private readonly AlignedFloats _panels;
    private readonly AlignedFloats _tile = new(ScoreKernel.Group * ScoreKernel.Lanes);
    private readonly float[] _threshold;
    private readonly int _dimension;

    /// <param name="rows">The part's queries [count, dimension].</param>
    internal NearestMany(float* rows, int count, int dimension, int k)
    {
        (Count, K, _dimension) = (count, k, dimension);
        Panels = (count + ScoreKernel.Lanes - 1) / ScoreKernel.Lanes;
        _panels = new((long)Panels * ScoreKernel.Lanes * dimension);
        for (var panel = 0; panel < Panels; panel++)
            ScoreKernel.PackPanel(rows + (long)panel * ScoreKernel.Lanes * dimension, Math.Min(ScoreKernel.Lanes, count - panel * ScoreKernel.Lanes), dimension, Panel(panel));
        _threshold = new float[Panels * ScoreKernel.Lanes];
        _threshold.AsSpan(count).Fill(float.PositiveInfinity); // lanes without a query take nothing
        _threshold.AsSpan(0, count).Fill(float.NegativeInfinity);
        Scores = new float[count * k];
        Numbers = new int[count * k];
        Scores.AsSpan().Fill(float.NegativeInfinity);
        Numbers.AsSpan().Fill(-1);
    }

    internal int Count { get; }
    internal int K { get; }
    /// <summary>[Count, K] scores, best first, and target numbers; -1 where there are fewer targets.</summary>
    internal float[] Scores { get; }
    internal int[] Numbers { get; }
    private int Panels { get; }

    private float* Panel(int panel) => _panels.Pointer + (long)panel * ScoreKernel.Lanes * _dimension;

    /// <summary>Groups of queries and of all targets: a query finds nothing of its own group. Null: it finds everything.</summary>
    internal (int[] OfQueries, int[] OfTargets)? Groups { get; init; }

    /// <param name="first">The number of the first target.</param>
    /// <param name="self">The number that query 0 has among the targets and must not find; null when queries are not among them.</param>
    internal void Search(PackedTargets targets, int first, int? self)
    {
        var atOnce = (int)Math.Max(1, CachedFloats / ((long)ScoreKernel.Group * _dimension));
        fixed (float* offsets = targets.Offsets, threshold = _threshold)
            for (var from = 0; from < targets.Groups; from += atOnce)
                for (var panel = 0; panel < Panels; panel++)
                    for (var group = from; group < Math.Min(targets.Groups, from + atOnce); group++)
                    {
                        ScoreKernel.Multiply(Panel(panel), targets[group], _dimension, _tile.Pointer);
                        var place = panel * ScoreKernel.Lanes;
                        for (var lane = 0; lane < ScoreKernel.Lanes; lane += Vector256<float>.Count)
                            if (AddOffsets(_tile.Pointer + lane, offsets + group * ScoreKernel.Group, threshold + place + lane))
                                Take(_tile.Pointer + lane, place + lane, first + group * ScoreKernel.Group, self);
                    }
    }

    // Scores become products plus offsets; true when one exceeds its lane's threshold.
    private static bool AddOffsets(float* tile, float* offsets, float* threshold)
    {
        var most = Vector256.Create(float.NegativeInfinity);
        for (var target = 0; target < ScoreKernel.Group; target++)
        {
            var score = Vector256.Load(tile + target * ScoreKernel.Lanes) + Vector256.Create(offsets[target]);
            score.Store(tile + target * ScoreKernel.Lanes);
            most = Vector256.Max(most, score);
        }
        return Vector256.GreaterThanAny(most, Vector256.Load(threshold));
    }

    private void Take(float* tile, int place, int first, int? self)
    {
        for (var target = 0; target < ScoreKernel.Group; target++)
        {
            var scores = Vector256.Load(tile + target * ScoreKernel.Lanes);
            var better = Vector256.GreaterThan(scores, Vector256.LoadUnsafe(ref _threshold[place])).ExtractMostSignificantBits();
            for (; better != 0; better &= better - 1)
            {
                var lane = BitOperations.TrailingZeroCount(better);
                if (Groups is { } groups && groups.OfQueries[place + lane] == groups.OfTargets[first + target]) continue;
                if (self + place + lane != first + target) Insert(place + lane, scores[lane], first + target);
            }
        }
    }

    private void Insert(int query, float score, int number)
    {
        var at = query * K + K - 1;
        for (; at > query * K && Scores[at - 1] < score; at--) (Scores[at], Numbers[at]) = (Scores[at - 1], Numbers[at - 1]);
        (Scores[at], Numbers[at]) = (score, number);
        _threshold[query] = Scores[query * K + K - 1];
    }

    public void Dispose()
    {
        _panels.Dispose();
        _tile.Dispose();
    }
}
