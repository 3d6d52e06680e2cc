// A file whose decoder takes the process down, played by a signal to the worker whenever it is at that file.
using System.Security.Cryptography;
using System.Text;
using FeatureForge.Data;
using FeatureForge.TestKit;

namespace FeatureForge.EndToEnd.Tests;

public sealed class DecoderCrashTests : IDisposable
{
    private const int HeaderBytes = 44;
    private const int Second = 4 * 44_100;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_file_that_crashes_the_worker_is_quarantined_and_the_run_goes_on()
    {
        var source = Directory.CreateDirectory(Path.Combine(_folder.Path, "files")).FullName;
        for (var i = 0; i < 40; i++) File.WriteAllText(Path.Combine(source, $"text-{i:D2}.txt"), $"This is text number {i}.");
        var bad = Path.Combine(source, "long.wav");
        WriteSilence(bad, seconds: 4000);
        var key = SHA256.HashData(Encoding.UTF8.GetBytes($"{new Uri(bad).AbsoluteUri}\nlong.wav"))[..16];
        var store = Path.Combine(_folder.Path, "store");

        using var program = FeatureForgeProgram.Start(store, "ingest", source, "--corpus", "c", "--json");
        var ending = program.EndAsync();
        var crashed = new HashSet<int>();
        while (!ending.IsCompleted)
        {
            if (WorkerAt(store, key) is { } worker)
            {
                // The first only takes the runtime's handler away, which returns to abort(); this is not abort().
                FeatureForgeProgram.Signal(worker.ProcessId, "ABRT");
                FeatureForgeProgram.Signal(worker.ProcessId, "ABRT");
                crashed.Add(worker.ProcessId);
            }
            await Task.WhenAny(ending, Task.Delay(10));
        }
        var ended = await ending;

        Assert.True(ended.ExitCode == 0, ended.Errors);
        Assert.True(crashed.Count == 2, $"{crashed.Count} crashes: {ended.Output} {ended.Errors}");
        Assert.Equal(40, ended.Json.GetProperty("result").GetProperty("added").GetInt32());
        Assert.Equal(1, ended.Json.GetProperty("result").GetProperty("quarantined_by_code").GetProperty("decoder_crashed").GetInt32());
        using var ledger = RunLedger.Open(Store.Open(store), TimeProvider.System);
        Assert.Equal(1, ledger.List(new()).Runs.Single().Attempt);
        Assert.Equal(0, (await FeatureForgeProgram.RunAsync(store, "store", "verify")).ExitCode);
    }

    /// <summary>The worker, when it is decoding the file of that key.</summary>
    private static ProcessIdentity? WorkerAt(string storePath, byte[] key)
    {
        var staging = Path.Combine(storePath, ".staging");
        if (!Directory.Exists(staging)) return null;
        foreach (var slots in Directory.EnumerateFiles(staging, "flights.bin", SearchOption.AllDirectories).ToList())
        {
            byte[] bytes;
            try { bytes = File.ReadAllBytes(slots); }
            catch (IOException) { continue; } // gone meanwhile
            if (!bytes.Chunk(16).Any(slot => slot.SequenceEqual(key))) continue;
            using var ledger = RunLedger.Open(Store.Open(storePath), TimeProvider.System);
            return ledger.List(new() { State = RunState.Running }).Runs.FirstOrDefault()?.Worker is { } worker && ProcessIdentity.Find(worker.ProcessId) == worker ? worker : null;
        }
        return null;
    }

    // 44.1 kHz, stereo, 16 bits; the samples are a hole in the file.
    private static void WriteSilence(string path, int seconds)
    {
        using var writer = new BinaryWriter(File.Create(path));
        writer.Write("RIFF"u8);
        writer.Write(HeaderBytes - 8 + seconds * Second);
        writer.Write("WAVEfmt "u8);
        writer.Write(16);
        writer.Write((short)1);
        writer.Write((short)2);
        writer.Write(44_100);
        writer.Write(Second);
        writer.Write((short)4);
        writer.Write((short)16);
        writer.Write("data"u8);
        writer.Write(seconds * Second);
        writer.BaseStream.SetLength(HeaderBytes + (long)seconds * Second);
    }
}
