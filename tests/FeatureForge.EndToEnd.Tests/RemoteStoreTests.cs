// The whole path with the store on an S3-compatible server: a process of its own that stalls, workers that are killed, two machines that
// share the work. What comes out is what a folder holds.
using FeatureForge.Data;
using FeatureForge.Ingest;
using FeatureForge.TestKit;

namespace FeatureForge.EndToEnd.Tests;

public sealed class RemoteStoreTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private Dictionary<string, string> Machine(string name, string? ledger = null) => ledger is null
        ? new() { [Store.WorkVariable] = Path.Combine(_folder.Path, name) }
        : new() { [Store.WorkVariable] = Path.Combine(_folder.Path, name), [Store.LedgerVariable] = ledger };

    private static async Task<Outcome> RunAsync(Dictionary<string, string> machine, string store, params string[] arguments)
    {
        using var program = FeatureForgeProgram.StartOn(machine, store, [.. arguments, "--json"]);
        var outcome = await program.EndAsync();
        Assert.True(outcome.ExitCode == 0, $"{string.Join(' ', arguments)}: {outcome.ExitCode}\n{outcome.Errors}");
        return outcome;
    }

    private static async Task<string> HashAsync(Dictionary<string, string> machine, string store) =>
        string.Join('\n', (await RunAsync(machine, store, "store", "hash")).Json.GetProperty("tables").EnumerateArray());

    private string[] Images(string name, int count, int seed) => ["ingest", SampleCorpus.Write(Modality.Image, Path.Combine(_folder.Path, name), count, seed).SourcePath, "--corpus", "c"];

    [NeedsToolFact("s3rver")]
    public async Task A_pipeline_on_S3_whose_workers_are_killed_and_whose_server_stalls_equals_one_in_a_folder()
    {
        using var server = await S3Process.StartAsync(Path.Combine(_folder.Path, "objects"));
        var (folder, remote) = (Path.Combine(_folder.Path, "store"), "s3://bucket/team");
        var (here, elsewhere) = (Machine("here"), Machine("elsewhere"));
        string[][] commands =
        [
            Images("first", 60, 1), Images("second", 40, 2),
            ["train", "--corpus", "c", "--encoder", "e", "--steps", "12", "--device", "cpu"],
            ["extract", "--corpus", "c", "--encoder", "e", "--set", "s"],
            ["index", "--set", "s"],
            ["cluster", "--set", "s", "--clustering", "t"],
            ["map", "--set", "s", "--clustering", "t"],
            ["corpus", "rm", "c", "--where", "quality.blur > 2"],
        ];

        foreach (var command in commands)
        {
            await RunAsync(here, folder, command);
            if (command[0] is "index" or "map" or "corpus")
            {
                await RunAsync(here, remote, command);
                continue;
            }
            using (var killed = FeatureForgeProgram.StartOn(here, remote, command))
            {
                await Task.WhenAny(killed.EndAsync(), Task.Delay(TimeSpan.FromSeconds(1.5)));
                server.Signal("STOP");
                killed.Signal("KILL");
                await killed.EndAsync();
            }
            var again = RunAsync(here, remote, command);
            await Task.Delay(TimeSpan.FromSeconds(0.5));
            server.Signal("CONT");
            await again;
        }

        var expected = await HashAsync(here, folder);
        Assert.Equal(expected, await HashAsync(here, remote));
        Assert.Equal(expected, await HashAsync(elsewhere, remote));
        Assert.Empty((await RunAsync(elsewhere, remote, "store", "verify")).Json.GetProperty("findings").EnumerateArray());
        // A program that is killed while it writes a file leaves its unfinished one in the working folder; nothing else may be left.
        Assert.All((await RunAsync(here, remote, "store", "gc", "--days", "0")).Json.GetProperty("removed").EnumerateArray(), file => Assert.EndsWith(".tmp", file.GetProperty("path").GetString()));
        Assert.Empty((await RunAsync(here, remote, "store", "gc", "--days", "0")).Json.GetProperty("removed").EnumerateArray());
        Assert.True((await RunAsync(elsewhere, remote, "search", "--set", "s", "--item", await FirstItemAsync(elsewhere, remote))).Json.GetProperty("neighbours").GetArrayLength() > 0);
    }

    [NeedsToolFact("s3rver", "pg")]
    public async Task Two_machines_that_share_a_store_on_S3_and_a_ledger_make_what_one_makes()
    {
        using var server = await S3Process.StartAsync(Path.Combine(_folder.Path, "objects"));
        const string remote = "s3://bucket";
        var ledger = PostgresServer.Shared.NewSchema();
        var (one, two) = (Machine("one", ledger), Machine("two", ledger));
        for (var part = 0; part < 3; part++) await RunAsync(part % 2 == 0 ? one : two, remote, Images($"raw{part}", 30, part));
        await RunAsync(one, remote, "train", "--corpus", "c", "--encoder", "e", "--steps", "3");
        await RunAsync(one, remote, "extract", "--corpus", "c", "--encoder", "e", "--set", "whole");

        using (FeatureForgeProgram.StartOn(one, remote, "serve", "--port", $"{FreePort.Find()}"))
        using (FeatureForgeProgram.StartOn(two, remote, "serve", "--port", $"{FreePort.Find()}"))
            await RunAsync(two, remote, "extract", "--corpus", "c", "--encoder", "e", "--set", "split", "--shards", "3");

        var tables = (await RunAsync(two, remote, "store", "hash")).Json.GetProperty("tables").EnumerateArray().ToDictionary(table => table.GetProperty("table").GetString()!, table => table.GetProperty("hash").GetString());
        var whole = tables.Keys.Where(table => table.StartsWith("embeddings/whole/", StringComparison.Ordinal)).ToList();
        Assert.Equal(8, whole.Count);
        Assert.All(whole, table => Assert.Equal(tables[table], tables[table.Replace("/whole/", "/split/", StringComparison.Ordinal)]));
        Assert.Equal(90, (await RunAsync(one, remote, "corpus", "show", "c")).Json.GetProperty("items").GetInt64());
        Assert.Empty((await RunAsync(one, remote, "store", "verify")).Json.GetProperty("findings").EnumerateArray());
    }

    private static async Task<string> FirstItemAsync(Dictionary<string, string> machine, string store) =>
        (await RunAsync(machine, store, "peek", "corpora/c/items")).Json.GetProperty("rows")[0].GetProperty("item_id").GetString()!;
}
