// The store: publishing order, fencing, content hashes and verification.
using FeatureForge.TestKit;

namespace FeatureForge.Data.Tests;

public sealed class StoreTests : IDisposable
{
    private static readonly DateTimeOffset _noon = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("ff-store-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Of_many_that_make_a_store_at_once_all_see_the_same_one()
    {
        var root = Path.Combine(_folder.FullName, "raced");
        using var start = new Barrier(8);

        var ids = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Factory.StartNew(() =>
        {
            start.SignalAndWait();
            return Store.Open(root).Id;
        }, TaskCreationOptions.LongRunning)));

        Assert.Single(ids.Distinct());
    }

    private Store NewStore(string name = "s") => Store.Open(Path.Combine(_folder.FullName, name));

    private static RunContext Context(Store store, Action? fence = null, string run = "run1") => new(store, run, fence ?? (() => { }), new RecordingReporter(), TimeProvider.System);

    private static MapRow[] Rows(int count) => [.. Enumerable.Range(0, count).Select(i => new MapRow($"item{i}", 0, i, -i))];

    private static async Task PublishMapAsync(Store store, RunContext context, params MapRow[][] parts)
    {
        var publication = new Publication(context);
        var files = new List<PartFile>();
        for (var i = 0; i < parts.Length; i++)
        {
            var staged = Path.Combine(context.StagingFolder, $"map-{i}.parquet");
            if (Directory.Exists(context.StagingFolder) || i > 0 || !File.Exists(Path.Combine(store.ClusteringFolder("c"), "map", $"part-{i:D5}.parquet")))
                await MapTable.WriteAsync(staged, parts[i], default);
            files.Add(publication.Add(staged, store.ClusteringFolder("c"), $"map/part-{i:D5}.parquet", parts[i].Length));
        }
        publication.Commit(Path.Combine(store.ClusteringFolder("c"), "clustering.json"), Manifest(files));
        publication.Finish();
    }

    private static ClusteringManifest Manifest(IReadOnlyList<PartFile> map) => SampleManifests.Clustering with { MapParts = map, RunId = "run1", CreatedAt = _noon };

    [Fact]
    public void A_head_whose_weights_have_changed_is_named()
    {
        var store = NewStore();
        var folder = store.PathOf("heads", "birds");
        Directory.CreateDirectory(folder);
        var weights = Path.Combine(folder, "head-1.safetensors");
        File.WriteAllText(weights, "weights");
        DurableFile.WriteAllText(Path.Combine(folder, "head.json"), System.Text.Json.JsonSerializer.Serialize(new { weights = DurableFile.Describe(weights, "head-1.safetensors", 1) }, SpecJson.Readable));

        var before = StoreVerify.Run(store, default);
        File.WriteAllText(weights, "weightz");
        var after = StoreVerify.Run(store, default);

        Assert.True(before.Sound);
        Assert.Contains("SHA-256", Assert.Single(after.Findings).Message);
        Assert.Equal(weights, after.Findings[0].Where);
    }

    [Fact]
    public void A_folder_with_other_content_is_not_taken_for_a_store()
    {
        File.WriteAllText(Path.Combine(_folder.FullName, "thesis.txt"), "x");

        Assert.Contains("not empty", Assert.Throws<BadRequestException>(() => Store.Open(_folder.FullName)).Message);
    }

    [Fact]
    public void A_store_of_a_newer_format_is_refused()
    {
        var store = NewStore();
        File.WriteAllText(Path.Combine(store.Root, "store.json"), """{"format_version": 99}""");

        Assert.Contains("99", Assert.Throws<BadRequestException>(() => Store.Open(store.Root)).Message);
    }

    [Fact]
    public void A_missing_thing_is_named_together_with_what_exists()
    {
        Assert.Contains("'calls'", Assert.Throws<BadRequestException>(() => NewStore().Corpus("calls")).Message);
    }

    [Fact]
    public async Task A_fenced_run_publishes_nothing()
    {
        var store = NewStore();
        var context = Context(store, () => throw new FencedException("taken over"));

        await Assert.ThrowsAsync<FencedException>(() => PublishMapAsync(store, context, Rows(3)));

        Assert.Null(store.FindClustering("c"));
        Assert.False(Directory.Exists(Path.Combine(store.ClusteringFolder("c"), "map")));
    }

    [Fact]
    public async Task A_run_stopped_between_rename_and_manifest_publishes_the_same_on_the_next_try()
    {
        var store = NewStore();
        var calls = 0;
        var context = Context(store, () => { if (++calls == 2) throw new FencedException("killed here"); });
        await Assert.ThrowsAsync<FencedException>(() => PublishMapAsync(store, context, Rows(3)));
        Assert.Contains(StoreVerify.Run(store, default).Findings, finding => finding.Severity == "notice");

        var again = new Publication(Context(store));
        var part = again.Add(Path.Combine(context.StagingFolder, "map-0.parquet"), store.ClusteringFolder("c"), "map/part-00000.parquet", 3);
        again.Commit(Path.Combine(store.ClusteringFolder("c"), "clustering.json"), Manifest([part]));
        again.Finish();

        var verification = StoreVerify.Run(store, default);
        Assert.True(verification.Sound);
        Assert.Empty(verification.Findings);
    }

    [Fact]
    public async Task The_hash_does_not_depend_on_part_boundaries_or_row_order()
    {
        var (whole, split, other) = (NewStore("a"), NewStore("b"), NewStore("c"));
        var rows = Rows(10);
        await PublishMapAsync(whole, Context(whole), rows);
        await PublishMapAsync(split, Context(split), [.. rows[5..].Reverse()], rows[..5]);
        await PublishMapAsync(other, Context(other), [.. rows[..9], rows[9] with { X = 9.5f }]);

        var hash = await HashOfMapAsync(whole);

        Assert.Equal(hash, await HashOfMapAsync(split));
        Assert.NotEqual(hash, await HashOfMapAsync(other));
    }

    [Fact]
    public async Task A_row_stored_twice_changes_the_hash()
    {
        var (once, twice) = (NewStore("a"), NewStore("b"));
        await PublishMapAsync(once, Context(once), Rows(4));
        await PublishMapAsync(twice, Context(twice), Rows(4), Rows(1));

        Assert.NotEqual(await HashOfMapAsync(once), await HashOfMapAsync(twice));
    }

    private static async Task<string> HashOfMapAsync(Store store) =>
        (await StoreHash.ComputeAsync(store, default)).Single(table => table.Table == "clusterings/c/map").Hash;

    [Fact]
    public async Task Verify_names_a_damaged_and_a_missing_file()
    {
        var store = NewStore();
        await PublishMapAsync(store, Context(store), Rows(3), Rows(2));
        var first = Path.Combine(store.ClusteringFolder("c"), "map", "part-00000.parquet");
        var bytes = File.ReadAllBytes(first);
        bytes[^20] ^= 1;
        File.WriteAllBytes(first, bytes);
        File.Delete(Path.Combine(store.ClusteringFolder("c"), "map", "part-00001.parquet"));

        var verification = StoreVerify.Run(store, default);

        Assert.False(verification.Sound);
        Assert.Contains(verification.Findings, finding => finding.Where == first && finding.Message.Contains("SHA-256"));
        Assert.Contains(verification.Findings, finding => finding.Where.EndsWith("part-00001.parquet") && finding.Message.Contains("missing"));
    }

    [Theory]
    [InlineData("../up")]
    [InlineData("")]
    [InlineData(".hidden")]
    [InlineData("a/b")]
    [InlineData("naïve")]
    public void Names_that_could_leave_the_store_are_refused(string name) => Assert.NotNull(Names.Problem("corpus", name));

    [Fact]
    public void Plain_names_are_taken() => Assert.Null(Names.Problem("corpus", "calls-2026_v1.2"));
}
