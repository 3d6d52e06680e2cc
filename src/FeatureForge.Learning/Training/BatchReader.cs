// Reads the batches of coming steps on its own thread, a few ahead, so that the trainer seldom waits.
using System.Collections.Concurrent;
using FeatureForge.Data;

namespace FeatureForge.Learning;

/// <summary>The batches of steps first, first + 1, …; which items a step sees depends on the seed and the step alone.</summary>
internal sealed class BatchReader : IDisposable
{
    private const int Ahead = 2;

    private readonly BlockingCollection<HostBatch> _ready = new(Ahead);
    private readonly CancellationTokenSource _stop = new();
    private readonly Thread _thread;
    private volatile Exception? _failure;

    public BatchReader(PreparedCorpus corpus, Encoder encoder, int batchSize, int seed, long firstStep, long lastStep)
    {
        _thread = new Thread(() => Read(corpus, encoder, batchSize, seed, firstStep, lastStep)) { Name = "batches", IsBackground = true };
        _thread.Start();
    }

    /// <summary>The next step's batch; waits when it is not ready.</summary>
    public HostBatch Next(CancellationToken stop)
    {
        try { return _ready.Take(stop); }
        catch (InvalidOperationException) when (_failure is { } failure) { throw new InvalidOperationException($"Reading training batches failed: {failure.Message}", failure); }
    }

    /// <summary>The items of a step: the corpus in a new random order every epoch, what does not fill a batch left out.</summary>
    public static ReadOnlySpan<int> Items(int count, int batchSize, int seed, long step, ref (long Epoch, int[] Order) order)
    {
        var stepsPerEpoch = count / batchSize;
        var epoch = step / stepsPerEpoch;
        if (order.Order is null || order.Epoch != epoch) order = (epoch, new StepRandom(seed, epoch, DrawPurpose.Order).Permutation(count));
        return order.Order.AsSpan((int)(step % stepsPerEpoch) * batchSize, batchSize);
    }

    private void Read(PreparedCorpus corpus, Encoder encoder, int batchSize, int seed, long firstStep, long lastStep)
    {
        try
        {
            var order = default((long, int[]));
            for (var step = firstStep; step <= lastStep; step++)
                _ready.Add(encoder.Gather(corpus, Items(corpus.Count, batchSize, seed, step, ref order), new StepRandom(seed, step, DrawPurpose.Gather)), _stop.Token);
        }
        catch (OperationCanceledException) { }
        catch (Exception error) { _failure = error; }
        finally { _ready.CompleteAdding(); }
    }

    public void Dispose()
    {
        _stop.Cancel();
        _thread.Join();
        _ready.Dispose();
        _stop.Dispose();
    }
}
