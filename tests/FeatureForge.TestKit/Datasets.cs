// Where tests find real files: FEATUREFORGE_DATASETS, else shared/datasets in or beside a folder above the tests.
using System.Formats.Tar;
using System.IO.Compression;

namespace FeatureForge.TestKit;

/// <summary>The folder of data sets; read-only.</summary>
public static class Datasets
{
    /// <summary>The folder, or null when this machine has none.</summary>
    public static string? Folder { get; } = Find();

    /// <summary>The path of a file below the data sets folder, for instance "fsdd/fsdd.zip".</summary>
    /// <exception cref="FileNotFoundException">The file is not there; the message says where it was looked for.</exception>
    public static string File(string relativePath)
    {
        var folder = Folder ?? throw new FileNotFoundException($"No data sets folder: set FEATUREFORGE_DATASETS, or put shared/datasets beside the repository (needed: {relativePath}).");
        var path = Path.Combine(folder, relativePath);
        return System.IO.File.Exists(path) ? path : throw new FileNotFoundException($"Data set file {path} does not exist.");
    }

    /// <summary>Unpacks a data set's zip or tar.gz into a new temporary folder, which goes when the result is disposed.</summary>
    public static TemporaryFolder Unpack(string relativePath)
    {
        var archive = File(relativePath);
        var folder = new TemporaryFolder();
        if (archive.EndsWith(".zip", StringComparison.OrdinalIgnoreCase))
        {
            ZipFile.ExtractToDirectory(archive, folder.Path);
            return folder;
        }
        using var unzipped = new GZipStream(System.IO.File.OpenRead(archive), CompressionMode.Decompress);
        TarFile.ExtractToDirectory(unzipped, folder.Path, overwriteFiles: false);
        return folder;
    }

    private static string? Find()
    {
        var named = Environment.GetEnvironmentVariable("FEATUREFORGE_DATASETS");
        if (!string.IsNullOrEmpty(named)) return Path.GetFullPath(named);
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder != null; folder = folder.Parent)
        {
            var candidate = Path.Combine(folder.FullName, "shared", "datasets");
            if (Directory.Exists(candidate)) return candidate;
        }
        return null;
    }
}
