// Targets of products (centroids, or a block of rows) in groups, each with an offset that is added to its products:
// x.c - |c|^2/2 orders the targets of one row by Euclidean distance, x.c by cosine.
namespace FeatureForge.Tensors;

/// <summary>K packed targets of one dimension.</summary>
internal sealed unsafe class PackedTargets : IDisposable
{
    private readonly AlignedFloats _groups;

    /// <param name="values">[count, dimension], row-major.</param>
    /// <param name="offsets">[count], or empty for none.</param>
    internal PackedTargets(ReadOnlySpan<float> values, int count, int dimension, ReadOnlySpan<float> offsets)
    {
        (Count, Dimension) = (count, dimension);
        Groups = (count + ScoreKernel.Group - 1) / ScoreKernel.Group;
        _groups = new((long)Groups * ScoreKernel.Group * dimension);
        Offsets = new float[Groups * ScoreKernel.Group];
        Array.Fill(Offsets, float.NegativeInfinity); // what pads the last group never wins
        if (offsets.IsEmpty) Offsets.AsSpan(0, count).Clear();
        else offsets.CopyTo(Offsets);
        fixed (float* from = values)
            for (var group = 0; group < Groups; group++)
                ScoreKernel.PackGroup(from + (long)group * ScoreKernel.Group * dimension, Math.Min(ScoreKernel.Group, count - group * ScoreKernel.Group), dimension, this[group]);
    }

    internal int Count { get; }
    internal int Dimension { get; }
    internal int Groups { get; }
    /// <summary>Per target; minus infinity in the places beyond <see cref="Count"/>.</summary>
    internal float[] Offsets { get; }

    internal float* this[int group] => _groups.Pointer + (long)group * ScoreKernel.Group * Dimension;

    /// <summary>Minus half the squared length of every row: the offsets of the Euclidean metric.</summary>
    internal static float[] HalfSquares(ReadOnlySpan<float> values, int count, int dimension)
    {
        var halves = new float[count];
        for (var i = 0; i < count; i++) halves[i] = -0.5f * RowProducts.SumOfSquares(values.Slice(i * dimension, dimension));
        return halves;
    }

    public void Dispose() => _groups.Dispose();
}
