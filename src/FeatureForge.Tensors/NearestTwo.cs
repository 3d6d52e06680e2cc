// The best and second-best target of rows, panel by panel, while the scores of a tile are in the first-level cache.
// Ties go to the smaller target number.
using System.Runtime.Intrinsics;

namespace FeatureForge.Tensors;

/// <summary>Finds best and second-best targets for one panel of rows at a time. One instance per thread.</summary>
internal sealed unsafe class NearestTwo : IDisposable
{
    private const int PartRows = 1024;

    private readonly AlignedFloats _panel;
    private readonly AlignedFloats _tile = new(ScoreKernel.Group * ScoreKernel.Lanes);
    private readonly int _dimension;

    internal NearestTwo(int dimension)
    {
        _dimension = dimension;
        _panel = new((long)dimension * ScoreKernel.Lanes);
    }

    /// <summary>Score x.c + offset of the best target per lane, and its number; the same for the second best (-1: there is none).</summary>
    internal float[] Best { get; } = new float[ScoreKernel.Lanes];
    internal float[] Second { get; } = new float[ScoreKernel.Lanes];
    internal int[] Index { get; } = new int[ScoreKernel.Lanes];
    internal int[] SecondIndex { get; } = new int[ScoreKernel.Lanes];

    /// <summary>For every row of <paramref name="values"/> the nearest two of <paramref name="targets"/>; squared Euclidean distances.</summary>
    internal static (int[] Index, float[] Squared, int[] SecondIndex, float[] SecondSquared) Among(float[] values, int rows, int dimension, float[] targets, int count, VectorMetric metric)
    {
        using var packed = new PackedTargets(targets, count, dimension, metric == VectorMetric.Cosine ? [] : PackedTargets.HalfSquares(targets, count, dimension));
        return Among(values, rows, dimension, packed, metric);
    }

    /// <summary>The same for targets with offsets of the caller's own, which the squared distances then contain.</summary>
    internal static (int[] Index, float[] Squared, int[] SecondIndex, float[] SecondSquared) Among(float[] values, int rows, int dimension, PackedTargets packed, VectorMetric metric)
    {
        var (index, squared, secondIndex, secondSquared) = (new int[rows], new float[rows], new int[rows], new float[rows]);
        var pin = System.Runtime.InteropServices.GCHandle.Alloc(values, System.Runtime.InteropServices.GCHandleType.Pinned);
        var from = pin.AddrOfPinnedObject();
        try
        {
            Parallel.For(0, (rows + PartRows - 1) / PartRows, () => new NearestTwo(dimension), (part, _, search) =>
            {
                Span<int> numbers = stackalloc int[ScoreKernel.Lanes];
                for (var first = part * PartRows; first < Math.Min(rows, (part + 1) * PartRows); first += numbers.Length)
                {
                    var some = numbers[..Math.Min(numbers.Length, rows - first)];
                    for (var lane = 0; lane < some.Length; lane++) some[lane] = first + lane;
                    search.Search((float*)from, some, packed);
                    for (var lane = 0; lane < some.Length; lane++)
                    {
                        var square = RowProducts.SumOfSquares(values.AsSpan((first + lane) * dimension, dimension));
                        if (metric == VectorMetric.Cosine) square += 1;
                        (index[first + lane], secondIndex[first + lane]) = (search.Index[lane], search.SecondIndex[lane]);
                        squared[first + lane] = Math.Max(0, square - 2 * search.Best[lane]);
                        secondSquared[first + lane] = search.SecondIndex[lane] < 0 ? float.PositiveInfinity : Math.Max(0, square - 2 * search.Second[lane]);
                    }
                }
                return search;
            }, search => search.Dispose());
        }
        finally
        {
            pin.Free();
        }
        return (index, squared, secondIndex, secondSquared);
    }

    /// <summary>Searches for rows <paramref name="numbers"/> (at most Lanes) of <paramref name="rows"/> [N, D].</summary>
    internal void Search(float* rows, ReadOnlySpan<int> numbers, PackedTargets targets)
    {
        Pack(rows, numbers);
        Best.AsSpan().Fill(float.NegativeInfinity);
        Second.AsSpan().Fill(float.NegativeInfinity);
        Index.AsSpan().Fill(-1);
        SecondIndex.AsSpan().Fill(-1);
        fixed (float* offsets = targets.Offsets, best = Best, second = Second)
        fixed (int* index = Index, secondIndex = SecondIndex)
            for (var group = 0; group < targets.Groups; group++)
            {
                ScoreKernel.Multiply(_panel.Pointer, targets[group], _dimension, _tile.Pointer);
                Take(_tile.Pointer, offsets + group * ScoreKernel.Group, group * ScoreKernel.Group, best, second, index, secondIndex);
            }
    }

    private void Pack(float* rows, ReadOnlySpan<int> numbers)
    {
        var lanes = ScoreKernel.Lanes;
        if (numbers.Length < lanes) new Span<float>(_panel.Pointer, _dimension * lanes).Clear();
        for (var lane = 0; lane < numbers.Length; lane++)
        {
            var from = rows + (long)numbers[lane] * _dimension;
            var to = _panel.Pointer + lane;
            for (var d = 0; d < _dimension; d++, to += lanes) *to = from[d];
        }
    }

    private static void Take(float* tile, float* offsets, int first, float* best, float* second, int* index, int* secondIndex)
    {
        for (var lane = 0; lane < ScoreKernel.Lanes; lane += Vector256<float>.Count)
        {
            var (most, next) = (Vector256.Load(best + lane), Vector256.Load(second + lane));
            var (of, ofNext) = (Vector256.Load(index + lane), Vector256.Load(secondIndex + lane));
            for (var target = 0; target < ScoreKernel.Group; target++)
            {
                var score = Vector256.Load(tile + target * ScoreKernel.Lanes + lane) + Vector256.Create(offsets[target]);
                var number = Vector256.Create(first + target);
                var better = Vector256.GreaterThan(score, most);
                var middle = Vector256.GreaterThan(score, next);
                next = Vector256.ConditionalSelect(better, most, Vector256.ConditionalSelect(middle, score, next));
                ofNext = Vector256.ConditionalSelect(better.AsInt32(), of, Vector256.ConditionalSelect(middle.AsInt32(), number, ofNext));
                most = Vector256.ConditionalSelect(better, score, most);
                of = Vector256.ConditionalSelect(better.AsInt32(), number, of);
            }
            most.Store(best + lane);
            next.Store(second + lane);
            of.Store(index + lane);
            ofNext.Store(secondIndex + lane);
        }
    }

    public void Dispose()
    {
        _panel.Dispose();
        _tile.Dispose();
    }
}
