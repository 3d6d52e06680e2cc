// Checkpoints in other programs' naming, against what goldens/make.py (numpy, written independently) computed from the same values.
using FeatureForge.Data;
using FeatureForge.Tensors;
using FeatureForge.TestKit;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning.Tests;

public sealed class CheckpointTests : IDisposable
{
    // Single precision through two blocks of width 16 against double; the largest values are about 5.
    private const double Tolerance = 1e-4;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    internal static string Golden(string name) => Path.Combine(AppContext.BaseDirectory, "Transfer", "goldens", name);

    private static ImportedNetwork Read(string name, CheckpointSource source)
    {
        using var file = SafetensorsFile.Open(Path.Combine(Golden(name), "model.safetensors"));
        return source.Read(file);
    }

    private static ImportedNetwork Read(string name) => Read(name, CheckpointSource.Find(Golden(name), null, null));

    private static T Filled<T>(T network, ImportedNetwork imported) where T : nn.Module
    {
        using var noGradient = no_grad();
        network.eval();
        var state = network.state_dict();
        Assert.Equal(state.Keys.Order(), imported.Tensors.Keys.Order());
        foreach (var (name, tensor) in state) tensor.copy_(imported.Tensors[name]);
        return network;
    }

    private static void Equal(Tensor expected, Tensor found, string where)
    {
        Assert.Equal(expected.shape, found.shape);
        Assert.True((expected - found).abs().max().item<float>() < Tolerance, $"{where}: largest difference {(expected - found).abs().max().item<float>()}");
    }

    [Theory]
    [InlineData("vit-timm", "vit", "3x3")]
    [InlineData("vit-timm-registers", "vit", "3x3")]
    [InlineData("vit-hf", "vit", "3x3")]
    [InlineData("dinov2-hf-registers", "dinov2", "3x3")]
    [InlineData("dinov2-hf-registers", "dinov2", "4x5")]
    [InlineData("dinov2", "dinov2", "3x3")]
    [InlineData("dinov2", "dinov2", "2x4")]
    public void Vision_transformers_give_the_same_patches_after_every_block(string name, string family, string grid)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var imported = Read(name);
        var expected = Safetensors.Read(Path.Combine(Golden(name), "expected.safetensors")).Tensors;

        var found = Filled(new TransformerNetwork(3, imported.Encoder.Transformer!), imported).forward(expected[$"input_{grid}"]);

        Assert.Equal(family, imported.Family);
        Assert.Equal(12, imported.Encoder.ImageSize);
        for (var block = 0; block < found.Length; block++) Equal(expected[$"block_{block}_{grid}"], found[block], $"block {block}");
    }

    [Theory]
    [InlineData("bert")]
    [InlineData("bert-bare")]
    public void Bert_gives_the_same_tokens_after_every_block(string name)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var imported = Read(name);
        var expected = Safetensors.Read(Path.Combine(Golden(name), "expected.safetensors")).Tensors;
        var numbers = expected["numbers"].to(ScalarType.Int64);

        var found = Filled(new TokenNetwork(30, 12, imported.Encoder.Transformer!), imported).Forward(numbers, numbers.ne(0));

        for (var block = 0; block < found.Length; block++) Equal(expected[$"block_{block}"], found[block] * numbers.ne(0).unsqueeze(2), $"block {block}");
    }

    [Theory]
    [InlineData("wav2vec2", "wav2vec2")]
    [InlineData("hubert-stable", "hubert")]
    public void Speech_networks_give_the_same_cells_after_every_block(string name, string family)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var imported = Read(name);
        var expected = Safetensors.Read(Path.Combine(Golden(name), "expected.safetensors")).Tensors;

        var found = Filled(new SpeechNetwork(imported.Encoder.Speech!, imported.Encoder.Transformer!), imported).forward(expected["samples"].unsqueeze(1).unsqueeze(1));

        Assert.Equal(family, imported.Family);
        Assert.Equal(imported.Encoder.Speech!.Cells(400), found[0].size(3));
        for (var block = 0; block < found.Length; block++) Equal(expected[$"block_{block}"], found[block], $"block {block}");
    }

    [Fact]
    public void A_checkpoints_own_mean_deviation_and_size_are_taken()
    {
        using var scope = NewDisposeScope();

        Assert.Equal([0.5f, 0.4f, 0.3f], Read("vit-timm").Mean);
        Assert.Equal([0.25f, 0.25f, 0.25f], Read("vit-hf").Deviation);
        Assert.Equal([0.485f, 0.456f, 0.406f], Read("dinov2").Mean);
        Assert.Equal(["head.bias F32 [5]", "head.weight F32 [5, 16]"], Read("vit-timm").LeftOut.Order());
    }

    [Fact]
    public void Missing_misshapen_and_unexpected_tensors_are_all_listed_with_shapes()
    {
        using var scope = NewDisposeScope();
        var tensors = Safetensors.Read(Path.Combine(Golden("vit-hf"), "model.safetensors")).Tensors;
        tensors.Remove("vit.encoder.layer.1.output.dense.bias");
        tensors["vit.layernorm.weight"] = ones(17);
        tensors["vit.encoder.layer.0.adapter.weight"] = ones(2, 3);
        var path = Path.Combine(_folder.Path, "model.safetensors");
        Safetensors.Write(path, tensors);
        using var file = SafetensorsFile.Open(path);

        var error = Assert.Throws<BadRequestException>(() => CheckpointSource.Find(path, Path.Combine(Golden("vit-hf"), "config.json"), null).Read(file));

        Assert.Equal(["missing: vit.encoder.layer.1.output.dense.bias [16]", "unexpected: vit.encoder.layer.0.adapter.weight F32 [2, 3]", "vit.layernorm.weight has shape [17], expected [16]"], error.Problems.Order());
    }

    [Fact]
    public void Blocks_that_cannot_be_built_are_refused_by_name()
    {
        using var scope = NewDisposeScope();
        var tensors = Safetensors.Read(Path.Combine(Golden("dinov2"), "model.safetensors")).Tensors;
        tensors["blocks.0.mlp.w12.weight"] = ones(2, 2);
        var path = Path.Combine(_folder.Path, "giant.safetensors");
        Safetensors.Write(path, tensors);
        using var file = SafetensorsFile.Open(path);

        Assert.Contains("SwiGLU", Assert.Throws<BadRequestException>(() => CheckpointSource.Find(path, null, null).Read(file)).Message);
    }

    [Fact]
    public void What_is_no_known_family_says_which_are()
    {
        using var scope = NewDisposeScope();
        var path = Path.Combine(_folder.Path, "other.safetensors");
        Safetensors.Write(path, new Dictionary<string, Tensor> { ["layer.weight"] = ones(2) });
        using var file = SafetensorsFile.Open(path);

        Assert.Contains("vit, dinov2, wav2vec2, hubert, bert", Assert.Throws<BadRequestException>(() => CheckpointSource.Find(path, null, null).Read(file)).Message);
    }

    [Fact]
    public void A_network_that_is_no_encoder_is_refused_though_its_file_is_sound()
    {
        using var scope = NewDisposeScope();
        var path = Datasets.File("pretrained/silero_vad_16k.safetensors");
        using var file = SafetensorsFile.Open(path);

        Assert.Equal(15, file.Entries.Count);
        Assert.All(file.Entries.Keys, name => Assert.True(file.Read(name).isfinite().all().item<bool>()));
        Assert.Throws<BadRequestException>(() => CheckpointSource.Find(path, null, null).Read(file));
    }
}
