// k-means beside scikit-learn and faiss (Debian 12's packages, through peers/kmeans_peers.py) on the same rows with the same number of
// threads, alternating, and what micro-clusters and the exact neighbour graph cost as sets grow.
//   kmeans [MIXTURE ...] [--rows N] [--no-peers]      plain Lloyd by 20 passes; the default against faiss' 100 iterations and k-means++
//   neighbours [ROWS]                      share of the matrix product's speed that the exact graph reaches
//   microclusters [ROWS ...]               seconds and memory, and the fitted exponent
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using FeatureForge.Tensors;
using TorchSharp;

namespace FeatureForge.Benchmarks;

internal static class KMeansBenchmark
{
    private const int Clusters = 256;

    private sealed record Timing(double Seconds, double Cpu);

    private static (T Result, Timing Time) Timed<T>(Func<T> work)
    {
        using var process = Process.GetCurrentProcess();
        var (cpu, clock) = (process.TotalProcessorTime, Stopwatch.StartNew());
        var result = work();
        process.Refresh();
        return (result, new(clock.Elapsed.TotalSeconds, (process.TotalProcessorTime - cpu).TotalSeconds));
    }

    internal static async Task<int> KMeansAsync(string[] arguments, TextWriter output)
    {
        var peers = !arguments.Contains("--no-peers");
        var rows = arguments.Number("--rows", 100_000);
        var names = arguments.Intersect(PlantedMixture.Names).ToList();
        var scratch = Directory.CreateTempSubdirectory("featureforge-kmeans-");
        try
        {
            await output.WriteLineAsync("| mixture | method | seconds | CPU s | passes | inertia |\n|---|---|---:|---:|---:|---:|");
            foreach (var name in names.Count > 0 ? names : [.. PlantedMixture.Names])
            {
                var mixture = PlantedMixture.Of(name, rows);
                var file = Path.Combine(scratch.FullName, name + ".f32");
                await File.WriteAllBytesAsync(file, MemoryMarshal.AsBytes(mixture.Values.AsSpan()).ToArray());
                Ours("plain Lloyd, 20 passes", new() { Clusters = Clusters, RandomSeeds = true, Restarts = 1, SwapRounds = 0, Iterations = 20, Tolerance = 0, Seed = 1 }); // warm
                Ours("plain Lloyd, 20 passes", new() { Clusters = Clusters, RandomSeeds = true, Restarts = 1, SwapRounds = 0, Iterations = 20, Tolerance = 0 });
                if (peers) await PeersAsync("faiss20");
                for (var seed = 0; seed < 2; seed++) Ours($"default, seed {seed}", new() { Clusters = Clusters, Seed = seed });
                if (peers) await PeersAsync("faiss100", "sklearn");

                void Ours(string method, KMeansOptions options)
                {
                    var (result, time) = Timed(() => KMeans.Fit(mixture.Values, mixture.Rows, PlantedMixture.Dimension, options));
                    output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {name} | {method} | {time.Seconds:F2} | {time.Cpu:F2} | {result.Iterations} | {result.Inertia:F0} |"));
                }

                async Task PeersAsync(params string[] runs)
                {
                    var script = Path.Combine(AppContext.BaseDirectory, "peers", "kmeans_peers.py");
                    var start = new ProcessStartInfo("/usr/bin/python3", [script, file, $"{rows}", $"{PlantedMixture.Dimension}", $"{Clusters}", $"{Environment.ProcessorCount}", string.Join(',', runs)]) { RedirectStandardOutput = true };
                    using var process = Process.Start(start)!;
                    while (await process.StandardOutput.ReadLineAsync() is { } line)
                    {
                        using var run = JsonDocument.Parse(line);
                        double Value(string key) => run.RootElement.GetProperty(key).GetDouble();
                        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"| {name} | {run.RootElement.GetProperty("run")} | {Value("seconds"):F2} | {Value("cpu_seconds"):F2} | {Value("iterations"):F0} | {Value("inertia"):F0} |"));
                    }
                    await process.WaitForExitAsync();
                    if (process.ExitCode != 0) await output.WriteLineAsync($"| {name} | peers ended with {process.ExitCode}: apt-get install python3-sklearn python3-faiss libopenblas0-pthread | | | | |");
                }
            }
            return 0;
        }
        finally
        {
            scratch.Delete(recursive: true);
        }
    }

    internal static int Neighbours(string[] arguments, TextWriter output)
    {
        var rows = arguments is [var word] ? int.Parse(word, CultureInfo.InvariantCulture) : 40_000;
        var mixture = PlantedMixture.Of("emb_like", rows);
        output.WriteLine("| round | products alone, GFLOP/s per CPU s | exact graph, k = 15 | ratio |\n|---|---:|---:|---:|");
        for (var round = 0; round < 3; round++)
        {
            var (_, products) = Timed(() => Products(mixture.Values, rows));
            var (_, graph) = Timed(() => Tensors.Neighbours.Among(mixture.Values, rows, PlantedMixture.Dimension, 15, VectorMetric.Cosine));
            double Speed(Timing time) => 2.0 * rows * rows * PlantedMixture.Dimension / time.Cpu / 1e9;
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {round} | {Speed(products):F1} | {Speed(graph):F1} | {Speed(graph) / Speed(products):F2} |"));
        }
        return 0;
    }

    // LibTorch's own product of all pairs, in blocks that stay in the cache, nothing else done with them.
    private static int Products(float[] values, int rows)
    {
        const int block = 2048;
        using var scope = torch.NewDisposeScope();
        var all = HostCopies.ToTensor(values, [rows, PlantedMixture.Dimension], torch.CPU);
        var transposed = all.t();
        var product = torch.empty(block, block);
        for (long first = 0; first + block <= rows; first += block)
            for (long second = 0; second + block <= rows; second += block)
            {
                using var step = torch.NewDisposeScope();
                torch.mm(all.slice(0, first, first + block, 1), transposed.slice(1, second, second + block, 1));
            }
        return 0;
    }

    internal static int MicroClusterCosts(string[] arguments, TextWriter output)
    {
        int[] sizes = arguments.Length > 0 ? Array.ConvertAll(arguments, word => int.Parse(word, CultureInfo.InvariantCulture)) : [10_000, 100_000, 1_000_000];
        output.WriteLine("| rows | cells | seconds | CPU s | purity | peak memory of the process, MB |\n|---:|---:|---:|---:|---:|---:|");
        var logs = new List<(double Rows, double Cpu)>();
        foreach (var rows in sizes)
        {
            var mixture = PlantedMixture.Of("emb_like", rows);
            var (found, time) = Timed(() => MicroClusters.Fit(RowStream.Of(mixture.Values, rows, PlantedMixture.Dimension), new() { Metric = VectorMetric.Cosine }));
            var counts = new Dictionary<(int, int), int>();
            for (var row = 0; row < rows; row++) counts[(found.Nearest[row], mixture.Classes[row])] = counts.GetValueOrDefault((found.Nearest[row], mixture.Classes[row])) + 1;
            var pure = counts.GroupBy(pair => pair.Key.Item1).Sum(cell => (double)cell.Max(pair => pair.Value)) / rows;
            using var process = Process.GetCurrentProcess();
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {rows} | {found.Cells} | {time.Seconds:F1} | {time.Cpu:F1} | {pure:F4} | {process.PeakWorkingSet64 >> 20} |"));
            logs.Add((Math.Log(rows), Math.Log(time.Cpu)));
        }
        if (logs.Count > 1)
        {
            var (x, y) = (logs.Average(point => point.Rows), logs.Average(point => point.Cpu));
            var slope = logs.Sum(point => (point.Rows - x) * (point.Cpu - y)) / logs.Sum(point => (point.Rows - x) * (point.Rows - x));
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"\nCPU seconds grow as rows to the power {slope:F2}."));
        }
        return 0;
    }
}
