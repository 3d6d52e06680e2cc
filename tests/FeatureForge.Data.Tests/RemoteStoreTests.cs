// Stores on S3: what is published is read back on any machine, nothing is published over what another process wrote, and what is
// damaged or missing on the server is said.
using FeatureForge.TestKit;

namespace FeatureForge.Data.Tests;

public sealed class RemoteStoreTests : IDisposable
{
    private const string Address = "s3://bucket/team/store";
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("ff-remote-");
    private readonly MemoryS3 _server = new();

    public void Dispose()
    {
        Environment.SetEnvironmentVariable(Store.WorkVariable, null);
        _server.Dispose();
        _folder.Delete(recursive: true);
    }

    /// <summary>The store as a machine of that name has it.</summary>
    private Store On(string machine)
    {
        Environment.SetEnvironmentVariable(Store.WorkVariable, Path.Combine(_folder.FullName, machine));
        return Store.Open(Address);
    }

    private static RunContext Context(Store store, string run = "run1", Action? fence = null) => new(store, run, fence ?? (() => { }), new RecordingReporter(), TimeProvider.System);

    private static MapRow[] Rows(int count, int from = 0) => [.. Enumerable.Range(from, count).Select(i => new MapRow($"item{i}", 0, i, -i))];

    private static async Task<PartFile> PublishAsync(RunContext context, MapRow[] rows)
    {
        var (store, staged) = (context.Store, Path.Combine(context.StagingFolder, "map.parquet"));
        _ = store.FindClustering("c");
        Directory.CreateDirectory(context.StagingFolder);
        await MapTable.WriteAsync(staged, rows, default);
        var publication = new Publication(context);
        var part = publication.Add(staged, store.ClusteringFolder("c"), "map/part-00000.parquet", rows.Length);
        publication.Commit(Path.Combine(store.ClusteringFolder("c"), "clustering.json"), Manifest(part));
        publication.Finish();
        return part;
    }

    private static ClusteringManifest Manifest(PartFile map) => SampleManifests.Clustering with { MapParts = [map] };

    private static async Task<List<MapRow>> ReadAsync(Store store)
    {
        var rows = new List<MapRow>();
        foreach (var part in store.Clustering("c").MapParts)
            await foreach (var row in MapTable.ReadAsync(store.FileOf(store.ClusteringFolder("c"), part), default)) rows.Add(row);
        return rows;
    }

    [Fact]
    public async Task What_one_machine_publishes_another_reads()
    {
        var here = On("here");
        await PublishAsync(Context(here), Rows(5));
        var there = On("there");

        Assert.Equal(here.Id, there.Id);
        Assert.NotEqual(here.Root, there.Root);
        Assert.Equal(Rows(5), await ReadAsync(there));
        Assert.Equal("c", Assert.Single(there.Clusterings()).Name);
        Assert.Equal((await StoreHash.ComputeAsync(here, default)).Select(table => table.Hash), (await StoreHash.ComputeAsync(there, default)).Select(table => table.Hash));
        Assert.Equal(["bucket/team/store/clusterings/c/clustering.json", "bucket/team/store/clusterings/c/map/part-00000.parquet", "bucket/team/store/store.json"], _server.Keys);
        Assert.True(StoreVerify.Run(there, default).Sound);
    }

    [Fact]
    public async Task A_new_version_is_seen_by_a_machine_that_has_the_old_one()
    {
        var (here, there) = (On("here"), On("there"));
        await PublishAsync(Context(here), Rows(5));
        _ = await ReadAsync(there);

        await PublishAsync(Context(here, "run2"), Rows(7, from: 3));

        Assert.Equal(Rows(7, from: 3), await ReadAsync(there));
    }

    [Fact]
    public async Task A_file_comes_over_once()
    {
        await PublishAsync(Context(On("here")), Rows(5));
        var there = On("there");

        for (var i = 0; i < 3; i++) _ = await ReadAsync(there);

        Assert.Single(_server.Requests, request => request is ("GET", "bucket/team/store/clusterings/c/map/part-00000.parquet"));
    }

    [Fact]
    public async Task A_manifest_is_not_written_over_one_that_the_run_has_not_seen()
    {
        var (here, there) = (On("here"), On("there"));
        await PublishAsync(Context(here), Rows(5));
        _ = there.FindClustering("c");
        await PublishAsync(Context(here, "run2"), Rows(6));

        var error = Assert.ThrowsAny<IOException>(() => there.WriteManifest(Path.Combine(there.ClusteringFolder("c"), "clustering.json"), "{}"));

        Assert.Contains("written by another process", error.Message);
        Assert.Equal(6, (await ReadAsync(here)).Count);
    }

    [Fact]
    public async Task A_worker_that_lost_its_lease_replaces_nothing()
    {
        var store = On("here");
        await PublishAsync(Context(store), Rows(5));
        var checks = 0;
        // Passes the first check, freezes, and finds on waking that its file is there already with other content.
        var frozen = Context(On("there"), "run2", () =>
        {
            if (++checks > 1) throw new FencedException("another worker holds the run");
        });

        await Assert.ThrowsAsync<FencedException>(() => PublishAsync(frozen, Rows(9)));

        Assert.Equal(Rows(5), await ReadAsync(store));
        Assert.True(StoreVerify.Run(store, default).Sound);
    }

    [Fact]
    public async Task A_write_whose_answer_got_lost_is_taken_for_done()
    {
        var store = On("here");
        var lost = new HashSet<string>();
        // The first time, every write arrives and its answer does not.
        _server.FaultAfter = (method, path) => method == "PUT" && lost.Add(path) ? 500 : 0;

        await PublishAsync(Context(store), Rows(5));

        Assert.Equal(2, lost.Count);
        Assert.Equal(Rows(5), await ReadAsync(On("there")));
    }

    [Fact]
    public async Task A_download_goes_on_where_the_connection_broke()
    {
        await PublishAsync(Context(On("here")), Rows(50_000));
        var breaks = 0;
        _server.Fault = (method, path) => method == "GET" && path.EndsWith(".parquet", StringComparison.Ordinal) && ++breaks <= 2 ? -1 : 0;

        Assert.Equal(50_000, (await ReadAsync(On("there"))).Count);
        Assert.Equal(3, breaks);
    }

    [Fact]
    public async Task Damage_is_named_and_not_read()
    {
        var here = On("here");
        await PublishAsync(Context(here), Rows(5));
        const string key = "bucket/team/store/clusterings/c/map/part-00000.parquet";
        var damaged = (byte[])_server[key].Clone();
        damaged[20] ^= 1;
        _server[key] = damaged;
        var there = On("there");

        var error = await Assert.ThrowsAsync<InvalidDataException>(() => ReadAsync(there));
        var found = StoreVerify.Run(there, default);

        Assert.Contains("store verify", error.Message);
        Assert.False(found.Sound);
        Assert.Equal("s3://bucket/team/store/clusterings/c/map/part-00000.parquet", Assert.Single(found.Findings).Where);
        Assert.Equal(Rows(5), await ReadAsync(here)); // whose own copy is what the manifest says
    }

    [Fact]
    public async Task Large_files_go_in_pieces_and_leave_none_behind()
    {
        var store = On("here");
        Directory.CreateDirectory(store.StagingFolder("run1"));
        var staged = Path.Combine(store.StagingFolder("run1"), "large.bin");
        var bytes = new byte[(33 << 20) + 7];
        new Random(3).NextBytes(bytes);
        await File.WriteAllBytesAsync(staged, bytes);
        var target = Path.Combine(store.EncoderFolder("e"), "model.safetensors");
        var part = DurableFile.Describe(staged, "model.safetensors", 0);

        store.Put(staged, target);

        var there = On("there");
        Assert.Equal(bytes, await File.ReadAllBytesAsync(there.FileOf(there.EncoderFolder("e"), part)));
        Assert.Equal(3, _server.Requests.Count(request => request is ("PUT", "bucket/team/store/encoders/e/model.safetensors")));
        Assert.Equal(0, _server.OpenUploads);
    }

    [Fact]
    public void What_was_staged_goes_on_elsewhere_and_goes_with_the_run()
    {
        var (here, there) = (On("here"), On("there"));
        var folder = here.StagingFolder("run1");
        DurableFile.WriteAllText(Path.Combine(folder, "checkpoint.json"), "step 7");
        here.KeepStaged(Path.Combine(folder, "checkpoint.json"));

        there.FetchFolder(there.StagingFolder("run1"));
        Assert.Equal("step 7", File.ReadAllText(Path.Combine(there.StagingFolder("run1"), "checkpoint.json")));

        // What has gone on here since is not thrown back; what another machine has left is newer.
        DurableFile.WriteAllText(Path.Combine(folder, "checkpoint.json"), "step 9");
        Assert.Equal("step 9", File.ReadAllText(Path.Combine(here.FetchFolder(folder), "checkpoint.json")));
        DurableFile.WriteAllText(Path.Combine(there.StagingFolder("run1"), "checkpoint.json"), "step 12");
        there.KeepStaged(Path.Combine(there.StagingFolder("run1"), "checkpoint.json"));
        Assert.Equal("step 12", File.ReadAllText(Path.Combine(here.FetchFolder(folder), "checkpoint.json")));

        new Publication(Context(there)).Finish();
        Assert.DoesNotContain(_server.Keys, key => key.Contains("/.staging/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_shards_file_is_published_from_where_another_machine_left_it()
    {
        var (here, there) = (On("here"), On("there"));
        var staged = Path.Combine(here.StagingFolder("shards"), "map.parquet");
        Directory.CreateDirectory(here.StagingFolder("shards"));
        await MapTable.WriteAsync(staged, Rows(5), default);
        here.KeepStaged(staged);

        var context = Context(there, "shards");
        var publication = new Publication(context);
        _ = there.FindClustering("c");
        var part = publication.Add(Path.Combine(context.StagingFolder, "map.parquet"), there.ClusteringFolder("c"), "map/part-00000.parquet", 5);
        publication.Commit(Path.Combine(there.ClusteringFolder("c"), "clustering.json"), Manifest(part));
        publication.Finish();

        Assert.Equal(Rows(5), await ReadAsync(On("third")));
        Assert.Equal(1, _server.Requests.Count(request => request is ("PUT", var path) && path.EndsWith("/.staging/shards/map.parquet", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Label_logs_of_two_machines_are_one()
    {
        var (here, there) = (LabelLog.Of(On("here"), "l"), LabelLog.Of(On("there"), "l"));
        LabelRow Row(string item) => new() { LabelId = LabelLog.NewId(), Target = LabelTarget.Item, TargetId = item, Name = "river", Source = LabelSource.Person, Author = "ana", Batch = "b", At = DateTimeOffset.UnixEpoch };

        await here.AppendAsync([Row("a")], default);
        await there.AppendAsync([Row("b")], default);

        Assert.Equal(["a", "b"], (await here.ReadAsync(default)).Active.Select(row => row.TargetId).Order());
        Assert.Equal(await here.HashAsync(default), await there.HashAsync(default));
        Assert.Equal(["l"], On("third").LabelSets());
    }

    [Fact]
    public async Task Gc_removes_what_no_manifest_lists_on_the_server_too()
    {
        var store = On("here");
        await PublishAsync(Context(store), Rows(5));
        _server["bucket/team/store/clusterings/c/map/part-00007.parquet"] = [1, 2, 3];
        _server["bucket/team/store/clusterings/half/map/part-00000.parquet"] = [1, 2, 3];
        _server["bucket/team/store/.staging/20260101-000000-map-12345678/map.parquet"] = [1, 2, 3];
        using var ledger = RunLedger.Open(store, TimeProvider.System);

        var found = StoreCollection.Run(store, ledger, TimeSpan.Zero, dryRun: false, default);

        Assert.Equal([".staging/20260101-000000-map-12345678", "clusterings/c/map/part-00007.parquet", "clusterings/half"], found.Removed.Select(file => file.Path).Order(StringComparer.Ordinal));
        Assert.Equal(9, found.Bytes);
        Assert.DoesNotContain(_server.Keys, key => key.Contains("part-00007", StringComparison.Ordinal) || key.Contains("half", StringComparison.Ordinal) || key.Contains(".staging", StringComparison.Ordinal));
        Assert.Equal(Rows(5), await ReadAsync(On("there")));
    }

    [Fact]
    public void The_runs_of_a_store_are_one_machines_until_another_takes_them_over()
    {
        using (var ledger = RunLedger.Open(On("here"), TimeProvider.System))
            ledger.Create(new() { Kind = RunKind.Selftest, Spec = "{}" });
        var there = On("there");

        var error = Assert.Throws<BadRequestException>(() => RunLedger.Open(there, TimeProvider.System).Dispose());
        LedgerHome.Adopt(there);
        using (RunLedger.Open(there, TimeProvider.System)) { }

        Assert.Contains("store adopt", error.Message);
        Assert.Throws<BadRequestException>(() => RunLedger.Open(On("here"), TimeProvider.System).Dispose());
    }

    [Fact]
    public void A_prefix_that_holds_something_else_is_refused()
    {
        _server["bucket/team/store/notes.txt"] = [1];

        var error = Assert.Throws<BadRequestException>(() => On("here"));

        Assert.Contains("is not empty", error.Message);
        Assert.Contains("names no bucket", Assert.Throws<BadRequestException>(() => Store.Open("s3://")).Message);
    }

    [Fact]
    public void A_server_that_refuses_is_said_with_what_to_check()
    {
        _server.Fault = (_, _) => 403;

        var error = Assert.Throws<BadRequestException>(() => On("here"));

        Assert.Contains("403", error.Message);
        Assert.Contains("Check bucket, credentials", error.Message);
    }

    [Fact]
    public void A_server_is_asked_whether_it_keeps_conditions()
    {
        Assert.True(Store.KeepsConditions(Address));
        Assert.Empty(_server.Keys);
    }
}
