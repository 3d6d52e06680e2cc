// The history of runs as OpenLineage events (openlineage.io/spec/2-0-2): START and COMPLETE, FAIL or ABORT, with what each run read and wrote.
using System.Text.Json;
using FeatureForge.Data;

namespace FeatureForge.Cli;

internal static class OpenLineageExport
{
    private const string Producer = "https://github.com/featureforge/featureforge";
    private const string Schema = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent";

    /// <summary>Events of all runs that were ever taken up, oldest run first.</summary>
    internal static IEnumerable<object> Events(Store store, string space)
    {
        using var ledger = RunLedger.Open(store, TimeProvider.System);
        const int page = 500;
        for (var skip = (int)((ledger.List(new() { Take = 1 }).Total - 1) / page) * page; skip >= 0; skip -= page)
            foreach (var run in ledger.List(new() { Skip = skip, Take = page }).Runs.Reverse())
                foreach (var one in EventsOf(run, space)) yield return one;
    }

    private static IEnumerable<object> EventsOf(RunRow run, string space)
    {
        if (run.StartedAt is not { } started) yield break;
        yield return Event(run, space, "START", started);
        if (run.FinishedAt is { } finished)
            yield return Event(run, space, run.State switch { RunState.Succeeded => "COMPLETE", RunState.Failed => "FAIL", _ => "ABORT" }, finished);
    }

    private static Dictionary<string, object> Event(RunRow run, string space, string type, DateTimeOffset at)
    {
        using var spec = JsonDocument.Parse(run.Spec);
        var (inputs, outputs) = TablesOf(run.Kind, spec.RootElement);
        object[] Named(IEnumerable<string> names) => [.. names.Select(name => new Dictionary<string, object> { ["namespace"] = space, ["name"] = name })];
        return new()
        {
            ["eventType"] = type,
            ["eventTime"] = at.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", System.Globalization.CultureInfo.InvariantCulture),
            ["run"] = new Dictionary<string, object> { ["runId"] = Uuid(run.RunId) },
            ["job"] = new Dictionary<string, object> { ["namespace"] = space, ["name"] = run.Kind.ToString().ToLowerInvariant() },
            ["inputs"] = Named(inputs),
            ["outputs"] = type == "START" ? [] : Named(outputs),
            ["producer"] = Producer,
            ["schemaURL"] = Schema,
        };
    }

    /// <summary>What a run of that kind reads and writes, as folders of the store; sources by their own names.</summary>
    private static (IEnumerable<string> Inputs, IEnumerable<string> Outputs) TablesOf(RunKind kind, JsonElement spec)
    {
        IEnumerable<string> Of(string property, string folder) => spec.TryGetProperty(property, out var value) && value.ValueKind == JsonValueKind.String ? [$"{folder}/{value.GetString()}"] : [];
        var (corpus, encoder, set, clustering) = (Of("corpus", "corpora"), Of("encoder", "encoders"), Of("set", "embeddings"), Of("clustering", "clusterings"));
        return kind switch
        {
            RunKind.Ingest => (spec.TryGetProperty("sources", out var sources) ? [.. sources.EnumerateArray().Select(source => source.GetString()!)] : (List<string>)[], corpus),
            RunKind.Train => (corpus, encoder),
            RunKind.Extract => ([.. corpus, .. encoder], set),
            RunKind.Cluster or RunKind.Map or RunKind.Assign => (set, clustering),
            RunKind.Edit => (clustering, clustering),
            RunKind.Sample or RunKind.Dedup => ([.. set, .. clustering], corpus),
            RunKind.Remove or RunKind.Prepare => (corpus, corpus),
            RunKind.Propagate or RunKind.Predict => (set, Of("label_set", "labels")),
            RunKind.Fit => ([.. set, .. Of("label_set", "labels")], Of("head", "heads")),
            _ => ([.. set, .. corpus], encoder),
        };
    }

    /// <summary>The same run always has the same UUID (RFC 9562, version 8: from a hash).</summary>
    private static string Uuid(string runId)
    {
        var hash = ContentId.Of(runId);
        return $"{hash[..8]}-{hash[8..12]}-8{hash[13..16]}-8{hash[17..20]}-{hash[20..32]}";
    }
}
