// The rows a clustering is fitted on: all of them, or a sample of what one graph can hold; the others are assigned after.
using FeatureForge.Tensors;
using TorchSharp;

namespace FeatureForge.Clustering;

/// <summary>Row numbers, ascending, and their vectors, row-major.</summary>
internal sealed record FitSample(int[] Rows, float[] Values)
{
    private const int Block = 1 << 16;
    private const int GraphBlock = 1 << 13;

    /// <summary>Vectors of another set: none of its rows is among those asked for.</summary>
    internal FitSample(int[] rows, float[] values, int count) : this(rows, values) => Count = count;

    internal int Count { get; } = Rows.Length;

    internal static FitSample Of(SetVectors vectors, int limit, int seed)
    {
        if (vectors.Rows <= limit) return new([.. Enumerable.Range(0, vectors.Rows)], vectors.Values.ToArray());
        var rows = new CounterRandom(seed).Stream(77).Sample(limit, vectors.Rows);
        return new(rows, vectors.Values.Gather(rows));
    }

    /// <summary>Blocks of the sample's own neighbours: units before those of the other rows.</summary>
    internal int GraphUnits => (Count + GraphBlock - 1) / GraphBlock;

    /// <summary>The nearest other rows of every row of the sample.</summary>
    /// <param name="units">Where its blocks may be already, or are to be left; null: nowhere.</param>
    /// <returns>Null when some blocks are other shards'.</returns>
    internal NeighbourTable? Among(SetVectors vectors, int k, string device, NeighbourUnits? units, Action<int, int> progress, CancellationToken stop)
    {
        if (units is null) return Neighbours.Among(Values, Count, vectors.Dimension, k, vectors.Metric, device, progress, stop);
        var (table, isWhole) = (new NeighbourTable(new int[Count * k], new float[Count * k], k), true);
        for (var unit = 0; unit < GraphUnits; unit++)
        {
            stop.ThrowIfCancellationRequested();
            var (first, count) = (unit * GraphBlock, Math.Min(GraphBlock, Count - unit * GraphBlock));
            if (units.Table("sample", unit, count, k, () => Neighbours.Among(Values, Count, vectors.Dimension, k, vectors.Metric, first, count, device, null, stop)) is not { } part)
            {
                isWhole = false;
                continue;
            }
            part.Index.CopyTo(table.Index, first * k);
            part.Distance.CopyTo(table.Distance, first * k);
            progress(first + count, Count);
        }
        return isWhole ? table : null;
    }

    /// <summary>Calls <paramref name="place"/> with every row outside the sample, its nearest sampled rows (as sample numbers) and their distances.</summary>
    /// <param name="units">Where the blocks' tables may be already, or are to be left; blocks of other shards are passed over. Null: nowhere.</param>
    internal void ForRest(SetVectors vectors, string device, int k, Action<int, int> progress, CancellationToken stop, Placed place, NeighbourUnits? units = null)
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
            var from = first;
            NeighbourTable Make() => Neighbours.Of(HostCopies.ToTensor(vectors.Values.Block(from, count), [count, vectors.Dimension], on), sampled, Math.Min(k, Count), vectors.Metric, stop: stop); // [B, D], [M, D]
            if ((units is null ? Make() : units.Table("rest", GraphUnits + first / Block, count, Math.Min(k, Count), Make)) is not { } table) continue;
            for (var i = 0; i < count; i++)
                if (!inSample.Contains(first + i)) place(first + i, table.Index.AsSpan(i * table.K, table.K), table.Distance.AsSpan(i * table.K, table.K));
            progress(first + count, vectors.Rows);
        }
    }

    internal delegate void Placed(int row, ReadOnlySpan<int> nearest, ReadOnlySpan<float> distances);
}
