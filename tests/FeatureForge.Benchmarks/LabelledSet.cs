// The labelled sets of the quality benchmark: how they are unpacked, split and asked about.
using System.Formats.Tar;
using System.IO.Compression;

namespace FeatureForge.Benchmarks;

/// <summary>A question to a set: what the labels are about, and the file that holds them.</summary>
internal sealed record Question(string Name, string Labels);

/// <param name="Folds">The set has official folds: seed s is tested on fold s % 5 + 1 and trained on the others.</param>
/// <param name="Also">Another column that is asked about, or null.</param>
internal sealed record LabelledSet(string Name, bool Folds = false, string? Also = null)
{
    public static IReadOnlyList<LabelledSet> All { get; } =
        [new("fsdd", Also: "speaker"), new("esc10", Folds: true), new("cifar10"), new("fashion-mnist"), new("ag-news"), new("20newsgroups")];

    /// <summary>The folder of data sets.</summary>
    public static string Folder => Environment.GetEnvironmentVariable("FEATUREFORGE_DATASETS") ?? Path.GetFullPath("../shared/datasets");

    private string Source => Path.Combine(Folder, Name);

    /// <summary>The set's files as a user would point at them.</summary>
    public async Task<string> UnpackAsync(string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (var archive in Directory.EnumerateFiles(Source))
        {
            if (archive.EndsWith(".zip", StringComparison.Ordinal)) await ZipFile.ExtractToDirectoryAsync(archive, folder);
            else if (archive.EndsWith("-ubyte.gz", StringComparison.Ordinal)) File.Copy(archive, Path.Combine(folder, Path.GetFileName(archive)));
            else if (archive.EndsWith(".tar.gz", StringComparison.Ordinal))
            {
                await using var plain = new GZipStream(File.OpenRead(archive), CompressionMode.Decompress);
                await TarFile.ExtractToDirectoryAsync(plain, folder, overwriteFiles: true);
            }
        }
        return folder;
    }

    /// <summary>The label files for a seed, the main question first.</summary>
    public IReadOnlyList<Question> Questions(int seed, string scratch)
    {
        var labels = Path.Combine(Source, "labels.csv");
        var lines = File.ReadLines(labels).Select(line => line.Split(',')).ToList();
        int Column(string name) => Array.IndexOf(lines[0], name);
        string Write(string question, Func<string[], string> label, Func<string[], string> split)
        {
            var path = Path.Combine(scratch, $"{question}-{seed}.csv");
            File.WriteAllLines(path, lines.Skip(1).Select(cells => $"{cells[0]},{label(cells)},{split(cells)}").Prepend("path,label,split"));
            return path;
        }
        if (Folds)
        {
            var fold = (seed % 5 + 1).ToString(System.Globalization.CultureInfo.InvariantCulture);
            return [new("label", Write("fold", cells => cells[1], cells => cells[Column("fold")] == fold ? "test" : "train"))];
        }
        return Also is null ? [new("label", labels)] : [new("label", labels), new(Also, Write(Also, cells => cells[Column(Also)], cells => cells[2]))];
    }

    /// <summary>The files of the train split (a table counts as train when its rows are), under the same relative paths.</summary>
    public string LinkTrainSplit(string labels, string whole, string train)
    {
        var files = File.ReadLines(labels).Skip(1).Select(line => line.Split(',')).Where(cells => cells[2] == "train").Select(cells => cells[0].Split('#')[0]).Distinct();
        foreach (var file in files)
        {
            var target = Path.Combine(train, file);
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(Path.Combine(whole, file), target);
        }
        return train;
    }
}
