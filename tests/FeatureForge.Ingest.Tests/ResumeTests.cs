// A run that dies at any point and is started again ends with the content of an uninterrupted one.
using FeatureForge.Data;
using FeatureForge.TestKit;

namespace FeatureForge.Ingest.Tests;

public sealed class ResumeTests : IDisposable
{
    private const int Rows = 5000;
    private readonly TemporaryFolder _source = new();
    private readonly string _table;

    public ResumeTests() => _table = _source.Write("rows.jsonl", string.Concat(Enumerable.Range(0, Rows).Select(i => $$"""{"id":"r{{i}}","text":"{{(i % 7 == 0 ? "" : $"row {i % 4500}")}}"}""" + "\n")));

    public void Dispose() => _source.Dispose();

    [Theory]
    [InlineData(100)]
    [InlineData(3000)]
    [InlineData(4990)]
    public async Task Killed_while_reading_it_ends_with_the_same_content(int atItem)
    {
        using var whole = new TemporaryStore();
        using var killed = new TemporaryStore();
        var expected = await Ingested.RunAsync(whole, Spec, whole.Context("r"));
        var reporter = new RecordingReporter { OnProgress = progress => { if (progress.Done >= atItem) throw new KilledException(); } };

        await Assert.ThrowsAsync<KilledException>(() => Ingested.RunAsync(killed, Spec, killed.Context("r", reporter, time: new TickingTimeProvider())));
        var resumed = await Ingested.RunAsync(killed, Spec, killed.Context("r"));

        AssertSame(expected, resumed);
        Assert.False(Directory.Exists(killed.Store.StagingFolder("r")));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Killed_while_publishing_it_ends_with_the_same_content(int atFence)
    {
        using var whole = new TemporaryStore();
        using var killed = new TemporaryStore();
        var expected = await Ingested.RunAsync(whole, Spec, whole.Context("r"));
        var fences = 0;
        void CheckFence()
        {
            if (++fences == atFence) throw new KilledException();
        }

        await Assert.ThrowsAsync<KilledException>(() => Ingested.RunAsync(killed, Spec, killed.Context("r", checkFence: CheckFence)));
        var resumed = await Ingested.RunAsync(killed, Spec, killed.Context("r"));

        AssertSame(expected, resumed);
    }

    [Fact]
    public async Task Cancelled_it_keeps_its_finished_parts_and_resumes_behind_them()
    {
        using var store = new TemporaryStore();
        using var stop = new CancellationTokenSource();
        var reporter = new RecordingReporter { OnProgress = progress => { if (progress.Done >= 3000) stop.Cancel(); } };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => IngestRun.ExecuteAsync(Spec, store.Context("r", reporter, time: new TickingTimeProvider()), stop.Token));
        var second = new RecordingReporter();

        await Ingested.RunAsync(store, Spec, store.Context("r", second));

        Assert.Contains(second.LogLines, line => line.Message.StartsWith("Resuming after 1 finished parts", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_killed_prepare_run_makes_only_the_parts_that_it_had_not_finished()
    {
        using var store = new TemporaryStore();
        await Ingested.RunAsync(store, Spec);
        foreach (var folder in Directory.GetDirectories(Path.Combine(store.Store.CorpusFolder(Ingested.Corpus), "prepared"))) Directory.Delete(folder, recursive: true);
        var spec = new PrepareSpec { Corpus = Ingested.Corpus, Preparation = store.Store.Corpus(Ingested.Corpus).Preparations[Modality.Text] };
        var killer = new RecordingReporter { OnProgress = progress => { if (progress.Done >= 2500) throw new KilledException(); } };
        await Assert.ThrowsAsync<KilledException>(() => PrepareRun.ExecuteAsync(spec, store.Context("p", killer, time: new TickingTimeProvider()), default));
        var reporter = new RecordingReporter();

        var result = await PrepareRun.ExecuteAsync(spec, store.Context("p", reporter, time: new TickingTimeProvider()), default);

        Assert.Equal(2, result.Parts);
        Assert.Equal(store.Store.Corpus(Ingested.Corpus).TotalItems, result.Prepared);
        Assert.True(reporter.ProgressReports.Max(progress => progress.Done) < result.Prepared);
    }

    private IngestSpec Spec => new() { Sources = [_table], Corpus = Ingested.Corpus };

    private static void AssertSame(Ingested expected, Ingested resumed)
    {
        Assert.Equal(expected.Result with { QuarantinedByCode = null!, Items = null! }, resumed.Result with { QuarantinedByCode = null!, Items = null! });
        Assert.Equal(expected.Items.Select(item => (item.ItemId, item.Path, item.Text)), resumed.Items.Select(item => (item.ItemId, item.Path, item.Text)));
        Assert.Equal(expected.Quarantine.Select(row => (row.Path, row.Code, row.Reason)), resumed.Quarantine.Select(row => (row.Path, row.Code, row.Reason)));
    }

    internal sealed class KilledException : Exception;

    // Every look at the clock is a second later, so that every item is reported.
    internal sealed class TickingTimeProvider : TimeProvider
    {
        private long _seconds;

        public override long GetTimestamp() => Interlocked.Increment(ref _seconds);

        public override long TimestampFrequency => 1;
    }
}
