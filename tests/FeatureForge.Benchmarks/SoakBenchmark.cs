// Does anything grow? 2,000 training steps and 100,000 extracted items in this process: live tensors and resident memory along the way.
//   soak [--steps N] [--items N]        (random pictures of 16 x 16 in an IDX file)
using System.Buffers.Binary;
using System.Globalization;
using System.Text.Json;
using FeatureForge.Data;
using FeatureForge.Learning;
using TorchSharp;

namespace FeatureForge.Benchmarks;

internal static class SoakBenchmark
{
    private const int Side = 16;
    private const int Lines = 8;

    internal static async Task<int> RunAsync(string[] arguments, TextWriter output)
    {
        var (steps, items) = (arguments.Number("--steps", 2_000), arguments.Number("--items", 100_000));
        var scratch = Directory.CreateTempSubdirectory("featureforge-soak-");
        try
        {
            var folder = Path.Combine(scratch.FullName, "store");
            await FeatureForgeProcess.RunAsync(folder, "ingest", Pictures(Path.Combine(scratch.FullName, "random-idx3-ubyte"), items), "--corpus", "random");
            var store = Store.Open(folder);
            var recipe = Path.Combine(scratch.FullName, "recipe.json");
            await File.WriteAllTextAsync(recipe, JsonSerializer.Serialize(Recipe.DefaultFor(Modality.Image) with { BatchSize = 32 }, SpecJson.Readable));

            await output.WriteLineAsync("| after | live tensors | resident MB | of it anonymous | of it mapped files | managed heap MB |\n|---|---:|---:|---:|---:|---:|");
            var training = new Watch(output, "steps", steps);
            await TrainRun.ExecuteAsync(new() { Corpus = "random", Encoder = "e", Recipe = recipe, Steps = steps, Device = "cpu" }, new RunContext(store, "train", () => { }, training, TimeProvider.System), default);
            var extraction = new Watch(output, "items", items);
            await ExtractRun.ExecuteAsync(new() { Corpus = "random", Encoder = "e", Set = "s", Grains = [Grain.Item], Device = "cpu" }, new RunContext(store, "extract", () => { }, extraction, TimeProvider.System), default);
            return 0;
        }
        finally
        {
            scratch.Delete(recursive: true);
        }
    }

    private static string Pictures(string path, int items)
    {
        using var file = File.Create(path);
        Span<byte> header = stackalloc byte[16];
        foreach (var (value, number) in new[] { 0x803, items, Side, Side }.Select((value, number) => (value, number))) BinaryPrimitives.WriteInt32BigEndian(header[(4 * number)..], value);
        file.Write(header);
        var random = new Random(1);
        var picture = new byte[Side * Side];
        for (var i = 0; i < items; i++)
        {
            random.NextBytes(picture);
            file.Write(picture);
        }
        return path;
    }

    /// <summary>Prints a line for every eighth of the work, and one at its end.</summary>
    private sealed class Watch(TextWriter output, string unit, long total) : IRunReporter
    {
        private long _next = total / Lines;

        public void Progress(RunProgress progress)
        {
            if (unit == "items") Look(progress.Done);
        }

        public void Metric(long step, string name, double value)
        {
            if (unit == "steps" && name == "learning_rate") Look(step);
        }

        private void Look(long done)
        {
            if (done < Math.Min(_next, total)) return;
            _next = done < total ? done + total / Lines : long.MaxValue;
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {done:N0} {unit} | {torch.Tensor.TotalCount} | {Environment.WorkingSet / 1e6:F0} | {Status("RssAnon"):F0} | {Status("RssFile"):F0} | {GC.GetTotalMemory(forceFullCollection: false) / 1e6:F0} |"));
        }

        // Megabytes, of a line of /proc/self/status.
        private static double Status(string name) => OperatingSystem.IsLinux()
            ? File.ReadLines("/proc/self/status").Where(line => line.StartsWith(name + ":", StringComparison.Ordinal)).Select(line => double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) * 1024 / 1e6).FirstOrDefault()
            : double.NaN;

        public void Log(string level, string message) { }
        public void RewindMetrics(long step) { }
    }
}
