// Does a second server process help? Extraction in shards by one and by two servers on one PostgreSQL ledger and one store, one thread each.
//   fanout [--items N] [--shards N]
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using FeatureForge.Data;
using FeatureForge.Ingest;
using FeatureForge.TestKit;

namespace FeatureForge.Benchmarks;

internal static class FanOutBenchmark
{
    private const int Parts = 12;

    internal static async Task<int> RunAsync(string[] arguments, TextWriter output)
    {
        var (items, shards) = (arguments.Number("--items", 18_000), arguments.Number("--shards", 4));
        var scratch = Directory.CreateTempSubdirectory("featureforge-fanout-");
        using var postgres = new PostgresServer();
        try
        {
            Environment.SetEnvironmentVariable(Store.LedgerVariable, postgres.NewSchema());
            Environment.SetEnvironmentVariable("OMP_NUM_THREADS", "1");
            var storePath = Path.Combine(scratch.FullName, "store");
            for (var part = 0; part < Parts; part++)
                await FeatureForgeProcess.RunAsync(storePath, "ingest", SampleCorpus.Write(Modality.Image, Path.Combine(scratch.FullName, $"raw{part}"), items / Parts, seed: part).SourcePath, "--corpus", "c");
            await FeatureForgeProcess.RunAsync(storePath, "train", "--corpus", "c", "--encoder", "e", "--steps", "3");
            var store = Store.Open(storePath);
            using var ledger = RunLedger.Open(store, TimeProvider.System);
            await output.WriteLineAsync($"{items} pictures in {Parts} parts, {shards} shards and the run that publishes, item and segment vectors of four levels.\n\n| servers | seconds | pictures/s | runs: began, ended, processor seconds |\n|---|---:|---:|---|");
            var seconds = new List<double>();
            foreach (var (servers, name) in new[] { (1, "one"), (2, "two"), (1, "one-again"), (2, "two-again") })
            {
                var running = Enumerable.Range(0, servers).Select(_ => FeatureForgeProcess.Serve(storePath, "--port", "0", "--roles", "extract")).ToList();
                await Task.Delay(4000);
                var clock = Stopwatch.StartNew();
                var spec = new FeatureForge.Learning.ExtractSpec { Corpus = "c", Encoder = "e", Set = name }.InShards(shards);
                var id = new FeatureForge.Jobs.RunDesk(store, ledger, TimeProvider.System).Submit(spec).Pipeline.PipelineId;
                while (!ledger.Pipelines.Get(id).Runs.All(run => run.IsEnded)) await Task.Delay(100);
                seconds.Add(clock.Elapsed.TotalSeconds);
                foreach (var server in running)
                {
                    FeatureForgeProcess.Signal(server.Id, "TERM");
                    await server.WaitForExitAsync();
                }
                await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"| {servers} | {seconds[^1]:F1} | {items / seconds[^1]:F0} | {Timeline(ledger.Pipelines.Get(id))} |"));
                if (ledger.Pipelines.Get(id).State != RunState.Succeeded) return 1;
            }
            using var hashes = JsonDocument.Parse(await FeatureForgeProcess.RunAsync(storePath, "store", "hash", "--json"));
            var contents = hashes.RootElement.GetProperty("tables").EnumerateArray().Where(table => table.GetProperty("table").GetString()!.EndsWith("level=high/grain=item", StringComparison.Ordinal)).Select(table => table.GetProperty("hash").GetString()).Distinct().Count();
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"\nTwo servers take {(seconds[1] + seconds[3]) / (seconds[0] + seconds[2]):F2} of the time of one ({(seconds[0] + seconds[2]) / (seconds[1] + seconds[3]):F2} times as fast); all four sets have {(contents == 1 ? "the same content" : $"**{contents} contents**")}."));
            return contents == 1 ? 0 : 1;
        }
        finally { scratch.Delete(recursive: true); }
    }

    // Where the time went: a worker's start and the publishing run are the parts that a second server does not halve.
    private static string Timeline(PipelineRow pipeline) => string.Join("; ", pipeline.Runs.OrderBy(run => run.StartedAt).Select(run => string.Create(CultureInfo.InvariantCulture,
        $"{(run.StartedAt - pipeline.CreatedAt)?.TotalSeconds:F1} to {(run.FinishedAt - pipeline.CreatedAt)?.TotalSeconds:F1}, {run.Usage?.CpuSeconds:F1}")));
}
