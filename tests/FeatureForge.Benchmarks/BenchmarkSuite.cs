// All benchmarks, and the one command that runs them: each in a process of its own, one after the other, small unless all of it is asked for.
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using FeatureForge.Jobs;

namespace FeatureForge.Benchmarks;

/// <param name="Name">The word that runs it.</param>
/// <param name="Arguments">What it takes, as its usage line says it.</param>
/// <param name="Small">Arguments of the small size; the sizes of the tables in RESULTS.md are its defaults.</param>
/// <param name="AsWorker">It has to start with the environment that workers get.</param>
internal sealed record Benchmark(string Name, string Arguments, string[] Small, Func<string[], TextWriter, Task<int>> RunAsync, bool AsWorker = false);

internal static class BenchmarkSuite
{
    internal static IReadOnlyList<Benchmark> All { get; } =
    [
        new("quality", "[SET ...] [--seeds N] [--first-seed S] [--minutes M] [--recipe FILE] [--log FILE]", ["fsdd", "--minutes", "0.5"], QualityBenchmark.RunAsync),
        new("speed", "[training] [extraction] [--pictures N]", ["--pictures", "1000"], SpeedBenchmark.RunAsync, AsWorker: true),
        new("soak", "[--steps N] [--items N]", ["--steps", "100", "--items", "10000"], SoakBenchmark.RunAsync, AsWorker: true),
        new("tree", "[--digits FILE] [--rows N] [--seeds N]", ["--rows", "0", "--seeds", "2"], TreeBenchmark.RunAsync),
        new("treescale", "[ROWS ...] [--method tree|kmeans] [--map] [--from-disk]", ["5000", "10000"], TreeScaleBenchmark.RunAsync),
        new("mappage", "[ROWS] [--keep DIR]", ["100000"], MapPageBenchmark.RunAsync),
        new("kmeans", "[MIXTURE ...] [--rows N] [--no-peers]", ["emb_like", "--rows", "20000"], KMeansBenchmark.KMeansAsync),
        new("neighbours", "[ROWS]", ["10000"], (arguments, output) => Task.FromResult(KMeansBenchmark.Neighbours(arguments, output))),
        new("microclusters", "[ROWS ...]", ["5000", "20000"], (arguments, output) => Task.FromResult(KMeansBenchmark.MicroClusterCosts(arguments, output))),
        new("ingest", "[pictures] [recordings] [text]", ["recordings"], IngestBenchmark.RunAsync),
        new("ingest-duplicates", "[SET ...] | index", ["esc10"], DuplicatesBenchmark.RunAsync),
        new("labels", "[SET ...] [--store DIR] [--seeds N] [--steps N] [--search]", ["fsdd", "--seeds", "2", "--steps", "100"], LabelBenchmark.RunAsync),
        new("labellog", "[ROWS]", ["20000"], LabelLogBenchmark.RunAsync),
        new("ledger", "[ROWS]", ["50000"], LedgerBenchmark.RunAsync),
        new("queue", "[--rows N] [--queued N] [--seconds N]", ["--rows", "20000", "--queued", "500", "--seconds", "10"], QueueBenchmark.RunAsync),
        new("serving", "[image|text|search] [--seconds N] [--clients N] [--json] [--rows N]", ["--seconds", "5"], ServingBenchmark.RunAsync),
        new("fanout", "[--items N] [--shards N]", ["--items", "600"], FanOutBenchmark.RunAsync),
        new("chaos", "[--items N] [--minutes M] [--seed S] [--s3]", ["--items", "300", "--minutes", "1"], ChaosBenchmark.RunAsync),
        new("parquet", "[ROWS DIMENSION]", ["20000", "384"], ParquetBenchmark.RunAsync),
    ];

    /// <summary>Runs one benchmark in this process, or in one that starts as a worker does where that matters.</summary>
    internal static async Task<int> RunOneAsync(Benchmark benchmark, string[] arguments) =>
        benchmark.AsWorker && Environment.GetEnvironmentVariable("GLIBC_TUNABLES") is null ? await ChildAsync(benchmark, arguments) : await benchmark.RunAsync(arguments, Console.Out);

    /// <summary>Runs every benchmark and prints a page of Markdown; one that fails says so on it and the others go on. Returns the number of failures.</summary>
    /// <param name="full">The sizes of the tables in RESULTS.md (hours) instead of small ones (minutes).</param>
    internal static async Task<int> RunAllAsync(bool full, TextWriter output)
    {
        await output.WriteLineAsync($"# Benchmarks of {TimeProvider.System.GetUtcNow():yyyy-MM-dd HH:mm} UTC, {(full ? "full size" : "small size: shows that they run; ratios of RESULTS.md come from --full")}\n\nCommit {Commit()}. {Machine()}");
        var failed = 0;
        foreach (var benchmark in All)
        {
            var arguments = full ? [] : benchmark.Small;
            await output.WriteLineAsync($"\n## `{string.Join(' ', arguments.Prepend(benchmark.Name))}`\n");
            await output.FlushAsync();
            var clock = Stopwatch.StartNew();
            var code = await ChildAsync(benchmark, arguments);
            if (code != 0) failed++;
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"\n{(code == 0 ? "" : $"**Failed with {code}.** ")}Took {clock.Elapsed.TotalSeconds:F0} s."));
        }
        await output.WriteLineAsync($"\n{All.Count - failed} of {All.Count} benchmarks ended well.");
        return failed;
    }

    private static async Task<int> ChildAsync(Benchmark benchmark, string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Environment.GetCommandLineArgs()[0], benchmark.Name, .. arguments]);
        if (benchmark.AsWorker)
            foreach (var (name, value) in WorkerEnvironment.Tuning) start.Environment.TryAdd(name, value);
        using var process = Process.Start(start)!;
        await process.WaitForExitAsync();
        return process.ExitCode;
    }

    private static string Machine()
    {
        var model = File.Exists("/proc/cpuinfo") ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim() : null;
        var load = File.Exists("/proc/loadavg") ? $", load {File.ReadAllText("/proc/loadavg").Split(' ')[0]} at the start" : "";
        return string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessorCount} cores ({model ?? RuntimeInformation.ProcessArchitecture.ToString()}), {GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1e9:F0} GB, {RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}{load}.");
    }

    private static string Commit()
    {
        string Git(params string[] arguments)
        {
            try
            {
                using var process = Process.Start(new ProcessStartInfo("git", ["-C", Path.GetDirectoryName(Environment.GetCommandLineArgs()[0])!, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
                var text = process.StandardOutput.ReadToEnd();
                process.WaitForExit();
                return process.ExitCode == 0 ? text.Trim() : "";
            }
            catch (System.ComponentModel.Win32Exception)
            {
                return "";
            }
        }
        return Git("rev-parse", "--short", "HEAD") is { Length: > 0 } commit ? commit + (Git("status", "--porcelain", "--untracked-files=no").Length > 0 ? " with changes" : "") : "unknown";
    }
}
