// The shape of every built-in recipe, approved: parameters, level widths and cells change only on purpose.
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FeatureForge.Data;
using FeatureForge.TestKit;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning.Tests;

public sealed class RecipeShapeTests
{
    private static PreparationSpec Preparation(Recipe recipe) => recipe.Modality switch
    {
        Modality.Image => new() { Modality = Modality.Image, ImageSize = recipe.PreparedSize ?? 64 },
        Modality.Audio => new() { Modality = Modality.Audio, SampleRate = LogMel.SampleRate },
        _ => new() { Modality = Modality.Text },
    };

    // What one view of an item looks like to the network.
    private static Tensor View(Recipe recipe) => recipe.Modality switch
    {
        Modality.Image => randn(1, 3, recipe.Encoder.ImageSize, recipe.Encoder.ImageSize),
        Modality.Audio => randn(1, 1, recipe.Encoder.Bands, recipe.Encoder.FramesPerSecond),
        _ => ones(1, recipe.TextViews.Longest, dtype: ScalarType.Int64),
    };

    [Theory]
    [InlineData("image-small", 2_721_792, 768, 384, 64)]
    [InlineData("image-base", 21_676_032, 768, 768, 196)]
    [InlineData("audio-small", 2_711_040, 128, 384, 40)]
    [InlineData("audio-base", 21_382_656, 128, 768, 160)]
    [InlineData("text-small", 2_670_144, 256, 192, 128)]
    [InlineData("text-base", 21_295_488, 256, 384, 256)]
    public void Recipes_of_the_larger_tiers_have_the_approved_shapes(string name, long parameters, int raw, int high, int cells)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var recipe = Recipe.Read(name);
        using var encoder = EncoderFile.Build(recipe, Preparation(recipe), Encoding.UTF8.GetBytes("one\ntwo"), seed: 1);
        encoder.eval();

        var encoded = encoder.Encode(View(recipe));

        Assert.Equal(name, recipe.Name);
        Assert.Equal((raw, high), (encoder.Levels[0].Dimension, encoder.Levels[^1].Dimension));
        Assert.Equal([1L, cells, 64 * recipe.Size], encoded.Cells[^1].shape);
        Assert.Equal([1L, encoder.Shape.Width], encoded.Pooled.shape);
        Assert.Equal(2 * recipe.Size, recipe.Encoder.Transformer!.Depth);
        // A block of width D holds 12 D^2 + 15 D values with layer scale, 12 D^2 + 13 D without. Words of a corpus come on top.
        var words = encoder.named_parameters().Where(pair => pair.name == "network.tokens.weight").Sum(pair => pair.parameter.numel());
        Assert.Equal(parameters, encoder.parameters().Sum(parameter => parameter.numel()) - words);
    }

    public static TheoryData<string> BuiltIn() => [.. Recipe.BuiltIn];

    [Theory]
    [MemberData(nameof(BuiltIn))]
    public void Every_recipe_says_how_to_run_it_and_what_to_expect(string name)
    {
        var recipe = Recipe.Read(name);

        Assert.Contains($"--recipe {name}", recipe.Command);
        Assert.All([recipe.Hardware, recipe.Time, recipe.ExpectedScore], said => Assert.NotEmpty(said));
    }

    [Theory]
    [InlineData("image-small")]
    [InlineData("audio-small")]
    [InlineData("text-small")]
    public async Task The_small_tier_trains_and_extracts(string name)
    {
        using var store = new TemporaryStore();
        var recipe = Recipe.Read(name);
        await SmallCorpora.WriteAsync(store, "small", recipe.Modality, 8);

        var trained = await TrainRun.ExecuteAsync(new() { Corpus = "small", Encoder = "e", Recipe = name, Steps = 2, Device = "cpu" }, store.Context(), default);
        var extracted = await ExtractRun.ExecuteAsync(new() { Corpus = "small", Encoder = "e", Set = "e", Device = "cpu" }, store.Context(), default);

        Assert.True(double.IsFinite(trained.FinalLoss));
        Assert.Equal(8, extracted.Items);
    }

    [Fact]
    public void A_recipe_whose_transformer_cannot_be_built_says_what_is_wrong()
    {
        using var folder = new TemporaryFolder();
        var path = SmallCorpora.WriteRecipe(folder.Path, Recipe.Read("image-small") with { Size = 0, Encoder = new() { Transformer = new() { Width = 10, Heads = 3, Depth = 1 } } });

        Assert.Equal(3, Assert.Throws<BadRequestException>(() => Recipe.Read(path)).Problems.Count);
    }

    [Theory]
    [InlineData("audio-small", """{ "head": [8] }""", "encoder head follows convolutions; this encoder has no widths of them.")]
    [InlineData("audio-tiny", """{ "head": [8, 0] }""", "encoder head has widths 8, 0; expected at least 1 each.")]
    [InlineData("text-tiny", """{ "raw_share": -1 }""", "encoder raw_share is -1; expected 0 or more.")]
    [InlineData("text-small", """{ "raw_share": 0.5 }""", "encoder raw_share is for the bag of words; this encoder is another one.")]
    public void A_recipe_says_what_its_encoder_cannot_have(string name, string settings, string problem)
    {
        using var folder = new TemporaryFolder();
        var recipe = JsonNode.Parse(JsonSerializer.Serialize(Recipe.Read(name) with { Size = 0 }, SpecJson.Readable))!;
        foreach (var (setting, value) in JsonNode.Parse(settings)!.AsObject()) recipe["encoder"]![setting] = value!.DeepClone();
        var path = Path.Combine(folder.Path, "recipe.json");
        File.WriteAllText(path, recipe.ToJsonString());

        Assert.EndsWith(problem, Assert.Single(Assert.Throws<BadRequestException>(() => Recipe.Read(path)).Problems));
    }
}
