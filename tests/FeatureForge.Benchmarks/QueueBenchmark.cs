// A server with a long history and a long queue: how soon the next run begins when one ends, and how long pages and requests take meanwhile.
//   queue [--rows N] [--queued N] [--seconds N]        (1,000,000 runs in the ledger, 10,000 more that wait, unless given)
using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using FeatureForge.Data;
using FeatureForge.TestKit;
using Microsoft.Data.Sqlite;

namespace FeatureForge.Benchmarks;

internal static class QueueBenchmark
{
    internal static async Task<int> RunAsync(string[] arguments, TextWriter output)
    {
        var (rows, queued, seconds) = (arguments.Number("--rows", 1_000_000), arguments.Number("--queued", 10_000), arguments.Number("--seconds", 60));
        var folder = Directory.CreateTempSubdirectory("featureforge-queue-").FullName;
        try
        {
            var store = Store.Open(folder);
            using var ledger = RunLedger.Open(store, TimeProvider.System);
            using (var connection = new SqliteConnection($"Data Source={store.CatalogPath}"))
            {
                connection.Open();
                LedgerBenchmark.Fill(connection, rows);
            }
            var clock = Stopwatch.StartNew();
            for (var i = 0; i < queued; i++) ledger.Create(new() { Kind = RunKind.Selftest, Spec = Spec($"waiting-{i}") });
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{rows:N0} runs that have ended, {queued:N0} that wait; {1000 * clock.Elapsed.TotalSeconds / queued:F2} ms to ask for one."));

            var port = FreePort.Find();
            using var server = FeatureForgeProcess.Serve(folder, "--port", $"{port}");
            using var http = new HttpClient { BaseAddress = new($"http://127.0.0.1:{port}"), Timeout = TimeSpan.FromMinutes(2) };
            while (!await MapPageBenchmark.IsUpAsync(http)) await Task.Delay(100);
            var taken = await AskAsync(http, seconds);
            var cancelled = Stopwatch.StartNew();
            using (var answer = await http.PostAsJsonAsync("/api/v1/runs/cancel", new { state = "queued", text = "waiting-" })) answer.EnsureSuccessStatusCode();
            cancelled.Stop();
            FeatureForgeProcess.Signal(server.Id, "TERM");
            await server.WaitForExitAsync();

            var done = ledger.List(new() { Kind = RunKind.Selftest, State = RunState.Succeeded, Take = 1000 }).Runs.Where(run => run is { StartedAt: not null, FinishedAt: not null }).OrderBy(run => run.StartedAt).ToList();
            var gaps = done.Zip(done.Skip(1)).Select(pair => (pair.Second.StartedAt!.Value - pair.First.FinishedAt!.Value).TotalMilliseconds).ToList();
            await output.WriteLineAsync("\n| | times | median ms | 99 % ms |\n|---|---:|---:|---:|");
            foreach (var (what, values) in taken.Append(("from one run's end to the next one's start", gaps)))
                await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"| {what} | {values.Count} | {At(values, 0.5):F0} | {At(values, 0.99):F0} |"));
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"\n{done.Count} runs, each in a process of its own, in {seconds} s; cancelling the others in one request: {cancelled.Elapsed.TotalMilliseconds:F0} ms."));
            return 0;
        }
        finally
        {
            SqliteConnection.ClearAllPools();
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string Spec(string name) => $$"""{"name":"{{name}}","units":1,"milliseconds_per_unit":0,"fault":"none","fault_unit":0,"faulty_attempts":1}""";

    private static async Task<List<(string What, List<double> Milliseconds)>> AskAsync(HttpClient http, int seconds)
    {
        (string What, Func<int, Task<HttpResponseMessage>> Ask)[] requests =
        [
            ("overview", _ => http.GetAsync("/")), ("runs", _ => http.GetAsync("/runs")), ("runs that wait", _ => http.GetAsync("/runs?state=queued")), ("search for an argument", i => http.GetAsync($"/runs?text=corpus-000{i % 1000:D4}")),
            ("asking for one more", i => http.PostAsJsonAsync("/api/v1/runs", new { kind = "selftest", spec = JsonSerializer.Deserialize<JsonElement>(Spec($"waiting-more-{i}")) })),
        ];
        var taken = requests.Select(request => (request.What, Milliseconds: new List<double>())).ToList();
        var clock = Stopwatch.StartNew();
        for (var i = 0; clock.Elapsed.TotalSeconds < seconds; i++)
        {
            var began = Stopwatch.GetTimestamp();
            using var answer = await requests[i % requests.Length].Ask(i);
            answer.EnsureSuccessStatusCode();
            await answer.Content.ReadAsByteArrayAsync();
            taken[i % requests.Length].Milliseconds.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            await Task.Delay(100);
        }
        return taken;
    }

    private static double At(List<double> values, double share) => values.Count == 0 ? double.NaN : values.Order().ElementAt(Math.Min(values.Count - 1, (int)(share * values.Count)));
}
