// A disk that fills up while files are ingested: a small file system in memory stands for it.
using FeatureForge.TestKit;

namespace FeatureForge.EndToEnd.Tests;

public sealed class DiskFullTests : IDisposable
{
    private const int Documents = 600;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [NeedsToolFact("tmpfs")]
    public async Task A_full_disk_is_named_the_store_stays_sound_and_room_lets_the_run_go_on()
    {
        var source = WriteDocuments();
        using var disk = new SmallDisk(Path.Combine(_folder.Path, "disk"), "70m");
        var (small, roomy) = (Path.Combine(disk.Path, "store"), Path.Combine(_folder.Path, "roomy"));
        await FeatureForgeProgram.RunAsync(small, "ingest", Path.Combine(source, "000.txt"), "--corpus", "first");

        var failed = await FeatureForgeProgram.RunAsync(small, "ingest", source, "--corpus", "c");
        var verified = await FeatureForgeProgram.RunAsync(small, "store", "verify");
        disk.Resize("400m");
        var resumed = await FeatureForgeProgram.RunAsync(small, "ingest", source, "--corpus", "c", "--json");

        Assert.Equal((3, 0, 0), (failed.ExitCode, verified.ExitCode, resumed.ExitCode));
        Assert.Matches($"The disk that holds {disk.Path}.* is full: [0-9]+ bytes are needed, [0-9]+ are free", failed.Errors);
        Assert.Equal(2, resumed.Json.GetProperty("attempt").GetInt32());
        await FeatureForgeProgram.RunAsync(roomy, "ingest", Path.Combine(source, "000.txt"), "--corpus", "first");
        await FeatureForgeProgram.RunAsync(roomy, "ingest", source, "--corpus", "c");
        Assert.Equal((await FeatureForgeProgram.RunAsync(roomy, "store", "hash")).Output, (await FeatureForgeProgram.RunAsync(small, "store", "hash")).Output);
    }

    [NeedsToolFact("tmpfs")]
    public async Task Without_a_free_byte_nothing_starts_and_the_disk_is_named()
    {
        _folder.Write("words.txt", "words");
        using var disk = new SmallDisk(Path.Combine(_folder.Path, "disk"), "1m");
        disk.FillUpTo(0);

        var failed = await FeatureForgeProgram.RunAsync(Path.Combine(disk.Path, "store"), "ingest", Path.Combine(_folder.Path, "words.txt"), "--corpus", "c");

        Assert.Equal(3, failed.ExitCode);
        Assert.Contains("is full", failed.Errors);
    }

    // Random letters hardly shrink.
    private string WriteDocuments()
    {
        var random = new Random(1);
        foreach (var i in Enumerable.Range(0, Documents)) _folder.Write($"raw/{i:D3}.txt", new string(random.GetItems("abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ".AsSpan(), 60_000)));
        return Path.Combine(_folder.Path, "raw");
    }
}
