// Slices computed side by side: the blocks of one thread, its errors, its cancellation.
using FeatureForge.Data;
using FeatureForge.TestKit;
using TorchSharp;

namespace FeatureForge.Learning.Tests;

public sealed class SliceExtractionTests : IDisposable
{
    private const int Items = 700; // three slices
    private const int Threads = 2;
    private readonly TemporaryStore _store = new();

    public void Dispose() => _store.Dispose();

    private async Task<(Encoder Encoder, PreparedCorpus Corpus)> TrainAsync(Modality modality)
    {
        await SmallCorpora.WriteVariedAsync(_store, "small", modality, Items);
        await TrainRun.ExecuteAsync(new() { Corpus = "small", Encoder = "e", Steps = 2, Device = "cpu" }, _store.Context(), default);
        var manifest = _store.Store.Encoder("e");
        var encoder = EncoderFile.Load(_store.Store, manifest, torch.CPU);
        encoder.eval();
        return (encoder, PreparedCorpus.Open(_store.Store, "small", manifest.Preparation));
    }

    [Theory]
    [InlineData(Modality.Image)]
    [InlineData(Modality.Text)]
    public async Task Slices_side_by_side_give_the_rows_of_one_thread_in_order(Modality modality)
    {
        var (encoder, corpus) = await TrainAsync(modality);
        using var both = new Pair(encoder, corpus);
        var threads = torch.get_num_threads();
        Assert.Equal(Threads, threads);
        var (told, levels, grains) = (new List<int>(), encoder.Levels.Select(level => level.Name).ToList(), new[] { Grain.Item, Grain.Segment });

        var found = SliceExtraction.Run(encoder, corpus, 50, Items - 50, levels, grains, default, told.Add).ToList();
        var expected = encoder.Extract(corpus, 50, Items - 50, levels, grains, default).ToList();

        Assert.Equal(threads, torch.get_num_threads());
        Assert.Equal([256, 256, Items - 50 - 512], told);
        foreach (var level in levels)
            foreach (var grain in grains)
            {
                var (mine, theirs) = (Rows(found, level, grain), Rows(expected, level, grain));
                Assert.Equal(theirs.Select(row => (row.Id, row.Index, row.Span)), mine.Select(row => (row.Id, row.Index, row.Span)));
                Assert.All(mine.Zip(theirs), pair => Assert.All(pair.First.Vector.Zip(pair.Second.Vector), value => Assert.Equal(value.Second, value.First, 1e-4f * Math.Max(1, Math.Abs(value.Second)))));
            }
    }

    [Fact]
    public async Task An_error_in_a_slice_is_the_callers_and_a_stop_ends_all()
    {
        var (encoder, corpus) = await TrainAsync(Modality.Image);
        using var both = new Pair(encoder, corpus);
        using var stop = new CancellationTokenSource();

        Assert.Throws<ArgumentException>(() => SliceExtraction.Run(encoder, corpus, 0, Items, ["no such level"], [Grain.Item], default).ToList());
        Assert.ThrowsAny<OperationCanceledException>(() =>
        {
            foreach (var _ in SliceExtraction.Run(encoder, corpus, 0, Items, [Level.High], [Grain.Item], stop.Token)) stop.Cancel();
        });
        // Whoever stops reading leaves no thread behind: the corpus can be closed.
        Assert.NotNull(SliceExtraction.Run(encoder, corpus, 0, Items, [Level.High], [Grain.Item], default).First());
    }

    private static List<(string Id, int Index, ItemSpan Span, float[] Vector)> Rows(IEnumerable<SpanVectors> blocks, string level, Grain grain) =>
        [.. blocks.Where(block => block.Level == level && block.Grain == grain).SelectMany(found => Enumerable.Range(0, found.Block.Rows)
            .Select(row => (found.Block.ItemIds[row], found.Block.SpanIndex[row], found.Block.Spans[row], found.Block.Vectors[(row * found.Block.Dimension)..((row + 1) * found.Block.Dimension)])))];

    /// <summary>What is disposed with a test; until then LibTorch has the threads that the test wants.</summary>
    private sealed class Pair : IDisposable
    {
        private readonly int _threadsBefore = torch.get_num_threads();
        private readonly Encoder _encoder;
        private readonly PreparedCorpus _corpus;

        public Pair(Encoder encoder, PreparedCorpus corpus)
        {
            (_encoder, _corpus) = (encoder, corpus);
            torch.set_num_threads(Threads);
        }

        public void Dispose()
        {
            torch.set_num_threads(_threadsBefore);
            _encoder.Dispose();
            _corpus.Dispose();
        }
    }
}
