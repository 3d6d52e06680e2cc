// `doctor`: what this machine has of what FeatureForge uses, and what to do about what is missing.
using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using FeatureForge.Data;
using FeatureForge.Tensors;
using TorchSharp;

namespace FeatureForge.Cli;

/// <summary>One finding. <paramref name="Needed"/>: without it the program cannot do its main job.</summary>
internal sealed record Checkup(string What, bool Good, bool Needed, string Message);

internal static class DoctorCommand
{
    internal static Command Create() => new Command("doctor", "Say what is installed and loaded, and what is missing.").Does(async (_, options, stop) =>
    {
        var findings = new List<Checkup> { Torch(), Cuda(), await FfmpegAsync(stop), Library("libsndfile", "libsndfile1", "libsndfile.so.1", "libsndfile.dylib"), Library("libsoxr", "libsoxr0", "libsoxr.so.0", "libsoxr.dylib"), Folder(options), Ledger(options) };
        var healthy = findings.All(finding => finding.Good || !finding.Needed);
        if (options.Json) Verb.PrintJson(new { Healthy = healthy, Environment.ProcessorCount, Runtime = RuntimeInformation.FrameworkDescription, System = RuntimeInformation.OSDescription, Findings = findings, Torch = TorchLibrary.Report });
        else
        {
            Console.Out.WriteLine($"{RuntimeInformation.FrameworkDescription}, {RuntimeInformation.OSDescription}, {Environment.ProcessorCount} cores");
            foreach (var finding in findings) Console.Out.WriteLine($"{(finding.Good ? "ok" : finding.Needed ? "MISSING" : "absent"),-8} {finding.What}: {finding.Message}");
            foreach (var line in TorchLibrary.Report) Console.Out.WriteLine($"         {line}");
        }
        return healthy ? ExitCode.Done : ExitCode.RunFailed;
    });

    private static Checkup Torch()
    {
        _ = TorchLibrary.Report;
        try
        {
            using var two = torch.ones(2).sum(0L);
            return new("LibTorch", two.item<float>() == 2, Needed: true, $"loaded, {torch.get_num_threads()} threads");
        }
        // Whatever keeps native code from loading is a finding here, not an error.
        catch (Exception error) when (error is TypeInitializationException or DllNotFoundException or EntryPointNotFoundException or BadImageFormatException or NotSupportedException or ExternalException)
        {
            return new("LibTorch", Good: false, Needed: true, (error.InnerException ?? error).Message.ReplaceLineEndings(" "));
        }
    }

    private static Checkup Cuda()
    {
        try
        {
            return torch.cuda.is_available()
                ? new("CUDA", Good: true, Needed: false, $"{torch.cuda.device_count()} device(s)")
                : new("CUDA", Good: false, Needed: false, "not available; training and extraction use the CPU. Build with -p:Accelerator=cuda where there is an NVIDIA GPU.");
        }
        catch (Exception error) when (error is TypeInitializationException or DllNotFoundException or NotSupportedException or ExternalException)
        {
            return new("CUDA", Good: false, Needed: false, "LibTorch is not loaded.");
        }
    }

    private static async Task<Checkup> FfmpegAsync(CancellationToken stop)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo("ffmpeg", "-version") { RedirectStandardOutput = true, RedirectStandardError = true })!;
            var first = await process.StandardOutput.ReadLineAsync(stop);
            await process.StandardOutput.ReadToEndAsync(stop);
            await process.WaitForExitAsync(stop);
            return new("ffmpeg", Good: process.ExitCode == 0, Needed: false, first ?? "");
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return new("ffmpeg", Good: false, Needed: false, "not on the PATH; audio other than WAV, FLAC, Ogg and MP3 is quarantined. Install package ffmpeg.");
        }
    }

    private static Checkup Library(string name, string package, params string[] files) => files.Any(file => NativeLibrary.TryLoad(file, out _))
        ? new(name, Good: true, Needed: false, "loads")
        : new(name, Good: false, Needed: false, $"does not load; ffmpeg does its work, more slowly. Install package {package}.");

    private static Checkup Bucket(GlobalOptions options)
    {
        try
        {
            var keeps = Store.KeepsConditions(options.StorePath);
            return new("store", Good: true, Needed: true, $"{options.StorePath} can be written; {(keeps ? "the server keeps conditional writes: two runs cannot publish over each other" : "the server has no conditional writes: what keeps two runs from publishing over each other is the ledger alone")}");
        }
        catch (IOException error) { return new("store", Good: false, Needed: true, error.Message); }
    }

    private static Checkup Folder(GlobalOptions options)
    {
        if (Store.IsRemoteAddress(options.StorePath)) return Bucket(options);
        var folder = options.StorePath;
        while (!Directory.Exists(folder)) folder = Path.GetDirectoryName(folder)!;
        try
        {
            var probe = Path.Combine(folder, $".featureforge-probe-{Environment.ProcessId}");
            File.WriteAllText(probe, "");
            File.Delete(probe);
            var free = new DriveInfo(folder).AvailableFreeSpace;
            return new("store", Good: free > 1L << 30, Needed: true, string.Create(CultureInfo.InvariantCulture, $"{options.StorePath} can be written; {free / 1e9:0.0} GB free, expected more than 1"));
        }
        catch (Exception error) when (error is UnauthorizedAccessException or IOException)
        {
            return new("store", Good: false, Needed: true, $"{options.StorePath} cannot be written: {error.Message}");
        }
    }

    private static Checkup Ledger(GlobalOptions options)
    {
        if (!Store.Exists(options.StorePath)) return new("run ledger", Good: true, Needed: true, "no store yet; the first ingest makes it");
        using var ledger = RunLedger.Open(options.OpenStore(), TimeProvider.System);
        return new("run ledger", Good: true, Needed: true, $"{ledger.List(new() { Take = 1 }).Total} runs");
    }
}
