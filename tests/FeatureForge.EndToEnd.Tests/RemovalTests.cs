// Items taken out of a corpus: no reader meets them, ingesting their files again does not bring them back, restoring does.
using FeatureForge.Clustering;
using FeatureForge.Data;
using FeatureForge.Ingest;
using FeatureForge.TestKit;

namespace FeatureForge.EndToEnd.Tests;

public sealed class RemovalTests : IDisposable
{
    private const string Corpus = "notes";
    private readonly TemporaryStore _store = new();
    private readonly TemporaryFolder _source = new();

    public RemovalTests()
    {
        foreach (var i in Enumerable.Range(0, 20)) _source.Write($"{(i < 5 ? "drafts" : "final")}/{i:D2}.txt", $"note number {i} {new string('x', i)}");
    }

    public void Dispose()
    {
        _store.Dispose();
        _source.Dispose();
    }

    [Fact]
    public async Task Removed_items_are_met_by_no_reader_and_the_version_grows()
    {
        await IngestAsync();

        var result = await RemoveAsync(new() { Corpus = Corpus, Paths = ["drafts/*"] });

        var corpus = _store.Store.Corpus(Corpus);
        Assert.Equal((5, 2, 15), (result.Removed, result.CorpusVersion, corpus.TotalItems));
        using var prepared = PreparedCorpus.Open(_store.Store, Corpus, corpus.Preparations[Modality.Text]);
        Assert.Equal(15, prepared.Count);
        Assert.All(Enumerable.Range(0, prepared.Count), item => Assert.Equal(ContentId.Of(System.Text.Encoding.UTF8.GetBytes(prepared.Text(item))), prepared.ItemId(item)));
        Assert.DoesNotContain(Enumerable.Range(0, prepared.Count), item => prepared.Text(item).StartsWith("note number 3 ", StringComparison.Ordinal));
        Assert.Equal(15, prepared.Parts.Sum(part => part.Count));
        Assert.Equal(15, (await ItemFilter.Parse("characters > 0").ItemsAsync(_store.Store, Corpus, default)).Count);
        Assert.Equal((2, 0, 5), (corpus.History[^1].Version, corpus.History[^1].Added, corpus.History[^1].Removed));
        Assert.Empty(StoreVerify.Run(_store.Store, default).Findings);
    }

    [Fact]
    public async Task Ingesting_them_again_leaves_them_out_and_says_so()
    {
        await IngestAsync();
        await RemoveAsync(new() { Corpus = Corpus, Where = "path like 'drafts/%'" });

        var again = await IngestAsync();

        Assert.Equal((0, 20, 5, 2), (again.Added, again.AlreadyThere, again.StayRemoved, again.CorpusVersion));
        Assert.Equal(15, _store.Store.Corpus(Corpus).TotalItems);
    }

    [Fact]
    public async Task Restored_items_are_back_with_the_ids_they_had()
    {
        await IngestAsync();
        var before = await StoreHash.ComputeAsync(_store.Store, default);
        await RemoveAsync(new() { Corpus = Corpus, Paths = ["*"] });
        Assert.NotEqual(before, await StoreHash.ComputeAsync(_store.Store, default));

        var result = await RemoveAsync(new() { Corpus = Corpus, Paths = ["*"], Restore = true });

        Assert.Equal((20, 3), (result.Restored, result.CorpusVersion));
        Assert.Equal(before, (await StoreHash.ComputeAsync(_store.Store, default)).Where(table => table.Rows > 0 || table.Table.EndsWith("quarantine", StringComparison.Ordinal)));
        using var prepared = PreparedCorpus.Open(_store.Store, Corpus, _store.Store.Corpus(Corpus).Preparations[Modality.Text]);
        Assert.Equal(20, prepared.Count);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_removal_that_is_killed_while_publishing_ends_the_same(int atFence)
    {
        await IngestAsync();
        var spec = new RemoveSpec { Corpus = Corpus, Paths = ["drafts/*"] };
        var fences = 0;
        var killed = _store.Context("r", checkFence: () => { if (++fences == atFence) throw new InvalidOperationException("killed"); });
        await Assert.ThrowsAsync<InvalidOperationException>(() => RemoveRun.ExecuteAsync(spec, killed, default));

        var result = await RemoveRun.ExecuteAsync(spec, _store.Context("r"), default);

        Assert.Equal((5, 2), (result.Removed, result.CorpusVersion));
        Assert.Equal(15, _store.Store.Corpus(Corpus).TotalItems);
    }

    [Fact]
    public async Task An_id_that_the_corpus_never_had_is_named()
    {
        await IngestAsync();
        var stranger = new string('0', 32);

        var result = await RemoveAsync(new() { Corpus = Corpus, Items = [stranger] });

        Assert.Equal((0, 1), (result.Removed, result.CorpusVersion));
        Assert.Equal([stranger], result.Unknown);
    }

    [Fact]
    public async Task A_removal_without_a_selector_is_refused()
    {
        await IngestAsync();

        await Assert.ThrowsAsync<BadRequestException>(() => RemoveAsync(new() { Corpus = Corpus }));
    }

    private Task<IngestResult> IngestAsync() => IngestRun.ExecuteAsync(new() { Sources = [_source.Path], Corpus = Corpus }, _store.Context(), default);

    private Task<RemoveResult> RemoveAsync(RemoveSpec spec) => RemoveRun.ExecuteAsync(spec, _store.Context(), default);
}
