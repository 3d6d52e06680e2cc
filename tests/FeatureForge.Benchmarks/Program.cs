// Benchmarks of FeatureForge: each prints Markdown that goes into RESULTS.md with date, commit and machine.
//   dotnet run -c Release --project tests/FeatureForge.Benchmarks -- quality [set ...] [--seeds N] [--first-seed S] [--minutes M] [--log FILE]
//   dotnet run -c Release --project tests/FeatureForge.Benchmarks -- speed [training] [extraction]
//   dotnet run -c Release --project tests/FeatureForge.Benchmarks -- soak
//   dotnet run -c Release --project tests/FeatureForge.Benchmarks -- tree [--digits FILE] [--rows N] [--seeds N]
//   dotnet run -c Release --project tests/FeatureForge.Benchmarks -- kmeans [MIXTURE ...] [--no-peers] | neighbours [ROWS] | microclusters [ROWS ...]
//   dotnet run -c Release --project tests/FeatureForge.Benchmarks -- ingest [pictures] [recordings] [text]
//   dotnet run -c Release --project tests/FeatureForge.Benchmarks -- ingest-duplicates [set ...]
//   dotnet run -c Release --project tests/FeatureForge.Benchmarks -- labels [set ...] [--store DIR] [--seeds N] [--steps N] [--search]
//   dotnet run -c Release --project tests/FeatureForge.Benchmarks -- ledger [ROWS]
//   dotnet run -c Release --project tests/FeatureForge.Benchmarks -- parquet [ROWS DIMENSION]
// speed and soak run in a process that starts as workers do.
using System.Diagnostics;
using FeatureForge.Benchmarks;
using FeatureForge.Jobs;

if (args is ["speed" or "soak", ..] && Environment.GetEnvironmentVariable("GLIBC_TUNABLES") is null)
{
    var again = new ProcessStartInfo("dotnet", [Environment.GetCommandLineArgs()[0], .. args]);
    foreach (var (name, value) in WorkerEnvironment.Tuning) again.Environment.TryAdd(name, value);
    using var process = Process.Start(again)!;
    await process.WaitForExitAsync();
    return process.ExitCode;
}
if (args is ["quality", .. var rest]) return await QualityBenchmark.RunAsync(rest, Console.Out);
if (args is ["speed", .. var halves]) return await SpeedBenchmark.RunAsync(halves, Console.Out);
if (args is ["tree", .. var tree]) return await TreeBenchmark.RunAsync(tree, Console.Out);
if (args is ["soak"]) return await SoakBenchmark.RunAsync(Console.Out);
if (args is ["kmeans", .. var mixtures]) return await KMeansBenchmark.KMeansAsync(mixtures, Console.Out);
if (args is ["neighbours", .. var rows]) return KMeansBenchmark.Neighbours(rows, Console.Out);
if (args is ["microclusters", .. var sizes]) return KMeansBenchmark.MicroClusterCosts(sizes, Console.Out);
if (args is ["ingest", .. var kinds]) return await IngestBenchmark.RunAsync(kinds, Console.Out);
if (args is ["ingest-duplicates", .. var sets]) return await DuplicatesBenchmark.RunAsync(sets, Console.Out);
if (args is ["labels", .. var labels]) return await LabelBenchmark.RunAsync(labels, Console.Out);
if (args is ["ledger", .. var runs]) return await LedgerBenchmark.RunAsync(runs, Console.Out);
if (args is ["parquet", .. var table]) return await ParquetBenchmark.RunAsync(table, Console.Out);
Console.Error.WriteLine("Usage: quality | speed | tree | soak | kmeans | neighbours | microclusters | ingest | ingest-duplicates | labels | ledger | parquet; the head of Program.cs has their arguments.");
return 2;
