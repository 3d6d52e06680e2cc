// The process that embeds for a server: several encoders loaded within a limit of memory, items decoded on all cores, and one thread that
// embeds whatever has come in meanwhile as one batch. While it is busy more comes in, so that batches grow with the load and nobody waits for one to fill.
using System.Collections.Concurrent;
using System.Threading.Channels;
using FeatureForge.Data;
using FeatureForge.Ingest;
using FeatureForge.Learning;

namespace FeatureForge.Jobs;

/// <summary>`featureforge infer`: answers requests from standard input on standard output until that ends.</summary>
public static class InferenceProgram
{
    /// <param name="mostItems">Items in one batch.</param>
    /// <param name="memory">Bytes of weights that are kept loaded; the encoder used longest ago goes first.</param>
    public static async Task<int> RunAsync(Store store, Stream input, Stream output, int mostItems, long memory, string device)
    {
        var scratch = Directory.CreateTempSubdirectory("featureforge-infer-");
        using var ready = new BlockingCollection<Ready>();
        var embedding = Task.Factory.StartNew(() => new Embedder(store, mostItems, memory, device).Run(ready), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        var replies = Channel.CreateUnbounded<byte[]>(new() { SingleReader = true });
        var writing = WriteAsync(output, replies.Reader);
        using var cores = new SemaphoreSlim(Math.Max(2, Environment.ProcessorCount));
        var known = new ConcurrentDictionary<string, EncoderManifest>(StringComparer.Ordinal);
        var decoding = new ConcurrentDictionary<long, Task>();
        try
        {
            while (await InferenceFrames.NextAsync(input, default) is { } frame)
            {
                var request = InferenceFrames.ReadRequest(frame);
                decoding[request.Id] = Task.Run(async () =>
                {
                    await cores.WaitAsync();
                    try { Decode(store, known, request, scratch.FullName, ready, reply => replies.Writer.TryWrite(InferenceFrames.Write(reply))); }
                    finally
                    {
                        cores.Release();
                        decoding.TryRemove(request.Id, out _);
                    }
                });
            }
            await Task.WhenAll(decoding.Values);
            ready.CompleteAdding();
            await embedding;
            replies.Writer.Complete();
            await writing;
            return 0;
        }
        finally { scratch.Delete(recursive: true); }
    }

    private static async Task WriteAsync(Stream output, ChannelReader<byte[]> replies)
    {
        await foreach (var reply in replies.ReadAllAsync())
        {
            await output.WriteAsync(reply);
            if (!replies.TryPeek(out _)) await output.FlushAsync();
        }
    }

    private static void Decode(Store store, ConcurrentDictionary<string, EncoderManifest> known, InferenceRequest request, string scratch, BlockingCollection<Ready> ready, Action<InferenceReply> answer)
    {
        var items = new List<LiveItem>(request.Inputs.Count);
        try
        {
            if (request.Levels is [InferenceFrames.UnloadLevel])
            {
                ready.Add(new(request, null!, [], answer));
                return;
            }
            if (!known.TryGetValue(request.EncoderId, out var manifest))
            {
                manifest = store.Encoder(request.Encoder);
                if (manifest.EncoderId != request.EncoderId) throw new BadRequestException($"Encoder '{request.Encoder}' is now version {manifest.EncoderId}, no longer {request.EncoderId}.");
                known[request.EncoderId] = manifest;
            }
            var preparation = manifest.Preparation;
            foreach (var input in request.Inputs)
                items.Add(input.Kind switch
                {
                    InferenceInputKind.Text => LiveItem.OfText(System.Text.Encoding.UTF8.GetString(input.Bytes), preparation, default),
                    InferenceInputKind.Pixels => LiveItem.OfPixels(input.Bytes, input.Shape[1], input.Shape[0], input.Shape[2], preparation, default),
                    InferenceInputKind.Samples => LiveItem.OfSamples(System.Runtime.InteropServices.MemoryMarshal.Cast<byte, short>(input.Bytes), input.Shape[0], preparation, scratch, default),
                    _ => LiveItem.OfFile(input.Bytes, preparation.Modality == Modality.Text ? "text.txt" : "content", preparation, scratch, default),
                });
            ready.Add(new(request, manifest, items, answer));
        }
        catch (Exception error)
        {
            foreach (var item in items) item.Dispose();
            answer(error is BadRequestException bad ? new(request.Id, [.. bad.Problems.Select(problem => request.Inputs.Count > 1 ? $"Item {items.Count}: {problem}" : problem)], null, []) : new(request.Id, [], error.Message, []));
        }
    }

    private sealed record Ready(InferenceRequest Request, EncoderManifest Manifest, IReadOnlyList<LiveItem> Items, Action<InferenceReply> Answer);

    /// <summary>The one thread that runs LibTorch.</summary>
    private sealed class Embedder(Store store, int mostItems, long memory, string device)
    {
        private readonly LinkedList<LoadedEncoder> _loaded = new();
        private readonly List<Ready> _waiting = [];

        internal void Run(BlockingCollection<Ready> incoming)
        {
            while (_waiting.Count > 0 || incoming.TryTake(out _next, Timeout.Infinite))
            {
                if (_next is { } next) _waiting.Add(next);
                _next = null;
                while (incoming.TryTake(out var more)) _waiting.Add(more);
                var batch = TakeBatch();
                try
                {
                    if (batch[0].Request.Levels is [InferenceFrames.UnloadLevel]) Unload(batch[0]);
                    else Embed(batch);
                }
                catch (Exception error)
                {
                    foreach (var one in batch) one.Answer(new(one.Request.Id, [], error.Message, []));
                }
                finally
                {
                    foreach (var item in batch.SelectMany(one => one.Items)) item.Dispose();
                }
            }
            foreach (var encoder in _loaded) encoder.Dispose();
        }

        private Ready? _next;

        // The oldest request, and those for the same encoder and levels that fit into the batch.
        private List<Ready> TakeBatch()
        {
            var first = _waiting[0];
            var batch = new List<Ready>();
            var items = 0;
            _waiting.RemoveAll(one =>
            {
                if (one != first && (items + one.Items.Count > mostItems || one.Request.EncoderId != first.Request.EncoderId || !one.Request.Levels.SequenceEqual(first.Request.Levels))) return false;
                items += one.Items.Count;
                batch.Add(one);
                return true;
            });
            return batch;
        }

        private void Embed(List<Ready> batch)
        {
            var encoder = Loaded(batch[0].Manifest);
            using var part = new MemoryStream();
            using (var writer = new PreparedPartWriter(part, encoder.Manifest.Preparation))
            {
                foreach (var item in batch.SelectMany(one => one.Items)) item.AddTo(writer);
                writer.Complete();
            }
            using var items = PreparedCorpus.InMemory(encoder.Manifest.Preparation, part.GetBuffer().AsMemory(0, (int)part.Length));
            var vectors = encoder.Embed(items, batch[0].Request.Levels, default);
            var first = 0;
            foreach (var one in batch)
            {
                one.Answer(new(one.Request.Id, [], null, [.. vectors.Select(level => level with { Values = level.Values.AsSpan(first * level.Dimension, one.Items.Count * level.Dimension).ToArray() })]));
                first += one.Items.Count;
            }
        }

        private LoadedEncoder Loaded(EncoderManifest manifest)
        {
            for (var node = _loaded.First; node is not null; node = node.Next)
                if (node.Value.Manifest.EncoderId == manifest.EncoderId)
                {
                    _loaded.Remove(node);
                    _loaded.AddFirst(node);
                    return node.Value;
                }
            while (_loaded.Count > 0 && _loaded.Sum(one => one.Manifest.Weights.Bytes) + manifest.Weights.Bytes > memory) Drop(_loaded.Last!);
            return _loaded.AddFirst(LoadedEncoder.Load(store, manifest, device)).Value;
        }

        private void Unload(Ready asked)
        {
            foreach (var node in _loaded.Where(one => one.Manifest.Name == asked.Request.Encoder).Select(one => _loaded.Find(one)!).ToList()) Drop(node);
            asked.Answer(new(asked.Request.Id, [], null, []));
        }

        private void Drop(LinkedListNode<LoadedEncoder> node)
        {
            node.Value.Dispose();
            _loaded.Remove(node);
        }
    }
}
