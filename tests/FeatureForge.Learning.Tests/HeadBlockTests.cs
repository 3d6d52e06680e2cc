// Blocks after pooling: they belong to the encoder, levels read them, objectives see the last of them.
using FeatureForge.Data;
using FeatureForge.TestKit;
using static TorchSharp.torch;

namespace FeatureForge.Learning.Tests;

public sealed class HeadBlockTests : IDisposable
{
    private readonly TemporaryStore _store = new();

    public void Dispose() => _store.Dispose();

    private static Recipe WithHead()
    {
        var recipe = Recipe.DefaultFor(Modality.Audio);
        return recipe with { Encoder = recipe.Encoder with { Head = [24, 8], High = [7, 9], Whitened = [] } };
    }

    private async Task<PreparedCorpus> CorpusAsync()
    {
        await SmallCorpora.WriteAsync(_store, "small", Modality.Audio, 12);
        return PreparedCorpus.Open(_store.Store, "small", SmallCorpora.Preparation(Modality.Audio));
    }

    private static List<float[]> Vectors(Encoder encoder, PreparedCorpus corpus, int item, Grain grain) =>
        [.. encoder.Extract(corpus, item, 1, [Level.High], [grain], default).SelectMany(block => block.Block.Vectors.Chunk(block.Block.Dimension))];

    [Fact]
    public async Task Objectives_see_the_last_block_and_levels_read_it_beside_the_grid()
    {
        using var corpus = await CorpusAsync();
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var encoder = EncoderFile.Fresh(WithHead(), corpus, 0, CPU, default);
        encoder.eval();
        var views = randn(3, 1, 32, 50);

        var (pooled, high) = (encoder.Encode(views).Pooled, encoder.Describe(views, [Level.High])[Level.High]);

        Assert.Equal([3, 8], pooled.shape);
        Assert.Equal(8, encoder.Shape.Width);
        Assert.Equal([3, 2 * 128 + 8], high.shape);
        Assert.True((high.narrow(1, 128, 8) - pooled).abs().max().item<float>() < 1e-5f);
        Assert.Equal(2 * 128 + 8, encoder.Levels[^1].Dimension);
    }

    [Fact]
    public async Task A_recordings_vector_holds_the_mean_of_what_the_head_makes_of_its_windows()
    {
        using var corpus = await CorpusAsync();
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var encoder = EncoderFile.Fresh(WithHead(), corpus, 0, CPU, default);
        encoder.eval();
        var longest = Enumerable.Range(0, corpus.Count).MaxBy(item => corpus.Samples(item).Length);

        var (item, windows) = (Vectors(encoder, corpus, longest, Grain.Item).Single(), Vectors(encoder, corpus, longest, Grain.Segment));

        Assert.True(windows.Count > 2);
        for (var c = 128; c < 136; c++) Assert.Equal(windows.Average(window => window[c]), item[c], 1e-4f);
        Assert.Contains(windows, window => Math.Abs(window[130] - item[130]) > 1e-4f || Math.Abs(window[131] - item[131]) > 1e-4f);
    }
}
