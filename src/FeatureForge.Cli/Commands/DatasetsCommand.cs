// `datasets`: the public sets that the demo knows, fetching them, and small corpora that are made on the spot.
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

        var modality = new Argument<Modality>("MODALITY") { Description = "audio, image or text." };
        var target = new Option<string?>("--into") { Description = "Folder to put it in. Default: ./datasets/MODALITY." };
        var count = new Option<int?>("--items") { Description = "How many. Default: 1500 recordings, 3000 pictures or 4000 texts." };
        var make = new Command("make", "Make a small corpus with known classes on the spot, without a network: synthesised syllables, drawn glyphs and textures, sentences from a grammar.")
            .With(modality, target, count).Does((parsed, options, _) =>
        {
            var chosen = parsed.GetRequiredValue(modality);
            var folder = Path.GetFullPath(parsed.GetValue(target) ?? Path.Combine("datasets", chosen.ToString().ToLowerInvariant()));
            if (parsed.GetValue(count) is < 1 or > 1_000_000) throw new BadRequestException($"--items {parsed.GetValue(count)}: expected 1 to 1,000,000.");
            if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any()) throw new BadRequestException($"--into {folder}: the folder is not empty; name a new one.");
            var made = DemoSamples.Make(chosen, folder, parsed.GetValue(count));
            if (options.Json) Verb.PrintJson(new { made.What, Path = made.Sample.SourcePath, Labels = made.Sample.LabelsPath });
            else Console.Out.WriteLine($"{made.What}: {made.Sample.SourcePath}\nThe classes they were made from, for `evaluate` only: {made.Sample.LabelsPath}");
            return Task.FromResult(ExitCode.Done);
        });
        return new Command("datasets", "Data sets: list, get public ones, make small ones.").With(list, get, make);
    }
}
