// Runs the real program as a user would, and hands back what it printed.
using System.Diagnostics;

namespace FeatureForge.Benchmarks;

internal static class FeatureForgeProcess
{
    /// <summary>Starts `featureforge serve … --store S`; its log is read and thrown away.</summary>
    internal static Process Serve(string store, params string[] arguments)
    {
        var server = Process.Start(new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "featureforge.dll"), "serve", "--store", store, .. arguments]) { RedirectStandardError = true })!;
        server.BeginErrorReadLine();
        return server;
    }

    /// <summary>Sends a process a signal, by its name without SIG.</summary>
    internal static void Signal(int process, string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{process}"]);
        kill.WaitForExit();
    }

    /// <summary>Runs `featureforge VERB … --store S --quiet`; throws with its messages when it does not end with 0.</summary>
    internal static async Task<string> RunAsync(string store, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])[Path.Combine(AppContext.BaseDirectory, "featureforge.dll"), .. arguments, "--store", store, "--quiet"]) start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"featureforge {string.Join(' ', arguments)} ended with {process.ExitCode}: {await errors}");
        return output;
    }
}
