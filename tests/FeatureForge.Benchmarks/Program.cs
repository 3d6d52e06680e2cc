// Benchmarks of FeatureForge: each prints Markdown; what is worth keeping goes into RESULTS.md with date, commit and machine.
//   dotnet run -c Release --project tests/FeatureForge.Benchmarks                     all of them, small: minutes
//   dotnet run -c Release --project tests/FeatureForge.Benchmarks -- --full           all of them in the sizes of RESULTS.md: hours
//   dotnet run -c Release --project tests/FeatureForge.Benchmarks -- NAME [...]       one of them; --help lists names and arguments
using FeatureForge.Benchmarks;

if (args is [] or ["--full"]) return await BenchmarkSuite.RunAllAsync(args is ["--full"], Console.Out) == 0 ? 0 : 1;
if (BenchmarkSuite.All.FirstOrDefault(benchmark => benchmark.Name == args[0]) is { } chosen) return await BenchmarkSuite.RunOneAsync(chosen, args[1..]);
var asked = args is ["--help"];
var writer = asked ? Console.Out : Console.Error;
writer.WriteLine("Without arguments: all benchmarks, small. --full: all, in the sizes of RESULTS.md. Or one of:");
foreach (var benchmark in BenchmarkSuite.All) writer.WriteLine($"  {benchmark.Name} {benchmark.Arguments}");
return asked ? 0 : 2;
