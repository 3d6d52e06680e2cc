// The text encoder: where its word vectors start, what its views become, and the file that training reads.
using FeatureForge.Data;
using FeatureForge.TestKit;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning.Tests;

public sealed class TextEncoderTests : IDisposable
{
    private readonly TemporaryStore _store = new();

    public void Dispose() => _store.Dispose();

    private async Task<PreparedCorpus> CorpusAsync()
    {
        await SmallCorpora.WriteAsync(_store, "small", Modality.Text, 40);
        return PreparedCorpus.Open(_store.Store, "small", SmallCorpora.Preparation(Modality.Text));
    }

    [Fact]
    public async Task Word_vectors_start_as_the_latent_semantics_of_the_corpus()
    {
        using var corpus = await CorpusAsync();
        using var scope = NewDisposeScope();
        using var encoder = EncoderFile.Fresh(Recipe.DefaultFor(Modality.Text), corpus, seed: 1, CPU, default);

        var (words, projection) = (encoder.State()["network.words.weight"], encoder.State()["projection"]);

        var factor = (words * projection).sum() / projection.pow(2).sum();
        Assert.True(factor.item<float>() > 0);
        Assert.True((words - projection * factor).abs().max().item<float>() < 1e-5f);
    }

    [Fact]
    public async Task Training_and_extraction_see_the_same_vector_in_the_same_tokens()
    {
        using var corpus = await CorpusAsync();
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var encoder = EncoderFile.Fresh(Recipe.DefaultFor(Modality.Text), corpus, seed: 1, CPU, default);
        encoder.PrepareTraining(corpus, _store.Beside("staging"), default);
        var views = encoder.Views(encoder.Gather(corpus, [0, 1, 5], new StepRandom(0, 0, DrawPurpose.Gather)), new StepRandom(0, 0, DrawPurpose.Views))[0];

        var width = encoder.Recipe.Encoder.Width;
        var difference = encoder.Encode(views).Pooled - encoder.Describe(views, [Level.High])[Level.High].narrow(1, 0, width);

        Assert.Equal([6, views.size(1), 2], views.shape);
        Assert.True(difference.abs().max().item<float>() < 1e-5f);
    }

    [Fact]
    public async Task High_carries_the_raw_vector_beside_the_learned_one_at_a_share_of_its_length()
    {
        using var corpus = await CorpusAsync();
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var recipe = Recipe.DefaultFor(Modality.Text);
        using var encoder = EncoderFile.Fresh(recipe with { Encoder = recipe.Encoder with { RawShare = 0.25 } }, corpus, seed: 1, CPU, default);
        EncoderScaling.Fit(encoder, corpus, default);

        var rows = encoder.Extract(corpus, 0, corpus.Count, [Level.Raw, Level.High], [Grain.Item], default).ToLookup(block => block.Level, block => tensor(block.Block.Vectors).view(block.Block.Rows, -1));
        var (raw, high) = (cat([.. rows[Level.Raw]], 0), cat([.. rows[Level.High]], 0));
        var (learned, beside) = (high.narrow(1, 0, recipe.Encoder.Width), high.narrow(1, recipe.Encoder.Width, recipe.Encoder.RawWidth));
        float Length(Tensor vectors) => vectors.pow(2).sum([1L]).mean().sqrt().item<float>();

        Assert.Equal(1, Length(learned), 1e-3);
        Assert.Equal(0.25, Length(beside), 1e-3);
        Assert.True((beside / 0.25f - raw / Length(raw)).abs().max().item<float>() < 1e-3f);
    }

    [Fact]
    public void The_token_file_gives_back_stretches_of_items_some_of_them_empty()
    {
        var path = Path.Combine(_store.Beside("tokens"), "tokens.i32");
        using (TokenFile.Open(path, 3, () => [[1, 2, 3], [], [4, 5]])) { }
        using var file = TokenFile.Open(path, 3, () => throw new InvalidOperationException("made twice"));
        var stretch = new int[2];
        file.Read(0, 1, stretch);

        Assert.Equal([3, 0, 2], Enumerable.Range(0, 3).Select(file.Count));
        Assert.Equal([2, 3], stretch);
        Assert.Throws<InvalidDataException>(() => file.Read(2, 1, stretch));
        Assert.Throws<InvalidDataException>(() => TokenFile.Open(path, 9, () => []));
    }
}
