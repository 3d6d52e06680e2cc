// This test assembly as a program: `worker RUN --store DIR --token N` as the product has it, and `host --store DIR --lease SECONDS`,
// a job host without a web server that tests kill and freeze.
using System.Globalization;

namespace FeatureForge.Jobs.Tests;

internal static class Program
{
    private static async Task<int> Main(string[] arguments)
    {
        string Option(string name) => arguments[Array.IndexOf(arguments, name) + 1];
        if (arguments[0] == "worker")
            return await WorkerProgram.RunAsync(Option("--store"), arguments[1], long.Parse(Option("--token"), CultureInfo.InvariantCulture), TimeProvider.System);

        await using var host = JobHost.Start(Data.Store.Open(Option("--store")),
            new() { WorkersPerQueue = 4, Supervision = new() { Worker = TestPrograms.Worker, Lease = TimeSpan.FromSeconds(int.Parse(Option("--lease"), CultureInfo.InvariantCulture)) } }, TimeProvider.System);
        await Task.Delay(Timeout.Infinite);
        return 0;
    }
}
