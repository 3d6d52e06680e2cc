// Ingest in shards: what several runs decode and one publishes is what one run makes, row by row, prepared form by prepared form.
using FeatureForge.Data;
using FeatureForge.TestKit;

namespace FeatureForge.Ingest.Tests;

public sealed class ShardTests : IDisposable
{
    private const int Shards = 3;
    private readonly TemporaryFolder _source = new();
    private readonly TemporaryStore _whole = new();
    private readonly TemporaryStore _split = new();

    public void Dispose()
    {
        _source.Dispose();
        _whole.Dispose();
        _split.Dispose();
    }

    private IngestSpec Spec => new() { Sources = [_source.Path], Corpus = Ingested.Corpus };

    private void WriteSources()
    {
        for (var i = 0; i < 30; i++)
        {
            _source.Write($"pictures/{i}.png", Picture.Gradient(40 + i, 50, i));
            _source.Write($"texts/{i}.txt", Packed.Text($"Document number {i}, which says {new string((char)('a' + i % 26), 20)} and little else."));
        }
        for (var i = 0; i < 6; i++) _source.Write($"sounds/{i}.wav", Wave.Sine(200 + 50 * i, 22050, 0.5));
        _source.Write("copy.png", Picture.Gradient(43, 50, 3));
        _source.Write("broken.png", Packed.Text("\u0089PNG\r\n\u001a\n no picture"));
        _source.Write("cut.wav", Wave.Sine(300, 8000, 1)[..2000]);
        _source.Write("empty.txt", []);
        _source.Write("half.jsonl", Packed.Text("""{"id":"a","text":"a half pair \ud83d of two"}""" + "\n" + """{"id":"b","text":"row b of the table"}""" + "\n"));
        _source.Write("some.zip", Packed.Zip(("x.txt", Packed.Text("within the zip archive")), ("deep/y.png", Picture.Gradient(20, 30, 77)), ("x.txt", Packed.Text("the same name once more"))));
        _source.Write("some.tar", Packed.Tar(("0.png", Picture.Gradient(64, 64, 5)), ("0.cls", Packed.Text("3")), ("1.wav", Wave.Sine(100, 16000, 0.2)), ("2.txt", Packed.Text("within the tar archive"))));
    }

    private static async Task<IReadOnlyList<TableContent>> HashesAsync(TemporaryStore store) => await StoreHash.ComputeAsync(store.Store, default);

    private static List<string> Prepared(TemporaryStore store) => [.. store.Store.FilesBelow(Path.Combine(store.Store.CorpusFolder(Ingested.Corpus), "prepared")).Where(path => path.EndsWith(".arrow", StringComparison.Ordinal))
        .Select(path => $"{Path.GetRelativePath(store.Store.Root, path)} {DurableFile.Describe(path, "", 0).Sha256}")];

    [Fact]
    public async Task Shards_and_the_run_that_publishes_make_what_one_run_makes()
    {
        WriteSources();
        var whole = await Ingested.RunAsync(_whole, Spec);

        var spec = Spec with { Shards = Shards };
        for (var shard = 0; shard < Shards; shard++)
        {
            // The second one is killed half-way, when its part is not finished, and does it again.
            if (shard == 1) await Assert.ThrowsAsync<ResumeTests.KilledException>(() => IngestRun.ExecuteAsync(spec with { Shard = shard }, _split.Context("killed", new RecordingReporter { OnProgress = progress => { if (progress.Done >= 8) throw new ResumeTests.KilledException(); } }, time: new ResumeTests.TickingTimeProvider()), default));
            var left = await IngestRun.ExecuteAsync(spec with { Shard = shard }, _split.Context(shard == 1 ? "killed" : null), default);
            Assert.Equal((0, 0), (left.Added, left.CorpusVersion));
        }
        var decoded = DecodedEntry.PartsIn(_split.Store.PathOf(".staging"));
        var entries = decoded.Sum(path =>
        {
            using var part = File.OpenRead(path);
            return DecodedEntry.Read(part).Length;
        });
        var split = await Ingested.RunAsync(_split, spec);

        Assert.Equal(Shards, decoded.Select(Path.GetDirectoryName).Distinct().Count());
        // All but what is no file to decode (one empty, and those that the reader refuses).
        Assert.InRange(entries, whole.Items.Count, whole.Items.Count + whole.Quarantine.Count + whole.Result.Duplicates);
        Assert.Equal(await HashesAsync(_whole), await HashesAsync(_split));
        Assert.Equal(Prepared(_whole), Prepared(_split));
        Assert.Equal(whole.Items.Select(item => (item.ItemId, item.Text, item.Metadata)), split.Items.Select(item => (item.ItemId, item.Text, item.Metadata)));
        Assert.Equal((whole.Result.Duplicates, whole.Result.Quarantined), (split.Result.Duplicates, split.Result.Quarantined));
        Assert.False(Directory.Exists(_split.Store.PathOf(".staging")) && Directory.EnumerateFiles(_split.Store.PathOf(".staging"), "*", SearchOption.AllDirectories).Any());
    }

    [Fact]
    public async Task What_has_changed_since_a_shard_saw_it_is_decoded_as_it_is_now()
    {
        WriteSources();
        var spec = Spec with { Shards = 1 };
        await IngestRun.ExecuteAsync(spec with { Shard = 0 }, _split.Context(), default);
        _source.Write("texts/3.txt", Packed.Text("Somebody has written something else here."));
        _source.Write("texts/new.txt", Packed.Text("And this is a new one."));
        File.Delete(Path.Combine(_source.Path, "texts/4.txt"));

        await Ingested.RunAsync(_split, spec);
        await Ingested.RunAsync(_whole, Spec);

        Assert.Equal(await HashesAsync(_whole), await HashesAsync(_split));
    }

    [Fact]
    public async Task What_the_shards_have_left_is_not_decoded_again()
    {
        // A decoder that is told its time is up when it begins: whatever it decodes itself is quarantined.
        WriteSources();
        var spec = Spec with { Shards = 1 };
        await IngestRun.ExecuteAsync(spec with { Shard = 0 }, _split.Context(), default);
        var folder = Directory.EnumerateDirectories(_split.Store.PathOf(".staging"), "ingest-*").Single();
        var decoded = DecodedItems.Open(folder, _split.Beside("scratch"));

        var decoder = new ItemDecoder(spec, _split.Beside("scratch"), TimeProvider.System);
        var sources = new SourceReader(spec, new() { StoreFolder = _split.Store.Root, ScratchFolder = _split.Beside("scratch"), Gate = new(1 << 30), Time = TimeProvider.System }, default);
        var outcomes = sources.Findings().Select(finding => (finding, Outcome: decoder.Decode(finding, new([], 1), _ => false, (_, _) => false, decoded, alone: true, FlightVerdict.Crashed, default))).ToList();

        // Crashed: the decoder would refuse everything that it is asked to decode.
        Assert.DoesNotContain(outcomes, one => one.Outcome.Rejection?.Code == RejectionCode.DecoderCrashed);
        Assert.True(outcomes.Count(one => one.Outcome.Kind == OutcomeKind.Item) > 70);
        foreach (var one in outcomes) one.Outcome.Samples?.Dispose();
    }

    [Fact]
    public void What_does_not_go_together_is_refused()
    {
        Assert.Contains((Spec with { Shards = 2, Retry = new() }).Problems(), problem => problem.Contains("A retry is one run", StringComparison.Ordinal));
        Assert.Contains((Spec with { Shards = 2, Shard = 2 }).Problems(), problem => problem.Contains("shard is 2", StringComparison.Ordinal));
        Assert.Equal(["shard-1", "shard-2", "ingest"], Spec.InShards(2).Stages.Select(stage => stage.NameOrKind));
    }
}
