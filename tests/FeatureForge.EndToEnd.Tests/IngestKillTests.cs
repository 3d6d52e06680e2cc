// kill -9 at random points of an ingest, of the program or of its worker, again and again: the store ends as an uninterrupted one.
// FEATUREFORGE_KILLS sets how many points (4 unless it is set; 20 before a release).
using System.Globalization;
using FeatureForge.Data;
using FeatureForge.TestKit;

namespace FeatureForge.EndToEnd.Tests;

public sealed class IngestKillTests : IDisposable
{
    private const int Rows = 30_000;
    private const int LongestMilliseconds = 1500;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static int Kills => int.TryParse(Environment.GetEnvironmentVariable("FEATUREFORGE_KILLS"), CultureInfo.InvariantCulture, out var kills) ? kills : 4;

    [Fact]
    public async Task An_ingest_killed_at_random_points_ends_with_the_same_hash()
    {
        var source = _folder.Write("rows.jsonl", string.Concat(Enumerable.Range(0, Rows).Select(i => $$"""{"id":"r{{i}}","text":"{{(i % 997 == 0 ? "" : $"row {i % 29_000} of many")}}"}""" + "\n")));
        string[] command = ["ingest", source, "--corpus", "c"];
        var (calm, stormy) = (Path.Combine(_folder.Path, "calm"), Path.Combine(_folder.Path, "stormy"));
        Assert.Equal(0, (await FeatureForgeProgram.RunAsync(calm, command)).ExitCode);
        var random = new Random(5);

        var killed = 0;
        for (var i = 0; i < Kills; i++) killed += await KillAsync(stormy, command, random.Next(LongestMilliseconds), isHost: random.Next(2) == 0) ? 1 : 0;
        var finished = await FeatureForgeProgram.RunAsync(stormy, command);

        Assert.Equal(0, finished.ExitCode);
        Assert.True(killed > 0, "no run was killed: the test proved nothing");
        Assert.Equal((await FeatureForgeProgram.RunAsync(calm, "store", "hash")).Output, (await FeatureForgeProgram.RunAsync(stormy, "store", "hash")).Output);
        Assert.Equal(0, (await FeatureForgeProgram.RunAsync(stormy, "store", "verify")).ExitCode);
    }

    /// <summary>False when the run had ended before its time came.</summary>
    private static async Task<bool> KillAsync(string storePath, string[] command, int afterMilliseconds, bool isHost)
    {
        using var program = FeatureForgeProgram.Start(storePath, command);
        var worker = await program.UntilWorkingOrEndedAsync(storePath);
        if (worker is null) return false;
        await Task.Delay(afterMilliseconds);
        if (ProcessIdentity.Find(worker.ProcessId) != worker) return false;
        if (isHost) program.Signal("KILL");
        else FeatureForgeProgram.Signal(worker.ProcessId, "KILL");
        await program.EndAsync();
        await FeatureForgeProgram.UntilAsync(() => ProcessIdentity.Find(worker.ProcessId) == worker, alive => !alive);
        return true;
    }
}
