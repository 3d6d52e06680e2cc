// kill -9 in every stage, then the same command again: the store holds what an uninterrupted store holds.
using System.Text.Json;
using FeatureForge.Data;
using FeatureForge.Ingest;
using FeatureForge.TestKit;

namespace FeatureForge.EndToEnd.Tests;

public sealed class KillTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static string[][] Commands(string source) =>
    [
        ["ingest", source, "--corpus", "c"],
        ["train", "--corpus", "c", "--encoder", "e", "--steps", "12", "--device", "cpu"],
        ["extract", "--corpus", "c", "--encoder", "e", "--set", "s"],
        ["cluster", "--set", "s", "--clustering", "t"],
        ["map", "--set", "s", "--clustering", "t"],
    ];

    [Theory]
    [InlineData(Modality.Image, "host")]
    [InlineData(Modality.Text, "worker")]
    public async Task A_store_whose_every_stage_was_killed_equals_an_uninterrupted_one(Modality modality, string victim)
    {
        var sample = SampleCorpus.Write(modality, Path.Combine(_folder.Path, "raw"), 2500, seed: 4);
        var (calm, stormy) = (Path.Combine(_folder.Path, "calm"), Path.Combine(_folder.Path, "stormy"));

        var attempts = 0;
        foreach (var command in Commands(sample.SourcePath))
        {
            await SucceedAsync(calm, command);
            await KillOnceAsync(stormy, command, victim);
            attempts += await SucceedAsync(stormy, command);
        }

        Assert.Equal(await HashAsync(calm), await HashAsync(stormy));
        Assert.True(attempts > Commands("").Length, "no stage was interrupted: the test proved nothing");
        Assert.False(Directory.Exists(Path.Combine(stormy, ".staging")) && Directory.EnumerateFileSystemEntries(Path.Combine(stormy, ".staging")).Any());
    }

    private static async Task KillOnceAsync(string storePath, string[] command, string victim)
    {
        using var program = FeatureForgeProgram.Start(storePath, command);
        var worker = await program.UntilWorkingOrEndedAsync(storePath);
        if (worker is null) return;
        if (victim == "host") program.Signal("KILL");
        else FeatureForgeProgram.Signal(worker.ProcessId, "KILL");
        await program.EndAsync();
        await FeatureForgeProgram.UntilAsync(() => ProcessIdentity.Find(worker.ProcessId) == worker, alive => !alive);
    }

    /// <summary>How many attempts the run took, the killed one included.</summary>
    private static async Task<int> SucceedAsync(string storePath, string[] command)
    {
        var outcome = await FeatureForgeProgram.RunAsync(storePath, [.. command, "--json"]);
        Assert.True(outcome.ExitCode == 0, $"{string.Join(' ', command)}: exit code {outcome.ExitCode}\n{outcome.Errors}");
        return outcome.Json.GetProperty("attempt").GetInt32();
    }

    private static async Task<string> HashAsync(string storePath)
    {
        var outcome = await FeatureForgeProgram.RunAsync(storePath, "store", "hash", "--json");
        var tables = outcome.Json.GetProperty("tables").EnumerateArray().Select(table => JsonSerializer.Serialize(table));
        return string.Join('\n', tables);
    }
}
