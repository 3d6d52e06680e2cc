// What the _RunLines partial shows, and how runs are worded everywhere.
using System.Globalization;
using System.Text.Json;
using FeatureForge.Data;

namespace FeatureForge.Server.Pages;

/// <summary>Runs as lines, and what to say when there are none.</summary>
public sealed record RunLines(IReadOnlyList<RunRow> Runs, string WhenEmpty);

/// <summary>How runs read.</summary>
public static class RunWording
{
    /// <summary>"train digits-a", "ingest digits": the kind and what it makes.</summary>
    public static string Title(RunRow run) => Title(run.Kind, run.Spec);

    public static string Title(RunKind kind, string spec)
    {
        var target = kind switch
        {
            RunKind.Ingest or RunKind.Prepare => "corpus",
            RunKind.Train or RunKind.Import => "encoder",
            RunKind.Extract or RunKind.Evaluate => "set",
            RunKind.Cluster => "clustering",
            RunKind.Map or RunKind.Assign or RunKind.Edit => "clustering",
            RunKind.Sample or RunKind.Remove => "corpus",
            _ => "",
        };
        return $"{kind.ToString().ToLowerInvariant()} {Field(spec, target) ?? Field(spec, "set") ?? Field(spec, "corpus")}".TrimEnd();
    }

    public static string Style(RunState state) => state switch
    {
        RunState.Running => "live",
        RunState.Succeeded => "good",
        RunState.Failed => "bad",
        RunState.Stopped => "warn",
        _ => "",
    };

    /// <summary>In [0, 100]; null (a bar that says "busy") when the total is unknown.</summary>
    public static string? Percent(RunProgress? progress) =>
        progress is { Total: > 0 } ? (100.0 * progress.Done / progress.Total).ToString("0.#", CultureInfo.InvariantCulture) : null;

    /// <summary>"train: 1,200 of 5,000 steps · 84/s · 45 s left"</summary>
    public static string Line(RunProgress? progress)
    {
        if (progress == null) return "starting";
        var line = $"{progress.Phase}: {Display.Count(progress.Done)}" + (progress.Total > 0 ? $" of {Display.Count(progress.Total)}" : "") + $" {progress.Unit}";
        if (progress.PerSecond > 0) line += $" · {Display.Number(progress.PerSecond)}/s";
        return progress.EtaSeconds is { } eta ? $"{line} · {Display.Duration(eta)} left" : line;
    }

    /// <summary>The JSON as people read it; unchanged when it is not JSON.</summary>
    public static string Readable(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return JsonSerializer.Serialize(document.RootElement, SpecJson.Readable);
        }
        catch (JsonException)
        {
            return json;
        }
    }

    private static string? Field(string spec, string name)
    {
        try
        {
            using var document = JsonDocument.Parse(spec);
            return document.RootElement.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
