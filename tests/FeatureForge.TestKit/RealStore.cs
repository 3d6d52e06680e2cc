// A small store of real pictures, made by the program itself: ingest, train, extract, cluster, map. For test projects that refer to the program.
using System.Buffers.Binary;
using System.IO.Compression;
using FeatureForge.Data;
using Xunit;

namespace FeatureForge.TestKit;

/// <summary>Fashion-MNIST's first 400 test pictures, with an encoder of 20 steps.</summary>
public sealed class RealStore : IAsyncLifetime
{
    public const int Pictures = 400;
    public const string Needs = "fashion-mnist/t10k-images-idx3-ubyte.gz";
    private readonly TemporaryFolder _folder = new();

    public string Path => System.IO.Path.Combine(_folder.Path, "store");
    public Store Store => Store.Open(Path);

    public async Task InitializeAsync()
    {
        // Outside CI the tests are skipped then.
        if (Datasets.Folder is null && !ContinuousIntegration.IsOn) return;
        var source = System.IO.Path.Combine(_folder.Path, "pictures-idx3-ubyte");
        await File.WriteAllBytesAsync(source, FirstPictures(Datasets.File(Needs)));
        await RunAsync("ingest", source, "--corpus", "clothes");
        await RunAsync("train", "--corpus", "clothes", "--encoder", "clothes", "--steps", "20");
        await RunAsync("extract", "--corpus", "clothes", "--encoder", "clothes", "--set", "clothes", "--grains", "item,patch");
        await RunAsync("cluster", "--set", "clothes", "--clustering", "clothes");
        await RunAsync("map", "--set", "clothes", "--clustering", "clothes");
    }

    public Task DisposeAsync()
    {
        _folder.Dispose();
        return Task.CompletedTask;
    }

    private async Task RunAsync(params string[] arguments)
    {
        var outcome = await FeatureForgeProgram.RunAsync(Path, [.. arguments, "--quiet"]);
        if (outcome.ExitCode != 0) throw new InvalidOperationException($"{string.Join(' ', arguments)}: exit code {outcome.ExitCode}\n{outcome.Errors}");
    }

    private static byte[] FirstPictures(string path)
    {
        const int header = 16, bytes = 28 * 28;
        using var stream = new GZipStream(File.OpenRead(path), CompressionMode.Decompress);
        var pictures = new byte[header + Pictures * bytes];
        stream.ReadExactly(pictures);
        BinaryPrimitives.WriteInt32BigEndian(pictures.AsSpan(4), Pictures);
        return pictures;
    }
}
