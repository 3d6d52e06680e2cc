// `demo`: the main job on all three modalities, from raw files to a dashboard.
using System.CommandLine;
using FeatureForge.Data;
using FeatureForge.Server;

namespace FeatureForge.Cli;

internal static class DemoCommand
{
    internal static Command Create()
    {
        var port = new Option<int>("--port") { Description = "Port of the dashboard on this machine's loopback address.", DefaultValueFactory = _ => 8080 };
        var noServe = new Option<bool>("--no-serve") { Description = "End after the last stage instead of serving the dashboard." };
        var data = new Option<string?>("--data") { Description = "A folder of your own to use, or one that holds the public sets. Default: FEATUREFORGE_DATASETS, else the network, else data made on the spot." };
        var minutes = new Option<double?>("--minutes") { Description = "Training time of all three encoders together. Default: 4.8, which makes ten minutes in all on two cores." };
        return new Command("demo", "Ingest, train, extract, cluster and map audio, images and text, then serve the dashboard.").With(port, noServe, data, minutes)
            .Does(async (parsed, options, stop) =>
            {
                var number = parsed.GetValue(port);
                if (number is < 0 or > 65535) throw new BadRequestException($"--port {number}: expected 0 to 65535.");
                if (parsed.GetValue(minutes) is <= 0 or > 10_000) throw new BadRequestException($"--minutes {parsed.GetValue(minutes)}: expected more than 0 and at most 10000.");
                var store = options.OpenOrCreateStore();
                var code = await RunAsync(store, options, parsed.GetValue(data), (parsed.GetValue(minutes) ?? DemoPlan.DefaultMinutes) / DemoPlan.DefaultMinutes, stop);
                if (code != ExitCode.Done || parsed.GetValue(noServe)) return code;
                await Console.Out.WriteLineAsync($"The dashboard is open at http://127.0.0.1:{number} (Ctrl-C ends it; `featureforge serve` opens it again).");
                await ServerHost.RunAsync(new() { StorePath = store.Address, Urls = [$"http://127.0.0.1:{number}"] }, stop);
                return ExitCode.Done;
            });
    }

    private static async Task<int> RunAsync(Store store, GlobalOptions options, string? data, double speed, CancellationToken stop)
    {
        var display = ProgressDisplay.OfConsole(options.Quiet);
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(20) };
        var downloads = Path.Combine(store.Root, "downloads");
        var sources = await new DemoSources(downloads, new(http, mirror: null, PublicDownload.ShortBackOff), display.Say).FindAsync(data, stop);
        foreach (var source in sources) display.Say($"Corpus {source.Corpus}: {source.Origin}.");

        var follower = new RunFollower(store, options, display);
        var ingested = await follower.ExecuteAsync(DemoPlan.Ingest(sources), stop);
        if (ingested.State != RunState.Succeeded) return RunSummary.Print(ingested, store, options);
        var learned = await follower.ExecuteAsync(DemoPlan.Learn(store, sources, speed), stop);
        if (!options.Json) RunSummary.Print(ingested, store, options);
        return RunSummary.Print(learned, store, options);
    }
}
