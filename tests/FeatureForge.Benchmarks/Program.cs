// Benchmarks of FeatureForge: each prints Markdown that goes into RESULTS.md with date, commit and machine.
//   dotnet run -c Release --project tests/FeatureForge.Benchmarks -- quality [fsdd|cifar10|ag-news ...] [--minutes M]
using FeatureForge.Benchmarks;

if (args is ["quality", .. var rest]) return await QualityBenchmark.RunAsync(rest, Console.Out);
Console.Error.WriteLine("Usage: quality [data set ...] [--minutes M]");
return 2;
