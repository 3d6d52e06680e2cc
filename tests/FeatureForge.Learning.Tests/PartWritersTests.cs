// A disk that fills up under the vectors of one part.
using FeatureForge.Data;
using FeatureForge.TestKit;

namespace FeatureForge.Learning.Tests;

public sealed class PartWritersTests : IDisposable
{
    private const int Dimension = 256;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static SpanVectors Block(int first, int rows)
    {
        var random = new Random(first);
        var vectors = new float[rows * Dimension];
        foreach (ref var value in vectors.AsSpan()) value = random.NextSingle();
        var ids = Enumerable.Range(first, rows).Select(row => row.ToString("x32")).ToArray();
        return new(Level.High, Grain.Item, new(ids, new int[rows], [.. Enumerable.Repeat(ItemSpan.Rectangle(0, 0, 8, 8), rows)], vectors, Dimension));
    }

    [NeedsToolFact("tmpfs")]
    public void A_full_disk_is_named_and_what_is_unfinished_gives_its_room_back()
    {
        using var disk = new SmallDisk(Path.Combine(_folder.Path, "disk"), "64m");
        var store = Store.Open(Path.Combine(disk.Path, "store"));
        var staging = Directory.CreateDirectory(Path.Combine(disk.Path, "store", ".staging", "run")).FullName;
        disk.FillUpTo(8 << 20);
        var header = new EmbeddingHeader(Modality.Image, "e", "p", Level.High, Grain.Item, Dimension, "cosine", "float32");

        var error = Record.Exception(() =>
        {
            using var writers = new PartWriters(store, staging, part: 0, items: 100_000, [header]);
            for (var block = 0; block < 100; block++) writers.Add(Block(block * 1000, 1000), default);
            writers.Complete();
        });

        Assert.NotNull(error);
        Assert.Matches($"The disk that holds {disk.Path}.* is full", DiskFullException.Behind(error, store.Root)?.Message);
        Assert.Empty(Directory.EnumerateFiles(staging, "*", SearchOption.AllDirectories));
        Assert.True(new DriveInfo(disk.Path).AvailableFreeSpace > 7 << 20);
    }
}
