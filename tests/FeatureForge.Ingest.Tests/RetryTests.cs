// `quarantine retry`: what was fixed, or is within a raised limit, becomes an item and leaves; the rest stays with its reason.
using FeatureForge.Data;
using FeatureForge.TestKit;

namespace FeatureForge.Ingest.Tests;

public sealed class RetryTests : IngestTest
{
    [Fact]
    public async Task A_file_within_a_raised_limit_becomes_an_item_and_leaves_the_quarantine()
    {
        _source.Write("small.png", Picture.Gradient(10, 10, 1));
        _source.Write("large.png", Picture.Gradient(50, 50, 2));
        await Ingested.RunAsync(_store, Spec with { Limits = new() { ImagePixels = 1000 } });

        var retried = await RetryAsync(new(), spec => spec with { Limits = spec.Limits with { ImagePixels = 10_000 } });

        Assert.Equal((1, 1, 1, 0, 2), (retried.Result.Added, retried.Result.Retried, retried.Result.LeftQuarantine, retried.Result.Quarantined, retried.Result.CorpusVersion));
        Assert.Equal(50, retried.Item("large.png").Width);
        Assert.Empty(retried.Quarantine);
        Assert.Equal(0, _store.Store.Corpus(Ingested.Corpus).Quarantined);
        Assert.Empty(StoreVerify.Run(_store.Store, default).Findings);
    }

    [Fact]
    public async Task What_is_still_bad_stays_with_one_attempt_more()
    {
        _source.Write("bad.png", [0x89, 0x50, 0x4E, 0x47, 1, 2, 3]);
        await Ingested.RunAsync(_store, Spec);

        var retried = await RetryAsync(new());

        Assert.Equal(2, retried.Bad("bad.png").Attempts);
        Assert.Equal((1, 0), (retried.Result.Retried, retried.Result.LeftQuarantine));
        Assert.Equal(1, _store.Store.Corpus(Ingested.Corpus).Version);
    }

    [Fact]
    public async Task A_file_that_has_gone_stays_with_that_reason()
    {
        var path = _source.Write("bad.png", [0x89, 0x50, 0x4E, 0x47, 1, 2, 3]);
        _source.Write("good.txt", "words");
        await Ingested.RunAsync(_store, Spec);
        File.Delete(path);

        var retried = await RetryAsync(new());

        Assert.Equal((RejectionCode.NotFound, 2), (retried.Bad("bad.png").Code, retried.Bad("bad.png").Attempts));
    }

    [Fact]
    public async Task Only_rows_that_match_code_and_path_are_tried()
    {
        foreach (var name in new[] { "a/one.png", "a/two.png", "b/one.png" }) _source.Write(name, [0x89, 0x50, 0x4E, 0x47, 1, 2, 3]);
        _source.Write("a/none.txt", "");
        await Ingested.RunAsync(_store, Spec);

        var retried = await RetryAsync(new() { Codes = [RejectionCode.Malformed], Paths = ["a/*"] });

        Assert.Equal(["a/one.png", "a/two.png"], retried.Quarantine.Where(row => row.Attempts == 2).Select(row => row.Path).Order(StringComparer.Ordinal));
        Assert.Equal(4, retried.Quarantine.Count);
    }

    [Fact]
    public async Task A_repaired_archive_gives_its_entries_and_a_new_file_is_left_for_the_next_ingest()
    {
        _source.Write("a.zip", [0x50, 0x4B, 3, 4, 9, 9, 9, 9]);
        await Ingested.RunAsync(_store, Spec);
        _source.Write("new.txt", "not asked for");
        using (var archive = new System.IO.Compression.ZipArchive(File.Create(Path.Combine(_source.Path, "a.zip")), System.IO.Compression.ZipArchiveMode.Create))
        using (var writer = new StreamWriter(archive.CreateEntry("inside.txt").Open())) await writer.WriteAsync("words");

        var retried = await RetryAsync(new());

        Assert.Equal(["a.zip!inside.txt"], retried.Items.Select(item => item.Path));
        Assert.Empty(retried.Quarantine);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task A_retry_that_is_killed_while_publishing_ends_the_same(int atFence)
    {
        _source.Write("large.png", Picture.Gradient(50, 50, 2));
        _source.Write("bad.png", [0x89, 0x50, 0x4E, 0x47, 1, 2, 3]);
        await Ingested.RunAsync(_store, Spec with { Limits = new() { ImagePixels = 1000 } });
        var spec = new RetrySelection().Of(_store.Store.Corpus(Ingested.Corpus)) with { Limits = new() };
        var fences = 0;
        var killed = _store.Context("r", checkFence: () => { if (++fences == atFence) throw new InvalidOperationException("killed"); });
        await Assert.ThrowsAsync<InvalidOperationException>(() => Ingested.RunAsync(_store, spec, killed));

        var resumed = await Ingested.RunAsync(_store, spec, _store.Context("r"));

        Assert.Equal("large.png", resumed.Items.Single().Path);
        Assert.Equal(("bad.png", 2), (resumed.Quarantine.Single().Path, resumed.Quarantine.Single().Attempts));
        Assert.Empty(StoreVerify.Run(_store.Store, default).Findings);
    }

    private IngestSpec Spec => new() { Sources = [_source.Path], Corpus = Ingested.Corpus };

    private Task<Ingested> RetryAsync(RetrySelection selection, Func<IngestSpec, IngestSpec>? change = null)
    {
        var spec = selection.Of(_store.Store.Corpus(Ingested.Corpus));
        return Ingested.RunAsync(_store, change?.Invoke(spec) ?? spec, _store.Context("retry"));
    }
}
