// Runs the real program as a user would, and hands back its JSON result.
using System.Diagnostics;
using System.Text.Json;

namespace FeatureForge.Benchmarks;

internal static class FeatureForgeProcess
{
    /// <summary>Runs `featureforge VERB … --store S --json --quiet`; throws with its messages when it does not end with 0.</summary>
    internal static async Task<JsonElement> RunAsync(string store, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])[Path.Combine(AppContext.BaseDirectory, "featureforge.dll"), .. arguments, "--store", store, "--json"]) start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"featureforge {string.Join(' ', arguments)} ended with {process.ExitCode}: {await errors}");
        return JsonDocument.Parse(output).RootElement;
    }
}
