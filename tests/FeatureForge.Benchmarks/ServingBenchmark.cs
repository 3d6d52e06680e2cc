// Inference under load: many clients that ask for one picture each, again and again, with batches of whatever has come in against batches of one. And search
// under load: neighbours of items, with an index and without.
//   serving [image|text|search] [--seconds N] [--clients N] [--json] [--rows N]
using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using FeatureForge.Data;
using FeatureForge.Ingest;
using FeatureForge.TestKit;

namespace FeatureForge.Benchmarks;

internal static class ServingBenchmark
{
    internal static async Task<int> RunAsync(string[] arguments, TextWriter output)
    {
        var (seconds, clients) = (arguments.Number("--seconds", 60), arguments.Number("--clients", 64));
        var scratch = Directory.CreateTempSubdirectory("featureforge-serving-");
        try
        {
            var store = Path.Combine(scratch.FullName, "store");
            if (arguments.Contains("search"))
            {
                await SearchAsync(store, arguments.Number("--rows", 100_000), clients, seconds, output);
                return 0;
            }
            var isText = arguments.Contains("text");
            var inJson = arguments.Contains("--json");
            var sample = SampleCorpus.Write(isText ? Modality.Text : Modality.Image, Path.Combine(scratch.FullName, "raw"), 200, seed: 1);
            await FeatureForgeProcess.RunAsync(store, "ingest", sample.SourcePath, "--corpus", "c");
            await FeatureForgeProcess.RunAsync(store, "train", "--corpus", "c", "--encoder", "e", "--steps", "5");
            var corpus = Store.Open(store).Corpus("c");
            var items = new List<ItemRow>();
            await foreach (var row in ItemsTable.ReadAsync(Path.Combine(Store.Open(store).CorpusFolder("c"), corpus.ItemParts[0].Path), withContent: true, default)) items.Add(row);
            var requests = items.Select(item => JsonSerializer.SerializeToUtf8Bytes(new
            {
                parameters = new { binary_data_output = !inJson },
                inputs = new[] { new { name = "content", datatype = "BYTES", shape = new[] { 1 }, data = new[] { isText ? item.Text! : Convert.ToBase64String(item.Content!) } } },
            })).ToList();

            await output.WriteLineAsync($"{clients} clients for {seconds} s each, one {(isText ? "text" : "picture")} a request ({requests.Average(request => request.Length):F0} bytes), answers in {(inJson ? "JSON" : "binary")}, encoder {(isText ? "text" : "image")}-tiny, all on the same cores.\n");
            await output.WriteLineAsync("| items in a batch | answers/s | errors | p50 ms | p99 ms | server MB after a tenth, at the end | inference MB after a tenth, at the end | processor ms an answer: clients, server, inference |\n|---|---:|---:|---:|---:|---:|---:|---:|");
            var rates = new List<double>();
            foreach (var batch in new[] { 1, 64 }) rates.Add(await LoadAsync(store, $"{batch}", batch, "/v2/models/e/infer", clients, seconds, requests, output));
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"\nBatches of what has come in give {rates[1] / rates[0]:F2} times the answers of batches of one."));
            return 0;
        }
        finally { scratch.Delete(recursive: true); }
    }

    private static async Task SearchAsync(string folder, int rows, int clients, int seconds, TextWriter output)
    {
        var store = Store.Open(folder);
        TreeScaleBenchmark.Fill(store, rows);
        var requests = Enumerable.Range(0, 1000).Select(i => JsonSerializer.SerializeToUtf8Bytes(new { item = TreeScaleBenchmark.IdOf((int)(i * 7919L % rows)), top = 10 })).ToList();
        await output.WriteLineAsync($"{clients} clients for {seconds} s each, the ten neighbours of an item among {rows:N0} x {TreeScaleBenchmark.Dimension}, all on the same cores.\n");
        await output.WriteLineAsync("| search | answers/s | errors | p50 ms | p99 ms | server MB after a tenth, at the end | inference MB | processor ms an answer: clients, server, inference |\n|---|---:|---:|---:|---:|---:|---:|---:|");
        await LoadAsync(folder, "every vector compared", 1, "/api/v1/sets/s/search", clients, seconds, requests, output);
        await FeatureForgeProcess.RunAsync(folder, "index", "--set", "s");
        await LoadAsync(folder, "index", 1, "/api/v1/sets/s/search", clients, seconds, requests, output);
    }

    private static async Task<double> LoadAsync(string store, string what, int batch, string address, int clients, int seconds, IReadOnlyList<byte[]> requests, TextWriter output)
    {
        var port = FreePort.Find();
        using var server = FeatureForgeProcess.Serve(store, "--port", $"{port}", "--roles", "web", "--inference-batch", $"{batch}");
        try
        {
            using var http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = clients }) { BaseAddress = new($"http://127.0.0.1:{port}") };
            async Task<bool> AskAsync(byte[] request)
            {
                using var content = new ByteArrayContent(request) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
                using var answer = await http.PostAsync(address, content);
                await answer.Content.ReadAsByteArrayAsync();
                return answer.IsSuccessStatusCode;
            }
            for (var attempt = 0; ; attempt++)
            {
                try
                {
                    if (await AskAsync(requests[0])) break;
                }
                catch (HttpRequestException) when (attempt < 200) { await Task.Delay(100); }
            }
            var (latencies, errors) = (new List<double>[clients], 0);
            var before = Work(server.Id);
            var clock = Stopwatch.StartNew();
            (long Server, long Inference) early = default;
            var watching = Task.Run(async () =>
            {
                await Task.Delay(TimeSpan.FromSeconds(seconds / 10.0));
                early = Memory(server.Id);
            });
            await Task.WhenAll(Enumerable.Range(0, clients).Select(client => Task.Run(async () =>
            {
                var mine = latencies[client] = [];
                for (var i = client; clock.Elapsed.TotalSeconds < seconds; i++)
                {
                    var began = Stopwatch.GetTimestamp();
                    if (!await AskAsync(requests[i % requests.Count])) Interlocked.Increment(ref errors);
                    mine.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
                }
            })));
            var elapsed = clock.Elapsed.TotalSeconds;
            await watching;
            var late = Memory(server.Id);
            var work = Work(server.Id).Zip(before).Select(pair => 1000 * (pair.First - pair.Second) / latencies.Sum(mine => mine.Count)).ToList();
            var all = latencies.SelectMany(mine => mine).Order().ToList();
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"| {what} | {all.Count / elapsed:F0} | {errors} | {all[all.Count / 2]:F0} | {all[(int)(all.Count * 0.99)]:F0} | {early.Server >> 20}, {late.Server >> 20} | {early.Inference >> 20}, {late.Inference >> 20} | {work[0]:F2}, {work[1]:F2}, {work[2]:F2} |"));
            return all.Count / elapsed;
        }
        finally
        {
            server.Kill(entireProcessTree: true);
            await server.WaitForExitAsync();
        }
    }

    // Resident bytes of the server and of the child that embeds.
    private static (long Server, long Inference) Memory(int server)
    {
        static long Resident(int process) => File.ReadLines($"/proc/{process}/status").Where(line => line.StartsWith("VmRSS:", StringComparison.Ordinal)).Select(line => long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) << 10).FirstOrDefault();
        return (Resident(server), Children(server).Sum(Resident));
    }

    private static IEnumerable<int> Children(int process) => Directory.EnumerateDirectories($"/proc/{process}/task")
        .SelectMany(task => File.ReadAllText(Path.Combine(task, "children")).Split(' ', StringSplitOptions.RemoveEmptyEntries)).Select(id => int.Parse(id, CultureInfo.InvariantCulture)).ToList();

    // Seconds of processor time so far: of this process, the server, the child that embeds.
    private static double[] Work(int server)
    {
        static double Of(int process)
        {
            using var one = Process.GetProcessById(process);
            return one.TotalProcessorTime.TotalSeconds;
        }
        return [Of(Environment.ProcessId), Of(server), Children(server).Sum(Of)];
    }
}
