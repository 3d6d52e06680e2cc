// Benchmarks of FeatureForge: each prints Markdown that goes into RESULTS.md with date, commit and machine.
//   dotnet run -c Release --project tests/FeatureForge.Benchmarks -- quality [set ...] [--seeds N] [--minutes M]
//   dotnet run -c Release --project tests/FeatureForge.Benchmarks -- speed
//   dotnet run -c Release --project tests/FeatureForge.Benchmarks -- soak
//   dotnet run -c Release --project tests/FeatureForge.Benchmarks -- tree [--digits FILE] [--rows N] [--seeds N]
using FeatureForge.Benchmarks;

if (args is ["quality", .. var rest]) return await QualityBenchmark.RunAsync(rest, Console.Out);
if (args is ["speed"]) return await SpeedBenchmark.RunAsync(Console.Out);
if (args is ["tree", .. var tree]) return await TreeBenchmark.RunAsync(tree, Console.Out);
if (args is ["soak"]) return await SoakBenchmark.RunAsync(Console.Out);
Console.Error.WriteLine("Usage: quality [set ...] [--seeds N] [--minutes M] | speed | soak | tree [--digits FILE] [--rows N] [--seeds N]");
return 2;
