// Encoders made elsewhere in the store: extraction, going on with training, export and back.
using FeatureForge.Data;
using FeatureForge.Tensors;
using FeatureForge.TestKit;

namespace FeatureForge.Learning.Tests;

public sealed class ImportRunTests : IDisposable
{
    private readonly TemporaryStore _store = new();

    public void Dispose() => _store.Dispose();

    private static ImportSpec Spec(string golden, string name) => new() { Source = CheckpointTests.Golden(golden), Encoder = name };

    private string Config(string json)
    {
        var path = Path.Combine(_store.Beside("configs"), "config.json");
        File.WriteAllText(path, json);
        return path;
    }

    // The small corpora's pictures are prepared at 16 pixels, the golden checkpoint was made for 12.
    private ImportSpec Picture(string name) => Spec("dinov2", name) with { Config = Config("""{"num_heads": 2, "image_size": 16}""") };

    private async Task<List<EmbeddingBlock>> ExtractAsync(string encoder, params string[] tables)
    {
        await ExtractRun.ExecuteAsync(new() { Corpus = "small", Encoder = encoder, Set = encoder, Device = "cpu", Grains = [Grain.Item, Grain.Segment, Grain.Patch] }, _store.Context(), default);
        return [.. tables.Select(table => EmbeddingTable.Read(Path.Combine(_store.Store.SetFolder(encoder), "data", table, "part-00000.parquet")).Single())];
    }

    [Fact]
    public async Task An_imported_vision_transformer_extracts_every_level_and_grain()
    {
        await SmallCorpora.WriteAsync(_store, "small", Modality.Image, 6);
        var result = await ImportRun.ExecuteAsync(Picture("dino"), _store.Context(), default);

        var tables = await ExtractAsync("dino", "level=high/grain=item", "level=raw/grain=item", "level=low/grain=patch");

        Assert.Equal("dinov2", result.Family);
        Assert.Equal(["raw", "low", "mid", "high"], result.Levels.Select(level => level.Name));
        Assert.Equal((6, 32), (tables[0].Rows, tables[0].Dimension));
        Assert.Equal(6 * 16, tables[2].Rows); // 4 x 4 patches of 4 pixels
        Assert.All(tables, table => Assert.True(table.Vectors.All(float.IsFinite) && table.Vectors.Distinct().Count() > 20));
    }

    [Fact]
    public async Task A_corpus_centres_and_scales_the_levels_and_leaves_the_checkpoints_own_normalisation()
    {
        await SmallCorpora.WriteAsync(_store, "small", Modality.Image, 12);
        var plain = await ImportRun.ExecuteAsync(Picture("plain"), _store.Context(), default);
        var fitted = await ImportRun.ExecuteAsync(Picture("fitted") with { Corpus = "small" }, _store.Context(), default);

        var table = (await ExtractAsync("fitted", "level=high/grain=item"))[0];

        Assert.NotEqual(plain.EncoderId, fitted.EncoderId);
        for (var d = 0; d < table.Dimension; d++) Assert.Equal(0, Enumerable.Range(0, table.Rows).Average(row => table.Vectors[row * table.Dimension + d]), 1e-3);
        using var scope = TorchSharp.torch.NewDisposeScope();
        var weights = Safetensors.Read(Path.Combine(_store.Store.EncoderFolder("fitted"), "model.safetensors")).Tensors;
        Assert.Equal([0.485f, 0.456f, 0.406f], HostCopies.ToArray<float>(weights["mean"]));
    }

    [Fact]
    public async Task Text_spans_are_exact_and_an_item_is_the_mean_of_its_tokens_however_long_it_is()
    {
        await SmallCorpora.WriteAsync(_store, "small", Modality.Text, 6);
        await ImportRun.ExecuteAsync(Spec("bert", "bert"), _store.Context(), default);

        var tables = await ExtractAsync("bert", "level=high/grain=item", "level=high/grain=patch");

        var (items, patches) = (tables[0], tables[1]);
        var longest = Enumerable.Range(0, items.Rows).MaxBy(row => items.Spans[row].End)!;
        var rows = Enumerable.Range(0, patches.Rows).Where(row => patches.ItemIds[row] == items.ItemIds[longest]).ToList();
        Assert.True(rows.Count > 40); // 400 words: windows of 10 tokens that overlap
        Assert.Equal(rows.Select((_, i) => i), rows.Select(row => patches.SpanIndex[row]));
        Assert.All(rows.Skip(1), row => Assert.True(patches.Spans[row].Start >= patches.Spans[row - 1].End));
        // All patches but the last hold eight tokens: their mean, the last left out, is nearly the item's.
        for (var d = 0; d < 16; d++)
            Assert.Equal(items.Vectors[longest * 16 + d], rows.Average(row => patches.Vectors[row * 16 + d]), 0.05);
    }

    [Fact]
    public async Task Segments_of_sound_tile_the_recording_to_its_end()
    {
        await SmallCorpora.WriteAsync(_store, "small", Modality.Audio, 6);
        await ImportRun.ExecuteAsync(Spec("wav2vec2", "speech"), _store.Context(), default);

        var tables = await ExtractAsync("speech", "level=high/grain=segment", "level=raw/grain=item");

        var segments = tables[0];
        Assert.Equal(8, segments.Rows); // five recordings under a second and a half, one of 2.7 s in three
        var long3 = Enumerable.Range(0, segments.Rows).Where(row => segments.ItemIds[row] == SmallCorpora.ItemId(5)).Select(row => segments.Spans[row]).ToList();
        Assert.Equal([(0, 900), (900, 1800), (1800, 2700)], long3.Select(span => (span.Start, span.End)));
        Assert.All(tables, table => Assert.True(table.Vectors.All(float.IsFinite)));
    }

    [Fact]
    public async Task The_same_import_again_is_done_and_another_under_its_name_is_refused()
    {
        var first = await ImportRun.ExecuteAsync(Spec("vit-hf", "vit"), _store.Context(), default);
        var again = await ImportRun.ExecuteAsync(Spec("vit-hf", "vit"), _store.Context(), default);

        Assert.Equal(first.EncoderId, again.EncoderId);
        await Assert.ThrowsAsync<BadRequestException>(() => ImportRun.ExecuteAsync(Spec("vit-timm", "vit"), _store.Context(), default));
        var wrong = await Assert.ThrowsAsync<BadRequestException>(() => ImportRun.ExecuteAsync(Spec("vit-timm", "other") with { Architecture = "bert" }, _store.Context(), default));
        Assert.Contains("family vit", wrong.Message);
        Assert.Null(_store.Store.FindEncoder("other"));
    }

    [Theory]
    [InlineData(Modality.Image)]
    [InlineData(Modality.Text)]
    [InlineData(Modality.Audio)]
    public async Task Training_goes_on_from_imported_weights_on_another_corpus(Modality modality)
    {
        await SmallCorpora.WriteAsync(_store, "small", modality, 8);
        await ImportRun.ExecuteAsync(modality switch { Modality.Image => Picture("start"), Modality.Text => Spec("bert", "start"), _ => Spec("hubert-stable", "start") }, _store.Context(), default);

        var trained = await TrainRun.ExecuteAsync(new() { Corpus = "small", Encoder = "on", From = "start", Steps = 2, Device = "cpu" }, _store.Context(), default);

        var (start, on) = (_store.Store.Encoder("start"), _store.Store.Encoder("on"));
        Assert.NotEqual(start.EncoderId, trained.EncoderId);
        Assert.Equal(start.Parameters, on.Parameters);
        Assert.Equal(start.Origin, on.Origin);
        Assert.True(double.IsFinite(trained.FinalLoss));
        await ExtractAsync("on", "level=mid/grain=item");
    }

    [Fact]
    public async Task An_export_comes_back_as_the_same_encoder_and_its_card_says_what_it_is()
    {
        await SmallCorpora.WriteAsync(_store, "small", Modality.Text, 20);
        var trained = await TrainRun.ExecuteAsync(new() { Corpus = "small", Encoder = "words", Steps = 4, Device = "cpu" }, _store.Context(), default);
        var folder = Path.Combine(_store.Beside("exports"), "words");

        EncoderExport.Write(_store.Store, "words", folder);
        var back = await ImportRun.ExecuteAsync(new() { Source = folder, Encoder = "again" }, _store.Context(), default);

        Assert.Equal(trained.EncoderId, back.EncoderId);
        Assert.Equal(_store.Store.Encoder("words").Weights.Sha256, _store.Store.Encoder("again").Weights.Sha256);
        var card = await File.ReadAllTextAsync(Path.Combine(folder, "README.md"));
        Assert.All(["corpus `small`", "text-tiny", "4 steps", "kWh", "rankme_ratio.high", trained.EncoderId], said => Assert.Contains(said, card));
        Assert.Throws<BadRequestException>(() => EncoderExport.Write(_store.Store, "words", folder));
        // And on with training from the file itself.
        var on = await TrainRun.ExecuteAsync(new() { Corpus = "small", Encoder = "on", From = Path.Combine(folder, "model.safetensors"), Steps = 2, Device = "cpu" }, _store.Context(), default);
        Assert.NotEqual(trained.EncoderId, on.EncoderId);
    }

    [Fact]
    public async Task Weights_that_are_not_those_of_the_manifest_are_refused()
    {
        await ImportRun.ExecuteAsync(Spec("vit-hf", "one"), _store.Context(), default);
        await ImportRun.ExecuteAsync(Spec("vit-timm", "two"), _store.Context(), default);
        var (one, two) = (Path.Combine(_store.Beside("exports"), "one"), Path.Combine(_store.Beside("exports"), "two"));
        EncoderExport.Write(_store.Store, "one", one);
        EncoderExport.Write(_store.Store, "two", two);
        File.Copy(Path.Combine(two, "model.safetensors"), Path.Combine(one, "model.safetensors"), overwrite: true);

        var error = await Assert.ThrowsAsync<BadRequestException>(() => ImportRun.ExecuteAsync(new() { Source = one, Encoder = "mixed" }, _store.Context(), default));

        Assert.Contains("does not belong to", error.Message);
    }

    [Fact]
    public async Task A_licence_beside_the_weights_reaches_the_card()
    {
        var folder = _store.Beside("licensed");
        foreach (var file in Directory.GetFiles(CheckpointTests.Golden("vit-hf"))) File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        File.Delete(Path.Combine(folder, "expected.safetensors"));
        await File.WriteAllTextAsync(Path.Combine(folder, "README.md"), "---\ntags: [x]\nlicense: apache-2.0\n---\n# A model\n");

        await ImportRun.ExecuteAsync(new() { Source = folder, Encoder = "vit" }, _store.Context(), default);

        Assert.Equal("apache-2.0", _store.Store.Encoder("vit").Origin?.Licence);
        Assert.Contains("`apache-2.0`", await File.ReadAllTextAsync(Path.Combine(_store.Store.EncoderFolder("vit"), "README.md")));
    }

    [Fact]
    public async Task A_pickled_checkpoint_is_told_how_to_convert()
    {
        var folder = _store.Beside("pickled");
        await File.WriteAllBytesAsync(Path.Combine(folder, "pytorch_model.bin"), [.. "PK\u0003\u0004"u8, .. new byte[100]]);

        var error = await Assert.ThrowsAsync<BadRequestException>(() => ImportRun.ExecuteAsync(new() { Source = folder, Encoder = "x" }, _store.Context(), default));

        Assert.Contains("save_file", error.Message);
    }
}
