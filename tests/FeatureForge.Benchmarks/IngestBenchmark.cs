// What ingest costs beside a plain loop over the same files: pictures against Pillow, recordings against ffmpeg alone, text in MB/s.
//   ingest [pictures] [recordings] [text]        (all when none is named; clothing-photos, esc10 and 200 MB of text made from ag-news; needs /usr/bin/python3 with PIL, and ffmpeg)
// Ours runs in this process into an empty store, Parquet and prepared forms included, and was warmed up before; sides alternate, medians count.
using System.Diagnostics;
using System.Globalization;
using System.Text;
using FeatureForge.Data;
using FeatureForge.Ingest;

namespace FeatureForge.Benchmarks;

internal static class IngestBenchmark
{
    private const int Rounds = 5;
    private const int TextFiles = 2000;
    private const int TextBytes = 100_000;

    internal static async Task<int> RunAsync(string[] halves, TextWriter output)
    {
        var scratch = Directory.CreateTempSubdirectory("featureforge-ingest-").FullName;
        var cores = Environment.ProcessorCount;
        try
        {
            bool Wants(string half) => halves.Length == 0 || halves.Contains(half);
            await output.WriteLineAsync("| what | ours | bare | ratio |\n|---|---:|---:|---:|");
            if (Wants("pictures")) await PicturesAsync();
            if (Wants("recordings")) await RecordingsAsync();
            if (Wants("text")) await TextAsync();
            return 0;
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }

        async Task PicturesAsync()
        {
            var photos = await new LabelledSet("clothing-photos").UnpackAsync(Path.Combine(scratch, "photos"));
            await CompareAsync($"pictures, images/s, against Pillow in {cores} processes", photos, "*.jpg", () => Pillow(photos, cores));
        }

        async Task RecordingsAsync()
        {
            var sounds = await new LabelledSet("esc10").UnpackAsync(Path.Combine(scratch, "sounds"));
            await CompareAsync($"recordings, files/s, against ffmpeg alone, {cores} at a time", sounds, "*.ogg", () => Ffmpeg(sounds, cores));
        }

        async Task TextAsync()
        {
            var texts = WriteTexts(await new LabelledSet("ag-news").UnpackAsync(Path.Combine(scratch, "news")), Path.Combine(scratch, "texts"));
            var (seconds, busy) = (new List<double>(), new List<double>());
            for (var round = 0; round <= Rounds; round++)
            {
                var before = Environment.CpuUsage.TotalTime;
                seconds.Add(await OursAsync(texts));
                busy.Add((Environment.CpuUsage.TotalTime - before).TotalSeconds);
            }
            // The first compiles, and the second still does a little.
            const double megabytes = TextFiles * (double)TextBytes / 1e6;
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"| text, MB/s (MB for each second of a processor) | {megabytes / Median(seconds[2..]):F0} ({megabytes / Median(busy[2..]):F0}) | | |"));
        }

        async Task CompareAsync(string what, string folder, string pattern, Func<double> bare)
        {
            var files = Directory.EnumerateFiles(folder, pattern, SearchOption.AllDirectories).Count();
            var (ours, others) = (new List<double>(), new List<double>());
            await OursAsync(folder);
            for (var round = 0; round < Rounds; round++)
            {
                ours.Add(await OursAsync(folder));
                others.Add(bare());
            }
            var (us, them) = (files / Median(ours), files / Median(others));
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"| {what} | {us:F0} | {them:F0} | {us / them:F2} |"));
        }

        async Task<double> OursAsync(string folder)
        {
            var store = Path.Combine(scratch, "store");
            var start = Stopwatch.GetTimestamp();
            var result = await IngestRun.ExecuteAsync(new() { Sources = [folder], Corpus = "c" }, new RunContext(Store.Open(store), "run", () => { }, new Silence(), TimeProvider.System), default);
            var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            if (result.Added == 0) throw new InvalidOperationException($"Nothing was ingested from {folder}.");
            Directory.Delete(store, recursive: true);
            return seconds;
        }
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private static double Pillow(string folder, int processes) =>
        double.Parse(Output("/usr/bin/python3", Path.Combine(AppContext.BaseDirectory, "peers", "pillow_loop.py"), folder, $"{processes}").Split(' ')[1], CultureInfo.InvariantCulture);

    // One process per file, as every wrapper starts it, decoding to 16 kHz mono samples.
    private static double Ffmpeg(string folder, int processes)
    {
        var start = Stopwatch.GetTimestamp();
        Parallel.ForEach(Directory.EnumerateFiles(folder, "*.ogg", SearchOption.AllDirectories), new ParallelOptions { MaxDegreeOfParallelism = processes },
            file => Output("ffmpeg", "-v", "error", "-threads", "1", "-i", file, "-ac", "1", "-ar", "16000", "-f", "null", "-"));
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static string Output(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        var text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? text : throw new InvalidOperationException($"{program} ended with {process.ExitCode}.");
    }

    // News sentences in a new order for every file, so that no two files are alike.
    private static string WriteTexts(string news, string folder)
    {
        Directory.CreateDirectory(folder);
        var lines = Directory.EnumerateFiles(news, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).SelectMany(File.ReadLines).Take(20_000).ToArray();
        var random = new Random(1);
        for (var i = 0; i < TextFiles; i++)
        {
            var text = new StringBuilder();
            while (text.Length < TextBytes) text.AppendLine(lines[random.Next(lines.Length)]);
            File.WriteAllText(Path.Combine(folder, $"{i:D5}.txt"), text.ToString(0, TextBytes));
        }
        return folder;
    }

    private sealed class Silence : IRunReporter
    {
        public void Progress(RunProgress progress) { }
        public void Log(string level, string message) { }
        public void Metric(long step, string name, double value) { }
        public void RewindMetrics(long step) { }
    }
}
