// Extraction in shards: the same vectors as in one run, also when a shard is killed on its way.
using FeatureForge.Data;
using FeatureForge.Ingest;
using FeatureForge.TestKit;

namespace FeatureForge.EndToEnd.Tests;

public sealed class ShardTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string StorePath => Path.Combine(_folder.Path, "store");

    public void Dispose() => _folder.Dispose();

    private async Task<Outcome> RunAsync(params string[] arguments)
    {
        var outcome = await FeatureForgeProgram.RunAsync(StorePath, [.. arguments, "--json"]);
        Assert.True(outcome.ExitCode == 0, $"{string.Join(' ', arguments)}: {outcome.ExitCode}\n{outcome.Errors}");
        return outcome;
    }

    private async Task<Dictionary<string, (string? Hash, long Rows)>> HashesAsync() =>
        (await RunAsync("store", "hash")).Json.GetProperty("tables").EnumerateArray().ToDictionary(table => table.GetProperty("table").GetString()!, table => (table.GetProperty("hash").GetString(), table.GetProperty("rows").GetInt64()));

    [Fact]
    public async Task Shards_make_what_one_run_makes()
    {
        // Four ingests, four parts.
        for (var part = 0; part < 4; part++)
            await RunAsync("ingest", SampleCorpus.Write(Modality.Image, Path.Combine(_folder.Path, $"raw{part}"), 40, seed: part).SourcePath, "--corpus", "c");
        await RunAsync("train", "--corpus", "c", "--encoder", "e", "--steps", "3");
        await RunAsync("extract", "--corpus", "c", "--encoder", "e", "--set", "whole");

        using (var killed = FeatureForgeProgram.Start(StorePath, "extract", "--corpus", "c", "--encoder", "e", "--set", "split", "--shards", "3"))
        {
            await FeatureForgeProgram.UntilAsync(() => Directory.Exists(Path.Combine(StorePath, ".staging")) && Directory.EnumerateFiles(Path.Combine(StorePath, ".staging"), "unit-*.json", SearchOption.AllDirectories).Any(), begun => begun);
            killed.Signal("KILL");
            await killed.EndAsync();
        }
        var split = await RunAsync("extract", "--corpus", "c", "--encoder", "e", "--set", "split", "--shards", "3");
        var hashes = await HashesAsync();

        Assert.Equal(["shard-1", "shard-2", "shard-3", "extract"], split.Json.GetProperty("stages").EnumerateArray().Select(stage => stage.GetProperty("stage").GetString()));
        var tables = hashes.Keys.Where(table => table.StartsWith("embeddings/whole/", StringComparison.Ordinal)).ToList();
        Assert.Equal(8, tables.Count);
        Assert.All(tables, table => Assert.Equal(hashes[table], hashes[table.Replace("/whole/", "/split/", StringComparison.Ordinal)]));
        Assert.Equal(160, hashes["embeddings/split/level=high/grain=item"].Rows);

        // The same for trees and for what comes later.
        await RunAsync("cluster", "--set", "whole", "--clustering", "one");
        var trees = await RunAsync("cluster", "--set", "whole", "--clustering", "many", "--shards", "2");
        await RunAsync("assign", "--set", "split", "--clustering", "one");
        hashes = await HashesAsync();
        var assigned = hashes["clusterings/one/assignments"];
        await RunAsync("assign", "--set", "split", "--clustering", "one", "--shards", "2");
        hashes = await HashesAsync();

        Assert.Equal(["shard-1", "shard-2", "cluster"], trees.Json.GetProperty("stages").EnumerateArray().Select(stage => stage.GetProperty("stage").GetString()));
        Assert.Equal(hashes["clusterings/one/memberships"], hashes["clusterings/many/memberships"]);
        Assert.Equal((assigned, 160L), (hashes["clusterings/one/assignments"], assigned.Rows));

        await RunAsync("store", "gc");
        Assert.Empty((await RunAsync("store", "verify")).Json.GetProperty("findings").EnumerateArray());
        Assert.Equal(2, (await FeatureForgeProgram.RunAsync(StorePath, "extract", "--corpus", "c", "--encoder", "e", "--shards", "0")).ExitCode);
    }
}
