// The closed-form features of pictures: against plain loops, and what they are for.
using FeatureForge.Data;
using FeatureForge.Tensors;
using FeatureForge.TestKit;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning.Tests;

public sealed class PatchDictionaryTests : IDisposable
{
    private readonly TemporaryStore _store = new();

    public void Dispose() => _store.Dispose();

    private async Task<(PatchDictionary Dictionary, Tensor Pictures)> FitAsync()
    {
        await SmallCorpora.WriteAsync(_store, "small", Modality.Image, 24);
        using var corpus = PreparedCorpus.Open(_store.Store, "small", SmallCorpora.Preparation(Modality.Image));
        Tensor Pictures(int[] items)
        {
            var values = items.SelectMany(item => corpus.Pixels(item).ToArray()).ToArray();
            return HostCopies.ToTensor(values, [items.Length, 3, 16, 16], CPU).to(ScalarType.Float32) / 255f;
        }
        var dictionary = new PatchDictionary(16);
        dictionary.Fit(corpus, Pictures, seed: 1, default);
        return (dictionary, Pictures([0, 1, 2, 3]));
    }

    [Fact]
    public async Task An_activation_equals_the_papers_formula_in_plain_loops()
    {
        using var scope = NewDisposeScope();
        var (dictionary, pictures) = await FitAsync();

        var map = dictionary.Map(pictures); // [4, 192, 8, 8]

        var state = dictionary.named_buffers().ToDictionary(pair => pair.name, pair => HostCopies.ToArray<float>(pair.buffer));
        var patch = HostCopies.ToArray<float>(pictures[2][.., 4..10, 2..8]).Select(value => (double)value).ToArray(); // the place (row 3, column 2): rows from 2 x 3 - 2
        var mean = patch.Average();
        var deviation = Math.Sqrt(patch.Average(value => (value - mean) * (value - mean)) + 10 / (255.0 * 255.0));
        var centred = patch.Select((value, i) => (value - mean) / deviation - state["centre"][i]).ToArray();
        var white = Enumerable.Range(0, 108).Select(i => Enumerable.Range(0, 108).Sum(j => centred[j] * state["whitening"][j * 108 + i])).ToArray();
        var distances = Enumerable.Range(0, 192).Select(k => Math.Sqrt(Enumerable.Range(0, 108).Sum(i => Math.Pow(white[i] - state["entries"][k * 108 + i], 2)))).ToArray();
        for (var k = 0; k < 192; k += 17)
            Assert.Equal(Math.Max(0, distances.Average() - distances[k]), map[2, k, 3, 2].item<float>(), 2e-3); // float32 of squared distances of some hundreds
    }

    [Theory]
    [InlineData(16, 1)]
    [InlineData(10, 2)] // 25 places: fewer than the kernel takes at a time
    public async Task On_the_processor_a_map_is_what_operations_of_LibTorch_make(int side, int threads)
    {
        using var scope = NewDisposeScope();
        var (dictionary, pictures) = await FitAsync();
        var smaller = nn.functional.adaptive_avg_pool2d(pictures, [side, side]);
        var before = get_num_threads();
        set_num_threads(threads);

        var (map, expected) = (dictionary.Map(smaller), dictionary.MapByTensors(smaller));
        set_num_threads(before);

        Assert.Equal([4, 192, side / 2, side / 2], map.shape);
        Assert.Equal(1, map.stride(1)); // channels last
        Assert.True((map - expected).abs().max().item<float>() < 2e-3);
        Assert.True(expected.mean().item<float>() > 0.01);
    }

    [Fact]
    public async Task Brightness_and_contrast_of_a_picture_change_nothing()
    {
        using var scope = NewDisposeScope();
        var (dictionary, pictures) = await FitAsync();

        var (one, other) = (dictionary.Map(pictures), dictionary.Map(pictures * 0.5 + 0.3));

        Assert.True((one - other).abs().mean().item<float>() < 0.05 * one.mean().item<float>());
    }

    [Fact]
    public void Pooling_keeps_the_quarters_of_every_span_apart()
    {
        using var scope = NewDisposeScope();
        var map = zeros(1, PatchDictionary.Entries, 8, 8);
        map[0, 5, 0, 0] = 16; // the first quarter of the first of four spans: 4 places

        var spans = PatchDictionary.Pool(map, 2, 2);

        Assert.Equal([1, 4, PatchDictionary.Dimension], spans.shape);
        Assert.Equal(4, spans[0, 0, 5].item<float>());
        Assert.Equal(4, spans.sum().item<float>());
    }
}
