// Does it end the same whatever happens? A pipeline over mixed items with three server processes on one PostgreSQL ledger and one store, once
// in peace and once while servers and workers are killed and frozen at random and PostgreSQL crashes; then content hashes are compared.
// With --s3 the store of the second lies on an S3 server process that stalls now and then, and every server is a machine of its own.
//   chaos [--items N] [--minutes M] [--seed S] [--s3]
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using FeatureForge.Data;
using FeatureForge.Ingest;
using FeatureForge.TestKit;

namespace FeatureForge.Benchmarks;

internal static class ChaosBenchmark
{
    private const int Servers = 3;
    private static readonly TimeSpan _mostPatience = TimeSpan.FromMinutes(60);

    internal static async Task<int> RunAsync(string[] arguments, TextWriter output)
    {
        var (items, minutes, seed) = (arguments.Number("--items", 10_000), arguments.Number("--minutes", 15.0), arguments.Number("--seed", 1));
        var scratch = Directory.CreateTempSubdirectory("featureforge-chaos-");
        using var postgres = new PostgresServer();
        using var objects = arguments.Contains("--s3") ? await S3Process.StartAsync(Path.Combine(scratch.FullName, "objects")) : null;
        try
        {
            var pipeline = Pipeline(scratch.FullName, items);
            var calm = await OnceAsync(Path.Combine(scratch.FullName, "calm"), postgres, null, pipeline, chaos: null, minutes, output);
            var wild = await OnceAsync(objects is null ? Path.Combine(scratch.FullName, "wild") : "s3://bucket/wild", postgres, objects, pipeline, new Random(seed), minutes, output);
            var different = calm.Hashes.Keys.Union(wild.Hashes.Keys).Where(table => calm.Hashes.GetValueOrDefault(table) != wild.Hashes.GetValueOrDefault(table)).Order(StringComparer.Ordinal).ToList();
            await output.WriteLineAsync($"""

                | | in peace | in chaos |
                |---|---:|---:|
                | seconds | {calm.Seconds:F0} | {wild.Seconds:F0} |
                | runs succeeded | {calm.Succeeded} of {calm.Runs} | {wild.Succeeded} of {wild.Runs} |
                | attempts | {calm.Attempts} | {wild.Attempts} |
                | servers killed, workers killed | 0, 0 | {wild.Did["server killed"]}, {wild.Did["worker killed"]} |
                | servers frozen, workers frozen | 0, 0 | {wild.Did["server frozen"]}, {wild.Did["worker frozen"]} |
                | PostgreSQL crashed | 0 | {wild.Did["postgres crashed"]} |
                | S3 server stalled | 0 | {wild.Did["objects stalled"]} |
                | findings of store verify after store gc | {calm.Findings} | {wild.Findings} |
                | tables that differ | | {different.Count} of {calm.Hashes.Count} |

                {(different.Count == 0 && wild.Succeeded == wild.Runs ? "The content is the same." : $"**Not the same**: {string.Join(", ", different)}")}
                """.ReplaceLineEndings("\n"));
            return different.Count == 0 && wild.Succeeded == wild.Runs && calm.Findings + wild.Findings == 0 ? 0 : 1;
        }
        finally { scratch.Delete(recursive: true); }
    }

    // Six tenths pictures, three tenths texts, one tenth recordings; the path from raw files to a map for each.
    private static string Pipeline(string folder, int items)
    {
        var stages = new List<object>();
        foreach (var (modality, share) in new[] { (Modality.Image, 0.6), (Modality.Text, 0.3), (Modality.Audio, 0.1) })
        {
            var name = modality.ToString().ToLowerInvariant();
            var sample = SampleCorpus.Write(modality, Path.Combine(folder, "raw", name), (int)(items * share), seed: 5);
            stages.Add(new { name = $"{name}-ingest", kind = "ingest", needs = Array.Empty<string>(), spec = new { sources = new[] { sample.SourcePath }, corpus = name, modality = name } });
            stages.Add(new { name = $"{name}-train", kind = "train", needs = new[] { $"{name}-ingest" }, spec = new { corpus = name, encoder = name, steps = 60 } });
            stages.Add(new { name = $"{name}-extract", kind = "extract", needs = new[] { $"{name}-train" }, spec = new { corpus = name, encoder = name, set = name, grains = new[] { "item", "segment" } } });
            stages.Add(new { name = $"{name}-cluster", kind = "cluster", needs = new[] { $"{name}-extract" }, spec = new { set = name, clustering = name } });
            stages.Add(new { name = $"{name}-map", kind = "map", needs = new[] { $"{name}-cluster" }, spec = new { set = name, clustering = name } });
        }
        var path = Path.Combine(folder, "pipeline.json");
        File.WriteAllText(path, JsonSerializer.Serialize(new { name = "chaos", stages }));
        return path;
    }

    private sealed record Ended(double Seconds, int Runs, int Succeeded, int Attempts, IReadOnlyDictionary<string, string> Hashes, int Findings, IReadOnlyDictionary<string, int> Did);

    private static async Task<Ended> OnceAsync(string storePath, PostgresServer postgres, S3Process? objects, string pipeline, Random? chaos, double minutes, TextWriter output)
    {
        var address = postgres.NewSchema();
        Environment.SetEnvironmentVariable(Store.LedgerVariable, address);
        // Several workers share the cores: threads that wait for one another by spinning would stand in each other's way.
        Environment.SetEnvironmentVariable("OMP_NUM_THREADS", "1");
        var store = Store.Open(storePath);
        var servers = Enumerable.Range(0, Servers).Select(number => Serve(storePath, number)).ToArray();
        var did = new Dictionary<string, int> { ["server killed"] = 0, ["worker killed"] = 0, ["server frozen"] = 0, ["worker frozen"] = 0, ["postgres crashed"] = 0, ["objects stalled"] = 0 };
        var clock = Stopwatch.StartNew();
        using var ledger = RunLedger.Open(store, TimeProvider.System);
        var spec = JsonSerializer.Deserialize<PipelineSpec>(await File.ReadAllTextAsync(pipeline), SpecJson.Strict)!;
        var id = new FeatureForge.Jobs.RunDesk(store, ledger, TimeProvider.System).Submit(spec).Pipeline.PipelineId;
        var frozen = new List<(int Process, double Until)>();
        double? stalledUntil = null;
        PipelineRow row;
        while (!(row = ledger.Pipelines.Get(id)).Runs.All(run => run.IsEnded) && clock.Elapsed < _mostPatience)
        {
            await Task.Delay(chaos is null ? 500 : chaos.Next(2000, 8000));
            if (stalledUntil is { } end && end < clock.Elapsed.TotalSeconds)
            {
                objects!.Signal("CONT");
                stalledUntil = null;
            }
            foreach (var (process, _) in frozen.Where(one => one.Until < clock.Elapsed.TotalSeconds).ToList())
            {
                FeatureForgeProcess.Signal(process, "CONT");
                frozen.RemoveAll(one => one.Process == process);
            }
            for (var s = 0; s < Servers; s++)
                if (servers[s].HasExited) servers[s] = Serve(storePath, s);
            if (chaos is null || clock.Elapsed.TotalMinutes > minutes) continue;
            var server = servers[chaos.Next(Servers)].Id;
            var worker = ledger.List(new() { State = RunState.Running, Take = 50 }).Runs.Select(run => run.Worker).OfType<ProcessIdentity>().Where(one => ProcessIdentity.Find(one.ProcessId) == one).Select(one => one.ProcessId).FirstOrDefault();
            if (objects is not null && stalledUntil is null && chaos.NextDouble() < 0.2)
            {
                objects.Signal("STOP");
                stalledUntil = clock.Elapsed.TotalSeconds + chaos.Next(5, 40);
                did["objects stalled"]++;
                continue;
            }
            var act = chaos.NextDouble() switch { < 0.35 => "server killed", < 0.55 => "worker killed", < 0.75 => "server frozen", < 0.9 => "worker frozen", _ => "postgres crashed" };
            if (act.StartsWith("worker", StringComparison.Ordinal) && worker == 0) continue;
            did[act]++;
            if (act == "postgres crashed") postgres.Crash();
            else
            {
                var target = act.StartsWith("server", StringComparison.Ordinal) ? server : worker;
                FeatureForgeProcess.Signal(target, act.EndsWith("killed", StringComparison.Ordinal) ? "KILL" : "STOP");
                if (act.EndsWith("frozen", StringComparison.Ordinal)) frozen.Add((target, clock.Elapsed.TotalSeconds + chaos.Next(3, 50)));
            }
        }
        foreach (var (process, _) in frozen) FeatureForgeProcess.Signal(process, "CONT");
        objects?.Signal("CONT");
        var seconds = clock.Elapsed.TotalSeconds;
        foreach (var run in row.Runs.Where(run => run.State != RunState.Succeeded)) await output.WriteLineAsync($"{run.Stage}: {run.State}: {run.Error}");
        // Thawed servers give up what they no longer hold before they are asked to end.
        await Task.Delay(3000);
        foreach (var server in servers) FeatureForgeProcess.Signal(server.Id, "TERM");
        foreach (var server in servers) await server.WaitForExitAsync();
        await FeatureForgeProcess.RunAsync(storePath, "store", "gc");
        using var verified = JsonDocument.Parse(await FeatureForgeProcess.RunAsync(storePath, "store", "verify", "--json"));
        using var hashes = JsonDocument.Parse(await FeatureForgeProcess.RunAsync(storePath, "store", "hash", "--json"));
        return new(seconds, row.Runs.Count, row.Runs.Count(run => run.State == RunState.Succeeded), row.Runs.Sum(run => run.Attempt),
            hashes.RootElement.GetProperty("tables").EnumerateArray().ToDictionary(table => table.GetProperty("table").GetString()!, table => table.GetProperty("hash").GetString()!),
            verified.RootElement.GetProperty("findings").GetArrayLength(), did);
    }

    // Of a store in a folder the working folder says nothing.
    private static Process Serve(string storePath, int machine)
    {
        Environment.SetEnvironmentVariable(Store.WorkVariable, Path.Combine(Path.GetTempPath(), $"featureforge-chaos-work-{Environment.ProcessId}", $"{machine}"));
        return FeatureForgeProcess.Serve(storePath, "--port", "0", "--roles", "ingest,train,extract,cluster");
    }
}
