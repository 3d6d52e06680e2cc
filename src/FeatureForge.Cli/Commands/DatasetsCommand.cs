// `datasets`: the public sets that the demo knows, and fetching them.
using System.CommandLine;
using System.Globalization;
using FeatureForge.Data;

namespace FeatureForge.Cli;

internal static class DatasetsCommand
{
    internal static Command Create()
    {
        var list = new Command("list", "List the public data sets that can be fetched.").Does((_, options, _) =>
        {
            if (options.Json) Verb.PrintJson(new { Datasets = PublicDatasets.All.Select(set => new { set.Name, set.Modality, set.Title, set.Licence, set.Homepage, set.Files, FoundAt = PublicDatasets.FindLocal(set) }) });
            else
                foreach (var set in PublicDatasets.All)
                    Console.Out.WriteLine($"{set.Name,-14} {set.Modality.ToString().ToLowerInvariant(),-6} {set.Title}\n{"",-21} {set.Licence}, {set.Homepage}{(PublicDatasets.FindLocal(set) is { } local ? $"\n{"",-21} found at {local}" : "")}");
            return Task.FromResult(ExitCode.Done);
        });

        var name = new Argument<string>("NAME") { Description = $"One of: {string.Join(", ", PublicDatasets.All.Select(set => set.Name))}." };
        var into = new Option<string?>("--into") { Description = "Folder to put it in. Default: ./datasets/NAME." };
        var mirror = new Option<string?>("--mirror") { Description = "Fetch MIRROR/FILE instead of the publisher's address; the SHA-256 stays the same." };
        var get = new Command("get", "Fetch a public data set; continues where an earlier try ended.").With(name, into, mirror).Does(async (parsed, options, stop) =>
        {
            var set = PublicDatasets.Named(parsed.GetRequiredValue(name));
            Uri? address = null;
            if (parsed.GetValue(mirror) is { } given && (!Uri.TryCreate(given, UriKind.Absolute, out address) || address.Scheme is not ("http" or "https")))
                throw new BadRequestException($"--mirror {given}: expected an http or https address.");
            var folder = Path.GetFullPath(parsed.GetValue(into) ?? Path.Combine("datasets", set.Name));
            using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(100) };
            var display = ProgressDisplay.OfConsole(options.Quiet);
            var start = TimeProvider.System.GetTimestamp();
            try
            {
                var path = await new PublicDownload(http, address, PublicDownload.ShortBackOff).GetAsync(set, folder, (file, bytes, total) =>
                {
                    var rate = bytes / Math.Max(0.001, TimeProvider.System.GetElapsedTime(start).TotalSeconds);
                    display.Show(new($"fetch {file}", bytes, total ?? 0, "bytes", rate, total is { } all && rate > 0 ? (all - bytes) / rate : null));
                }, stop);
                display.Clear();
                if (options.Json) Verb.PrintJson(new { set.Name, Path = path, set.Licence });
                else Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{set.Title} ({set.Licence}) is at {path}; next: featureforge ingest {path} --corpus NAME"));
                return ExitCode.Done;
            }
            catch (DownloadException error)
            {
                display.Clear();
                await Console.Error.WriteLineAsync(error.Message);
                return ExitCode.RunFailed;
            }
        });
        return new Command("datasets", "Public data sets: list, get.").With(list, get);
    }
}
