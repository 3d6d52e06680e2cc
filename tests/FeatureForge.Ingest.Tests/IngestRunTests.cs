// The run as a whole: what becomes of files, what a second run does, and that a killed run ends like an uninterrupted one.
using FeatureForge.Data;
using FeatureForge.TestKit;

namespace FeatureForge.Ingest.Tests;

public sealed class IngestRunTests : IngestTest
{
    [Fact]
    public async Task A_folder_of_mixed_media_becomes_items_of_each_modality()
    {
        _source.Write("b/tone.wav", Wave.Sine(440, 8000, 0.5));
        _source.Write("a/picture.png", Picture.Gradient(40, 30, 1));
        _source.Write("story.txt", "Once upon a time.");
        _source.Write("tool.bin", [1, 2, 3, 0, 0, 0, 9]);

        var ingested = await Ingested.RunAsync(_store, _source.Path);

        Assert.Equal(["a/picture.png", "b/tone.wav", "story.txt"], ingested.Items.Select(item => item.Path).Order(StringComparer.Ordinal));
        Assert.Equal((40, 30, 3), (ingested.Item("a/picture.png").Width, ingested.Item("a/picture.png").Height, ingested.Item("a/picture.png").Channels));
        Assert.Equal((500, 8000, 1), (ingested.Item("b/tone.wav").DurationMs, ingested.Item("b/tone.wav").SampleRate, ingested.Item("b/tone.wav").Channels));
        Assert.Equal(("Once upon a time.", 17), (ingested.Item("story.txt").Text, ingested.Item("story.txt").Characters));
        Assert.Equal(RejectionCode.UnsupportedFormat, ingested.Bad("tool.bin").Code);
    }

    [Fact]
    public async Task An_item_id_is_the_hash_of_the_files_bytes()
    {
        var bytes = Wave.Sine(440, 8000, 0.1);
        _source.Write("tone.wav", bytes);

        var ingested = await Ingested.RunAsync(_store, _source.Path);

        Assert.Equal(ContentId.Of(bytes), ingested.Items.Single().ItemId);
        Assert.Equal(bytes, ingested.Items.Single().Content);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Text_that_is_its_bytes_text_that_is_not_and_rows_say_the_same_everywhere(bool byReference)
    {
        var texts = new Dictionary<string, string> { ["ascii.txt"] = "plain words\n", ["utf8.txt"] = "größere Wörter", ["marked.txt"] = "words after a mark", ["rows.csv#0"] = "a row, with words", ["rows.csv#1"] = "une rangée" };
        _source.Write("ascii.txt", texts["ascii.txt"]);
        _source.Write("utf8.txt", texts["utf8.txt"]);
        _source.Write("marked.txt", [0xEF, 0xBB, 0xBF, .. System.Text.Encoding.UTF8.GetBytes(texts["marked.txt"])]);
        _source.Write("rows.csv", $"text\n\"{texts["rows.csv#0"]}\"\n{texts["rows.csv#1"]}\n");

        var ingested = await Ingested.RunAsync(_store, new IngestSpec { Sources = [_source.Path], Corpus = Ingested.Corpus, Reference = byReference });

        Assert.Equal(texts.Count, ingested.Items.Count);
        using var prepared = PreparedCorpus.Open(_store.Store, Ingested.Corpus, _store.Store.Corpus(Ingested.Corpus).Preparations[Modality.Text]);
        var trained = Enumerable.Range(0, prepared.Count).ToDictionary(prepared.ItemId, prepared.Text);
        foreach (var (path, text) in texts)
        {
            var item = ingested.Item(path);
            Assert.Equal((text, text, text.Length), (item.Text, trained[item.ItemId], item.Characters));
            Assert.Equal(path.Contains('#') || !byReference, item.Content is not null);
            if (item.Content is { } content) Assert.Equal(item.ItemId, ContentId.Of(content));
        }
    }

    [Fact]
    public async Task Of_files_with_equal_bytes_the_first_path_is_kept()
    {
        _source.Write("b.txt", "the same");
        _source.Write("a.txt", "the same");
        _source.Write("c.txt", "different");

        var ingested = await Ingested.RunAsync(_store, _source.Path);

        Assert.Equal((2, 1), (ingested.Result.Added, ingested.Result.Duplicates));
        Assert.Equal(["a.txt", "c.txt"], ingested.Items.Select(item => item.Path).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_second_run_over_an_unchanged_source_publishes_nothing()
    {
        _source.Write("a.txt", "words");
        _source.Write("bad.png", [0x89, 0x50, 0x4E, 0x47, 1, 2, 3]);
        await Ingested.RunAsync(_store, _source.Path);
        var manifest = Path.Combine(_store.Store.CorpusFolder(Ingested.Corpus), "corpus.json");
        var before = await File.ReadAllTextAsync(manifest);

        var second = await Ingested.RunAsync(_store, _source.Path);

        Assert.Equal((0, 1, 0, 1, 1), (second.Result.Added, second.Result.AlreadyThere, second.Result.Quarantined, second.Result.AlreadyQuarantined, second.Result.CorpusVersion));
        Assert.Equal(before, await File.ReadAllTextAsync(manifest));
    }

    [Fact]
    public async Task A_second_run_adds_only_new_files_and_raises_the_version()
    {
        _source.Write("a.png", Picture.Gradient(20, 20, 1));
        await Ingested.RunAsync(_store, _source.Path);
        _source.Write("b.png", Picture.Gradient(200, 200, 2));

        var second = await Ingested.RunAsync(_store, _source.Path);

        Assert.Equal((1, 1, 2), (second.Result.Added, second.Result.AlreadyThere, second.Result.CorpusVersion));
        var corpus = _store.Store.Corpus(Ingested.Corpus);
        Assert.Equal(["items/part-00000.parquet", "items/part-00001.parquet"], corpus.ItemParts.Select(part => part.Path));
        using var prepared = PreparedCorpus.Open(_store.Store, Ingested.Corpus, corpus.Preparations[Modality.Image]);
        Assert.Equal((2, 32), (prepared.Count, prepared.Preparation.ImageSize));
    }

    [Fact]
    public async Task An_explicit_modality_quarantines_the_others()
    {
        _source.Write("tone.wav", Wave.Sine(440, 8000, 0.1));
        _source.Write("words.txt", "words");

        var ingested = await Ingested.RunAsync(_store, new IngestSpec { Sources = [_source.Path], Corpus = Ingested.Corpus, Modality = Modality.Audio });

        Assert.Equal("tone.wav", ingested.Items.Single().Path);
        Assert.Equal(RejectionCode.WrongModality, ingested.Bad("words.txt").Code);
    }

    [Fact]
    public async Task By_reference_the_bytes_stay_where_they_are()
    {
        _source.Write("100% #1?.png", Picture.Gradient(20, 20, 1));
        await Ingested.RunAsync(_store, new IngestSpec { Sources = [_source.Path], Corpus = Ingested.Corpus, Reference = true });
        var preparation = new PreparationSpec { Modality = Modality.Image, ImageSize = 16 };

        var result = await PrepareRun.ExecuteAsync(new() { Corpus = Ingested.Corpus, Preparation = preparation }, _store.Context(), default);

        Assert.Equal((1, 1, 0), (result.Parts, result.Prepared, result.Failed));
        using var prepared = PreparedCorpus.Open(_store.Store, Ingested.Corpus, preparation);
        Assert.Equal(3 * 16 * 16, prepared.Pixels(0).Length);
    }

    [Fact]
    public async Task Too_many_bad_files_fail_the_run_and_publish_nothing()
    {
        _source.Write("a.txt", "words");
        _source.Write("b.png", [0x89, 0x50, 0x4E, 0x47, 1]);
        var spec = new IngestSpec { Sources = [_source.Path], Corpus = Ingested.Corpus, MaxQuarantine = 0.25 };

        var error = await Assert.ThrowsAsync<InvalidDataException>(() => Ingested.RunAsync(_store, spec));

        Assert.Contains("1 of 2 files", error.Message);
        Assert.Null(_store.Store.FindCorpus(Ingested.Corpus));
    }

    [Fact]
    public async Task Every_problem_of_a_request_is_listed_before_anything_starts()
    {
        var spec = new IngestSpec { Sources = ["/no/such/folder", "ftp://server/file"], Corpus = "no spaces", MaxQuarantine = 2 };

        var error = await Assert.ThrowsAsync<BadRequestException>(() => Ingested.RunAsync(_store, spec));

        Assert.Equal(4, error.Problems.Count);
    }

    [Fact]
    public async Task Prepared_forms_hold_every_item_in_the_order_of_the_items()
    {
        foreach (var i in Enumerable.Range(0, 20)) _source.Write($"{i}.wav", Wave.Sine(200 + 10 * i, 8000, 0.1));

        var ingested = await Ingested.RunAsync(_store, _source.Path);

        using var prepared = PreparedCorpus.Open(_store.Store, Ingested.Corpus, _store.Store.Corpus(Ingested.Corpus).Preparations[Modality.Audio]);
        Assert.Equal(ingested.Items.Select(item => item.ItemId), Enumerable.Range(0, prepared.Count).Select(prepared.ItemId));
        Assert.All(Enumerable.Range(0, 20), item => Assert.Equal(1600, prepared.Samples(item).Length));
        Assert.Equal(ingested.Items.Select(item => item.ItemId).Order(StringComparer.Ordinal), ingested.Items.Select(item => item.ItemId));
    }
}
