// The rows a clustering is fitted on: all of them, or a sample of what one graph can hold; the others are assigned after.
using FeatureForge.Tensors;
using TorchSharp;

namespace FeatureForge.Clustering;

/// <summary>Row numbers, ascending, and their vectors, row-major.</summary>
internal sealed record FitSample(int[] Rows, float[] Values)
{
    private const int Block = 1 << 16;

    /// <summary>Vectors of another set: none of its rows is among those asked for.</summary>
    internal FitSample(int[] rows, float[] values, int count) : this(rows, values) => Count = count;

    internal int Count { get; } = Rows.Length;

    internal static FitSample Of(SetVectors vectors, int limit, int seed)
    {
        if (vectors.Rows <= limit) return new([.. Enumerable.Range(0, vectors.Rows)], vectors.Values);
        var rows = new CounterRandom(seed).Stream(77).Sample(limit, vectors.Rows);
        var values = new float[limit * (long)vectors.Dimension];
        for (var i = 0; i < limit; i++) vectors[rows[i]].CopyTo(values.AsSpan(i * vectors.Dimension));
        return new(rows, values);
    }

    /// <summary>Calls <paramref name="place"/> with every row outside the sample, its nearest sampled rows (as sample numbers) and their distances.</summary>
    internal void ForRest(SetVectors vectors, string device, int k, Action<int, int> progress, CancellationToken stop, Placed place)
    {
        using var scope = torch.NewDisposeScope();
        var on = DeviceChoice.Select(device);
        var sampled = HostCopies.ToTensor(Values, [Count, vectors.Dimension], on); // [M, D]
        var inSample = new HashSet<int>(Rows);
        for (var first = 0; first < vectors.Rows; first += Block)
        {
            stop.ThrowIfCancellationRequested();
            using var step = torch.NewDisposeScope();
            var count = Math.Min(Block, vectors.Rows - first);
            var some = HostCopies.ToTensor(vectors.Values.AsSpan(first * vectors.Dimension, count * vectors.Dimension), [count, vectors.Dimension], on); // [B, D]
            var table = Neighbours.Of(some, sampled, Math.Min(k, Count), vectors.Metric, stop: stop);
            for (var i = 0; i < count; i++)
                if (!inSample.Contains(first + i)) place(first + i, table.Index.AsSpan(i * table.K, table.K), table.Distance.AsSpan(i * table.K, table.K));
            progress(first + count, vectors.Rows);
        }
    }

    internal delegate void Placed(int row, ReadOnlySpan<int> nearest, ReadOnlySpan<float> distances);
}
