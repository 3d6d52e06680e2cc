// `store gc`: what belongs to nothing goes, what a run could go on from stays.
using FeatureForge.TestKit;

namespace FeatureForge.Data.Tests;

public sealed class StoreCollectionTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("ff-collect-");
    private readonly FixedTimeProvider _time = new();
    private readonly Store _store;
    private readonly RunLedger _ledger;

    public StoreCollectionTests()
    {
        _store = Store.Open(Path.Combine(_folder.FullName, "store"));
        _ledger = RunLedger.Open(_store, _time);
    }

    public void Dispose()
    {
        _ledger.Dispose();
        _folder.Delete(recursive: true);
    }

    private CollectionResult Collect(bool dryRun = false) => StoreCollection.Run(_store, _ledger, TimeSpan.FromDays(7), dryRun, default);

    private string Write(params string[] path)
    {
        var file = _store.PathOf(path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, "12345");
        return file;
    }

    private RunRow Begun(string corpus)
    {
        var run = _ledger.Create(new() { Kind = RunKind.Ingest, Spec = $$"""{"corpus":"{{corpus}}"}""" });
        Assert.NotNull(_ledger.TryAcquire(run.RunId, ProcessIdentity.Current, TimeSpan.FromMinutes(1)));
        return _ledger.Get(run.RunId);
    }

    [Fact]
    public void What_no_manifest_lists_goes_and_what_it_lists_stays()
    {
        var listed = Write("corpora", "c", "items", "part-00000.parquet");
        var stray = Write("corpora", "c", "items", "part-00007.parquet");
        var cutOff = Write("corpora", "c", "corpus.json.4711.tmp");
        Write("corpora", "c", "prepared", "0123456789abcdef", "part-00000.arrow");
        Write("embeddings", "half", "data", "level=high", "grain=item", "part-00000.parquet");
        Write(".staging", "20200101-000000-ingest-00000000", "parts", "x");
        DurableFile.WriteAllText(_store.PathOf("corpora", "c", "corpus.json"), System.Text.Json.JsonSerializer.Serialize(new CorpusManifest
        {
            Name = "c",
            Version = 1,
            Items = new Dictionary<Modality, long>(),
            Quarantined = 0,
            ItemParts = [DurableFile.Describe(listed, "items/part-00000.parquet", 0)],
            QuarantineParts = [],
            Preparations = new Dictionary<Modality, PreparationSpec>(),
            Sources = [],
            RunId = "r",
            UpdatedAt = _time.GetUtcNow(),
        }, SpecJson.Readable));

        var planned = Collect(dryRun: true);
        Assert.True(File.Exists(stray));
        var done = Collect();

        Assert.Equal(5, done.Removed.Count);
        Assert.Equal(25, done.Bytes);
        Assert.Equal(planned.Removed, done.Removed);
        Assert.True(File.Exists(listed));
        Assert.False(File.Exists(stray) || File.Exists(cutOff) || Directory.Exists(_store.PathOf("embeddings", "half")) || Directory.EnumerateFileSystemEntries(_store.PathOf(".staging")).Any());
        Assert.Empty(Collect().Removed);
    }

    [Fact]
    public void What_a_run_can_go_on_from_stays_until_it_is_too_old()
    {
        var run = Begun("c");
        var staged = Write(".staging", run.RunId, "parts", "x");
        Write(".staging", run.RunId + "-prepare", "x");
        var moved = Write("corpora", "c", "items", "part-00000.parquet");

        var underWay = Collect();
        _ledger.Fail(new(run.RunId, run.FencingToken, run.Attempt), RunFailure.Error, "the disk was full");
        var failed = Collect();
        _time.Advance(TimeSpan.FromDays(8));
        var old = Collect();

        Assert.Empty(underWay.Removed);
        Assert.Empty(failed.Removed);
        Assert.Equal(3, failed.Kept.Count);
        Assert.Contains(run.RunId, failed.Kept[0]);
        Assert.Equal(3, old.Removed.Count);
        Assert.False(File.Exists(staged) || File.Exists(moved));
    }

    [Fact]
    public void A_label_being_written_stays_and_one_that_a_dead_process_left_goes()
    {
        var alive = ScratchFolder.Begin(_store, "labels-alive");
        var dead = ScratchFolder.Begin(_store, "labels-dead");
        File.WriteAllText(Path.Combine(dead, ScratchFolder.Note), System.Text.Json.JsonSerializer.Serialize(ProcessIdentity.Current with { ProcessId = int.MaxValue }, SpecJson.Line));

        Assert.Equal(Path.Combine(".staging", "labels-dead"), Assert.Single(Collect().Removed).Path);
        Assert.True(Directory.Exists(alive));
    }
}
