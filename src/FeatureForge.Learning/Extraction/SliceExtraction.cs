// Extraction on a processor with several cores: slices of items side by side, a thread each, handed out in order. Most operations of an encoder are
// too small to be shared by threads, and what lies between them is not shared at all (measured: RESULTS.md).
using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using FeatureForge.Data;
using FeatureForge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

internal static class SliceExtraction
{
    private const int ItemsPerSlice = 256;
    // Each thread keeps a batch's activations: a machine of many cores shares out the rest within the operations.
    private const int MostThreads = 8;
    // Slices that are begun beyond those that threads are at, and blocks of a slice that wait for the ones before it.
    private const int SlicesAhead = 2;
    private const int BlocksAhead = 4;

    /// <summary>The blocks of <see cref="Encoder.Extract"/> in the same order of items, computed by as many threads as LibTorch has; an accelerator is fed by the caller's.</summary>
    /// <param name="sliceDone">Told, on the caller's thread, how many items more are done.</param>
    public static IEnumerable<SpanVectors> Run(Encoder encoder, PreparedCorpus corpus, int first, int count, IReadOnlyList<string> levels, IReadOnlyList<Grain> grains, CancellationToken stop, Action<int>? sliceDone = null)
    {
        var all = torch.get_num_threads();
        var slices = (count + ItemsPerSlice - 1) / ItemsPerSlice;
        var threads = encoder.Device.type == DeviceType.CPU ? Math.Min(Math.Min(all, MostThreads), slices) : 1;
        int Items(int slice) => Math.Min(ItemsPerSlice, count - slice * ItemsPerSlice);
        IEnumerable<SpanVectors> Extract(int slice, CancellationToken cancelled) => encoder.Extract(corpus, first + slice * ItemsPerSlice, Items(slice), levels, grains, cancelled);

        var blocks = threads > 1 ? SideBySide(slices, threads, all, Extract, stop) : Enumerable.Range(0, slices).Select(slice => Extract(slice, stop));
        var number = 0;
        foreach (var slice in blocks)
        {
            foreach (var block in slice) yield return block;
            sliceDone?.Invoke(Items(number++));
        }
    }

    /// <summary>The slices in order, each as its blocks.</summary>
    private static IEnumerable<IEnumerable<SpanVectors>> SideBySide(int slices, int threads, int all, Func<int, CancellationToken, IEnumerable<SpanVectors>> extract, CancellationToken stop)
    {
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(stop);
        using var begun = new SemaphoreSlim(threads + SlicesAhead);
        var done = Enumerable.Range(0, slices).Select(_ => new BlockingCollection<SpanVectors>(BlocksAhead)).ToArray();
        var (next, failure) = (-1, (Exception?)null);
        var workers = Enumerable.Range(0, threads).Select(number => new Thread(() =>
        {
            try
            {
                torch.set_num_threads(Math.Max(1, all / threads)); // of this thread
                while (true)
                {
                    begun.Wait(cancel.Token);
                    var slice = Interlocked.Increment(ref next);
                    if (slice >= slices) return;
                    // Threads side by side collect garbage under each other's eyes: what breaks before a block was handed out is done again, the rest by the caller.
                    var (blocks, any) = FreedScalar.Repeat(() =>
                    {
                        var first = extract(slice, cancel.Token).GetEnumerator();
                        return (first, first.MoveNext());
                    }, _ => { });
                    using (blocks)
                        for (; any; any = blocks.MoveNext()) done[slice].Add(blocks.Current, cancel.Token);
                    done[slice].CompleteAdding();
                }
            }
            catch (Exception error)
            {
                // The first one is what went wrong; the others were stopped by it.
                Interlocked.CompareExchange(ref failure, error, null);
                cancel.Cancel();
            }
        })
        { Name = $"extract-{number}", IsBackground = true }).ToList();
        try
        {
            foreach (var worker in workers) worker.Start();
            foreach (var slice in done)
            {
                yield return Taken(slice);
                begun.Release();
            }
        }
        finally
        {
            cancel.Cancel();
            foreach (var worker in workers) worker.Join();
            foreach (var slice in done) slice.Dispose();
            torch.set_num_threads(all); // new threads begin with what was set last
        }

        IEnumerable<SpanVectors> Taken(BlockingCollection<SpanVectors> slice)
        {
            while (Take(slice) is { } block) yield return block;
        }

        SpanVectors? Take(BlockingCollection<SpanVectors> slice)
        {
            try { return slice.TryTake(out var block, Timeout.Infinite, cancel.Token) ? block : null; }
            catch (OperationCanceledException) when (!stop.IsCancellationRequested)
            {
                ExceptionDispatchInfo.Throw(failure!);
                throw;
            }
        }
    }
}
