// A corpus that is held on the device gives the views that reading it batch by batch gives, and is held only where there is room.
using FeatureForge.Data;
using FeatureForge.Tensors;
using FeatureForge.TestKit;
using static TorchSharp.torch;

namespace FeatureForge.Learning.Tests;

public sealed class HeldCorpusTests
{
    [Theory]
    [InlineData(Modality.Image)]
    [InlineData(Modality.Audio)]
    public async Task Views_of_a_held_corpus_are_those_of_a_corpus_that_is_read(Modality modality)
    {
        using var store = new TemporaryStore();
        await SmallCorpora.WriteAsync(store, "corpus", modality, [20, 12]);
        using var corpus = PreparedCorpus.Open(store.Store, "corpus", SmallCorpora.Preparation(modality));
        using var scope = NewDisposeScope();
        using var encoder = EncoderFile.Fresh(Recipe.DefaultFor(modality), corpus, 0, CPU, default);
        encoder.PrepareTraining(corpus, store.Store.Root, default);
        int[] items = [31, 5, 0, 19, 20]; // across parts; recording 5 is longer than a view
        List<Tensor> Draw() => [.. Enumerable.Range(0, 3).Select(step => encoder.Views(encoder.Gather(corpus, items, new StepRandom(1, step, DrawPurpose.Gather)), new StepRandom(1, step, DrawPurpose.Views))[0])];
        var read = Draw();

        encoder.Hold(corpus, default);

        Assert.IsType<long[]>(encoder.Gather(corpus, items, new StepRandom(1, 0, DrawPurpose.Gather)).Values);
        Assert.All(read.Zip(Draw()), pair => Assert.True(pair.First.equal(pair.Second).all().item<bool>()));
        Assert.False(read[0].equal(read[1]).all().item<bool>());
    }

    [Fact]
    public void A_corpus_is_held_only_where_free_memory_is_known_and_larger_by_far()
    {
        Assert.True(HeldCorpus.Fits(bytes: 1_000, freeBytes: 10_000));
        Assert.False(HeldCorpus.Fits(bytes: 5_000, freeBytes: 10_000));
        Assert.False(HeldCorpus.Fits(bytes: null, freeBytes: 10_000));
        Assert.False(HeldCorpus.Fits(bytes: 1_000, DeviceMemory.FreeBytes(CPU)));
    }
}
