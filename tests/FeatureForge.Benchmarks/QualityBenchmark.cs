// How good are the embeddings? For each labelled set: train on the train split alone, embed everything, and let `evaluate`
// compare every level with a random encoder and with raw features. Labels reach nothing but `evaluate`.
using System.Diagnostics;
using System.Formats.Tar;
using System.IO.Compression;

namespace FeatureForge.Benchmarks;

internal static class QualityBenchmark
{
    private static readonly string[] _all = ["fsdd", "cifar10", "ag-news"];

    internal static async Task<int> RunAsync(string[] arguments, TextWriter output)
    {
        var minutes = Array.IndexOf(arguments, "--minutes") is var at and >= 0 ? arguments[at + 1] : "3";
        var names = arguments.Where(_all.Contains).ToArray() is { Length: > 0 } chosen ? chosen : _all;
        var datasets = Environment.GetEnvironmentVariable("FEATUREFORGE_DATASETS") ?? Path.GetFullPath("../shared/datasets");
        var scratch = Directory.CreateTempSubdirectory("featureforge-quality-");
        try
        {
            foreach (var name in names) await MeasureAsync(name, Path.Combine(datasets, name), scratch.FullName, minutes, output);
            return 0;
        }
        finally
        {
            scratch.Delete(recursive: true);
        }
    }

    private static async Task MeasureAsync(string name, string dataset, string scratch, string minutes, TextWriter output)
    {
        var whole = Path.Combine(scratch, name, "whole");
        var train = Path.Combine(scratch, name, "train");
        await UnpackAsync(dataset, whole);
        LinkTrainSplit(Path.Combine(dataset, "labels.csv"), whole, train);
        var store = Path.Combine(scratch, name, "store");

        await FeatureForgeProcess.RunAsync(store, "ingest", train, "--corpus", "train");
        await FeatureForgeProcess.RunAsync(store, "ingest", whole, "--corpus", "whole");
        var clock = Stopwatch.StartNew();
        await FeatureForgeProcess.RunAsync(store, "train", "--corpus", "train", "--encoder", "encoder", "--minutes", minutes);
        var trained = clock.Elapsed;
        await FeatureForgeProcess.RunAsync(store, "extract", "--corpus", "whole", "--encoder", "encoder", "--set", "set");
        await FeatureForgeProcess.RunAsync(store, "cluster", "--set", "set", "--clustering", "tree");
        var result = await FeatureForgeProcess.RunAsync(store, "evaluate", "--set", "set", "--clustering", "tree", "--labels", Path.Combine(dataset, "labels.csv"));

        await output.WriteLineAsync($"\n### {name} ({trained.TotalSeconds:F0} s of training wall time, start and stop included)\n");
        await output.WriteLineAsync($"```\n{result.TrimEnd()}\n```");
        await output.FlushAsync();
    }

    private static async Task UnpackAsync(string dataset, string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (var archive in Directory.EnumerateFiles(dataset))
        {
            if (archive.EndsWith(".zip", StringComparison.Ordinal)) await ZipFile.ExtractToDirectoryAsync(archive, folder);
            if (!archive.EndsWith(".tar.gz", StringComparison.Ordinal)) continue;
            await using var plain = new GZipStream(File.OpenRead(archive), CompressionMode.Decompress);
            await TarFile.ExtractToDirectoryAsync(plain, folder, overwriteFiles: true);
        }
    }

    /// <summary>The files of the train split (a table counts as train when its rows are), under the same relative paths.</summary>
    private static void LinkTrainSplit(string labels, string whole, string train)
    {
        var files = File.ReadLines(labels).Skip(1).Select(line => line.Split(',')).Where(cells => cells[2] == "train")
            .Select(cells => cells[0].Split('#')[0]).Distinct();
        foreach (var file in files)
        {
            var target = Path.Combine(train, file);
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(Path.Combine(whole, file), target);
        }
    }
}
