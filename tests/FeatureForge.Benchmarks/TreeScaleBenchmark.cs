// What a clustering of a large set costs from Parquet to Parquet, in the program as people run it: seconds, CPU seconds, the worker's peak
// memory (its own, and with the pages of mapped files), and how well the leaves agree with the planted classes.
//   treescale [ROWS ...] [--method tree|kmeans] [--map] [--from-disk]      (--from-disk: as if the vectors were larger than memory)
using System.Diagnostics;
using System.Globalization;
using FeatureForge.Clustering;
using FeatureForge.Data;
using FeatureForge.TestKit;

namespace FeatureForge.Benchmarks;

internal static class TreeScaleBenchmark
{
    private const int RowsPerPart = 100_000;
    private const int RowsPerGroup = 20_000;
    internal const int Dimension = 128;

    internal static async Task<int> RunAsync(string[] arguments, TextWriter output)
    {
        var sizes = arguments.Select(argument => int.TryParse(argument, CultureInfo.InvariantCulture, out var rows) ? rows : 0).Where(rows => rows > 0).ToList();
        if (sizes.Count == 0) sizes = [10_000, 100_000, 1_000_000];
        var method = arguments.Text("--method") ?? "tree";
        if (arguments.Contains("--from-disk")) Environment.SetEnvironmentVariable(VectorRows.LimitVariable, "0");
        await output.WriteLineAsync($"Embedding-like, 256 classes, {Dimension} values, `cluster --method {method}`{(arguments.Contains("--map") ? " and `map`" : "")}.\n\n| rows | verb | seconds | CPU s | peak memory of the worker, MB (its own) | leaves | ARI of the leaves | noise | inertia less than the sample's |\n|---:|---|---:|---:|---:|---:|---:|---:|---:|");
        var costs = new List<(int Rows, double Cpu)>();
        foreach (var rows in sizes)
        {
            var scratch = Directory.CreateTempSubdirectory("featureforge-treescale-");
            try
            {
                var store = Store.Open(Path.Combine(scratch.FullName, "store"));
                var classes = Fill(store, rows);
                string[] command = method == "kmeans" ? ["cluster", "--set", "s", "--clustering", "t", "--method", "kmeans", "--k", "256"] : ["cluster", "--set", "s", "--clustering", "t", "--method", method];
                var cost = await MeasuredAsync(store, command);
                costs.Add((rows, cost.Cpu));
                var (found, ari) = (store.Clustering("t"), await AgreementAsync(store, classes));
                await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"| {rows:N0} | cluster | {cost.Seconds:F1} | {cost.Cpu:F1} | {cost.Peak:N0} ({cost.Own:N0}) | {found.Leaves} | {ari:F3} | {found.Measures.GetValueOrDefault("noise"):P2} | {found.Measures.GetValueOrDefault("gain_over_sample"):P2} |"));
                await output.FlushAsync();
                if (!arguments.Contains("--map")) continue;
                cost = await MeasuredAsync(store, ["map", "--set", "s", "--clustering", "t"]);
                await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"| {rows:N0} | map | {cost.Seconds:F1} | {cost.Cpu:F1} | {cost.Peak:N0} ({cost.Own:N0}) | | trustworthiness {store.Clustering("t").Measures.GetValueOrDefault("trustworthiness"):F3} | | |"));
                await output.FlushAsync();
            }
            finally { scratch.Delete(recursive: true); }
        }
        if (costs.Count > 1)
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"\nCPU seconds grow as rows to the power {Exponent(costs[0], costs[^1]):F2} over all, {Exponent(costs[^2], costs[^1]):F2} between the last two."));
        return 0;
    }

    private static double Exponent((int Rows, double Cpu) a, (int Rows, double Cpu) b) => Math.Log(b.Cpu / a.Cpu) / Math.Log((double)b.Rows / a.Rows);

    // The vectors are gone when this returns: what is measured is another process.
    internal static int[] Fill(Store store, int rows)
    {
        var planted = TreeMixtures.EmbeddingLike(rows);
        var folder = store.SetFolder("s");
        var header = new EmbeddingHeader(Modality.Text, "planted", "planted", Level.High, Grain.Item, Dimension, "cosine", "float32");
        var parts = new List<PartFile>();
        for (var first = 0; first < rows; first += RowsPerPart)
        {
            var (relative, count) = ($"data/level=high/grain=item/part-{first / RowsPerPart:D5}.parquet", Math.Min(RowsPerPart, rows - first));
            using (var writer = new EmbeddingWriter(Path.Combine(folder, relative), header))
            {
                for (var at = first; at < first + count; at += RowsPerGroup)
                {
                    var some = Math.Min(RowsPerGroup, first + count - at);
                    writer.Write(new([.. Enumerable.Range(at, some).Select(IdOf)], new int[some], [.. Enumerable.Repeat(ItemSpan.Range(0, 1), some)], planted.Vectors[(at * Dimension)..((at + some) * Dimension)], Dimension));
                }
                writer.Close();
            }
            parts.Add(DurableFile.Describe(Path.Combine(folder, relative), relative, count));
        }
        var manifest = new SetManifest
        {
            Name = "s",
            Corpus = "planted",
            CorpusVersion = 1,
            Encoder = "planted",
            EncoderId = "planted",
            PreprocessingId = "planted",
            Modality = Modality.Text,
            Dtype = "float32",
            Items = rows,
            Tables = [new(Level.High, Grain.Item, Dimension, "cosine", rows, parts)],
            RunId = "planted",
            UpdatedAt = DateTimeOffset.UnixEpoch,
        };
        DurableFile.WriteAllText(Path.Combine(folder, "set.json"), System.Text.Json.JsonSerializer.Serialize(manifest, SpecJson.Readable));
        return planted.Classes;
    }

    internal static string IdOf(int row) => row.ToString("x32", CultureInfo.InvariantCulture);

    private static async Task<(double Seconds, double Cpu, double Peak, double Own)> MeasuredAsync(Store store, string[] command)
    {
        var clock = Stopwatch.StartNew();
        var running = FeatureForgeProcess.RunAsync(store.Root, command);
        using var ledger = RunLedger.Open(store, TimeProvider.System);
        var (peak, own, cpu) = (0.0, 0.0, 0.0);
        while (await Task.WhenAny(running, Task.Delay(200)) != running)
        {
            if (ledger.List(new() { State = RunState.Running, Take = 1 }).Runs is not [{ Worker: { } worker }]) continue;
            try
            {
                var lines = await File.ReadAllLinesAsync($"/proc/{worker.ProcessId}/status");
                double Megabytes(string name) => double.Parse(lines.First(line => line.StartsWith(name, StringComparison.Ordinal)).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
                (peak, own) = (Megabytes("VmHWM:"), Math.Max(own, Megabytes("RssAnon:")));
                using var process = Process.GetProcessById(worker.ProcessId);
                cpu = process.TotalProcessorTime.TotalSeconds;
            }
            catch (Exception error) when (error is IOException or ArgumentException or InvalidOperationException) { } // It has just ended.
        }
        await running;
        return (clock.Elapsed.TotalSeconds, cpu, peak, own);
    }

    private static async Task<double> AgreementAsync(Store store, int[] classes)
    {
        var (found, numbers) = (new int[classes.Length], new Dictionary<string, int>(StringComparer.Ordinal));
        foreach (var part in store.Clustering("t").MembershipParts)
            await foreach (var row in MembershipsTable.ReadAsync(store.FileOf(store.ClusteringFolder("t"), part), default))
            {
                var leaf = row.ClusterId ?? "";
                if (!numbers.TryGetValue(leaf, out var number)) numbers[leaf] = number = numbers.Count;
                found[int.Parse(row.ItemId.AsSpan(24), NumberStyles.HexNumber, CultureInfo.InvariantCulture)] = number;
            }
        return Agreement.AdjustedRand(found, classes);
    }
}
