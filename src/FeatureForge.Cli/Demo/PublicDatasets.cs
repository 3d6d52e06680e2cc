// The public data sets that the demo and `datasets get` know: where they lie, how big they are, their hash and licence.
// Hashes are those that other catalogues publish for the same files (TensorFlow Datasets; scikit-learn).
using FeatureForge.Data;

namespace FeatureForge.Cli;

/// <summary>One file to download.</summary>
/// <param name="Name">File name at rest.</param>
/// <param name="Url">Where its publisher serves it.</param>
/// <param name="Bytes">Size in bytes, or null when the publisher states none.</param>
/// <param name="Sha256">Hex SHA-256 of the file, 64 characters.</param>
/// <param name="Keep">For a tar.gz of which only one folder is data: entries whose path holds this are unpacked, the rest is left; null = used as it is.</param>
public sealed record PublicFile(string Name, string Url, long? Bytes, string Sha256, string? Keep = null);

/// <summary>A public data set.</summary>
/// <param name="Local">Where it lies under FEATUREFORGE_DATASETS when somebody put it there: one file or folder to ingest.</param>
public sealed record PublicDataset(string Name, Modality Modality, string Title, string Licence, string Homepage, string Local, IReadOnlyList<PublicFile> Files);

/// <summary>The closed list.</summary>
public static class PublicDatasets
{
    public static IReadOnlyList<PublicDataset> All { get; } =
    [
        new("fsdd", Modality.Audio, "Free Spoken Digit Dataset 1.0.9: spoken digits, WAV, 8 kHz", "CC BY-SA 4.0",
            "https://github.com/Jakobovski/free-spoken-digit-dataset", "fsdd/fsdd.zip",
            [new("free-spoken-digit-dataset-1.0.9.tar.gz", "https://github.com/Jakobovski/free-spoken-digit-dataset/archive/v1.0.9.tar.gz",
                11_975_353, "8bc44cde129d505cbbb6b365c09f80c663f2aa77578afc634e6141a2f87100c0", Keep: "/recordings/")]),
        new("fashion-mnist", Modality.Image, "Fashion-MNIST, the 10,000 test images: 28 x 28 grey pictures of clothes", "MIT",
            "https://github.com/zalandoresearch/fashion-mnist", "fashion-mnist/t10k-images-idx3-ubyte.gz",
            [new("t10k-images-idx3-ubyte.gz", "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/t10k-images-idx3-ubyte.gz",
                4_422_102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073")]),
        new("20newsgroups", Modality.Text, "20 Newsgroups by date: posts to twenty Usenet groups", "CC BY 4.0",
            "https://archive.ics.uci.edu/dataset/113/twenty+newsgroups", "20newsgroups/20newsgroups.zip",
            [new("20news-bydate.tar.gz", "https://ndownloader.figshare.com/files/5975967",
                null, "8f1b2514ca22a5ade8fbb9cfa5727df95fa587f4c87b786e15c759fa66d95610")]),
    ];

    /// <summary>The set of that name, or a bad request that lists the names.</summary>
    public static PublicDataset Named(string name) => All.FirstOrDefault(set => set.Name == name)
        ?? throw new BadRequestException($"There is no public data set named '{name}'; known are: {string.Join(", ", All.Select(set => set.Name))}.");

    /// <summary>The set's files under the folder that FEATUREFORGE_DATASETS names, or null when it names none that holds them.</summary>
    public static string? FindLocal(PublicDataset set)
    {
        if (Environment.GetEnvironmentVariable("FEATUREFORGE_DATASETS") is not { Length: > 0 } folder) return null;
        var path = Path.GetFullPath(Path.Combine(folder, set.Local));
        return Path.Exists(path) ? path : null;
    }
}
