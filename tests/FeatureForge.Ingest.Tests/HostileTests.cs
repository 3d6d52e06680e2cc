// The hostile files: every one ends as an item, a duplicate or a quarantine row, and nothing is left behind.
using FeatureForge.Data;
using FeatureForge.TestKit;

namespace FeatureForge.Ingest.Tests;

public sealed class HostileTests
{
    [NeedsDatasetsFact("hostile.zip")]
    public async Task Every_hostile_file_ends_as_an_item_or_with_a_reason()
    {
        using var store = new TemporaryStore();
        using var source = Datasets.Unpack("hostile.zip");

        var ingested = await Ingested.RunAsync(store, source.Path);

        var ids = ingested.Items.Select(item => item.ItemId).ToHashSet();
        var settled = ingested.Items.Select(item => item.Path).Concat(ingested.Quarantine.Select(row => row.Path)).Select(path => path.Split('!')[0].Split('#')[0]).ToHashSet();
        var files = Directory.GetFiles(source.Path, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(source.Path, file).Replace('\\', '/'));
        Assert.DoesNotContain(files, file => !settled.Contains(file) && !IsArchive(file) && !ids.Contains(ContentId.Of(File.ReadAllBytes(Path.Combine(source.Path, file)))));
        Assert.All(ingested.Quarantine, row => Assert.NotEmpty(row.Reason));
        Assert.False(Directory.Exists(Path.Combine(store.Store.Root, ".staging", "run-1")));
        Assert.Equal(RejectionCode.ArchiveBomb, ingested.Bad("hostile/archive/Zip_Bomb/zbsm.zip").Code);
        Assert.All(ingested.Quarantine.Where(row => row.Path.Contains("ZOD/42.zip", StringComparison.Ordinal)), row => Assert.Equal(RejectionCode.Encrypted, row.Code));
    }

    // All entries of an archive may be duplicates of other files.
    private static bool IsArchive(string file) => file.Contains("/archive/", StringComparison.Ordinal);
}
