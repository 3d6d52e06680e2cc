// .NET Interactive itself, as an editor drives it: JSON commands on standard input, JSON events on standard output.
using System.Diagnostics;
using System.Text.Json.Nodes;

namespace FeatureForge.Notebooks.Tests;

internal sealed class InteractiveKernel : IDisposable
{
    private readonly Process _process;
    private int _submissions;

    /// <summary>A kernel in <paramref name="folder"/>, where `#r "bin/…"` is looked for.</summary>
    internal InteractiveKernel(string folder)
    {
        var start = new ProcessStartInfo("dotnet-interactive", ["stdio"]) { WorkingDirectory = folder, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        // The kernel was built for .NET 9; our library is for .NET 10.
        start.Environment["DOTNET_ROLL_FORWARD"] = "Major";
        start.Environment["DOTNET_INTERACTIVE_CLI_TELEMETRY_OPTOUT"] = "1";
        _process = Process.Start(start)!;
        _ = _process.StandardError.ReadToEndAsync();
    }

    /// <summary>Runs one cell; what it displayed, in any format.</summary>
    /// <exception cref="InvalidOperationException">The cell failed; the message is the kernel's.</exception>
    internal async Task<string> SubmitAsync(string code)
    {
        var token = $"cell-{++_submissions}";
        var command = new JsonObject { ["commandType"] = "SubmitCode", ["command"] = new JsonObject { ["code"] = code, ["targetKernelName"] = "csharp" }, ["token"] = token, ["routingSlip"] = new JsonArray() };
        await _process.StandardInput.WriteLineAsync(command.ToJsonString());
        await _process.StandardInput.FlushAsync();
        var shown = "";
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (!line.StartsWith('{') || JsonNode.Parse(line) is not { } message || (string?)message["eventType"] is not { } type) continue;
            if (type is "DisplayedValueProduced" or "ReturnValueProduced" or "DisplayedValueUpdated") shown += string.Concat(message["event"]!["formattedValues"]!.AsArray().Select(format => (string)format!["value"]!));
            if (type == "CommandFailed") throw new InvalidOperationException((string?)message["event"]!["message"]);
            if (type == "CommandSucceeded" && (string?)message["command"]!["token"] == token) return shown;
        }
        throw new InvalidOperationException("The kernel has ended.");
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }
}
