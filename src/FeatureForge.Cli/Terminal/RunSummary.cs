// What a person reads when a run has ended: counts, seconds, where things are, what to do next. Or the same as JSON.
using System.Globalization;
using System.Text.Json;
using FeatureForge.Clustering;
using FeatureForge.Data;
using FeatureForge.Ingest;
using FeatureForge.Jobs;
using FeatureForge.Labelling;
using FeatureForge.Learning;

namespace FeatureForge.Cli;

internal static class RunSummary
{
    /// <summary>Prints how a run ended and gives the exit code that says the same.</summary>
    internal static int Print(RunRow run, Store store, GlobalOptions options, RunOrigin origin = RunOrigin.Created) => Print(run, options, done => Success(done, store, origin), Failure);

    /// <summary>The same of a run that a server performed.</summary>
    internal static int PrintRemote(RunRow run, GlobalOptions options) => Print(run, options, done => RemoteSuccess(done, options), RemoteFailure);

    /// <summary>Prints how a pipeline ended and gives the exit code that says the same.</summary>
    internal static int Print(PipelineRow pipeline, Store store, GlobalOptions options) => Print(pipeline, options, done => Success(done, store, RunOrigin.Created), Failure);

    /// <summary>The same of a pipeline that a server performed.</summary>
    internal static int PrintRemote(PipelineRow pipeline, GlobalOptions options) => Print(pipeline, options, done => RemoteSuccess(done, options), RemoteFailure);

    private static int Print(RunRow run, GlobalOptions options, Func<RunRow, string> success, Func<RunRow, GlobalOptions, string> failure)
    {
        if (options.Json) Verb.PrintJson(Json(run));
        else if (run.State == RunState.Succeeded) Console.Out.WriteLine(success(run));
        if (run.State == RunState.Succeeded) return ExitCode.Done;
        Console.Error.WriteLine(failure(run, options));
        return CodeOf(run);
    }

    private static int Print(PipelineRow pipeline, GlobalOptions options, Func<RunRow, string> success, Func<RunRow, GlobalOptions, string> failure)
    {
        if (options.Json)
            Verb.PrintJson(new { pipeline.PipelineId, pipeline.Name, pipeline.State, Stages = pipeline.Runs.Select(Json) });
        else
            foreach (var run in pipeline.Runs.Where(run => run.State == RunState.Succeeded)) Console.Out.WriteLine($"[{run.Stage}] {success(run)}");
        if (pipeline.State == RunState.Succeeded) return ExitCode.Done;
        foreach (var run in pipeline.Runs.Where(run => run.State != RunState.Succeeded)) Console.Error.WriteLine($"[{run.Stage}] {failure(run, options)}");
        return pipeline.State == RunState.Failed ? ExitCode.RunFailed : ExitCode.Stopped;
    }

    private static string RemoteSuccess(RunRow run, GlobalOptions options) =>
        $"Run {run.RunId} is done{(Seconds(run) is { } seconds ? $" in {ProgressDisplay.Duration(seconds)}" : "")}: {new Uri(options.Server!, $"/runs/{run.RunId}")}\n{JsonSerializer.Serialize(Element(run.Result), SpecJson.Readable)}";

    private static string RemoteFailure(RunRow run, GlobalOptions options) =>
        run.Failure == RunFailure.BadRequest ? run.Error ?? "" : $"Run {run.RunId} {(run.State == RunState.Failed ? "failed" : "stopped")}: {run.Error}\nResume it with: featureforge runs resume {run.RunId} --server {options.Server}";

    /// <summary>A run as the JSON result of a verb.</summary>
    internal static object Json(RunRow run) => new
    {
        run.RunId,
        run.Kind,
        run.State,
        run.Attempt,
        Seconds = Seconds(run),
        run.Stage,
        run.Error,
        run.Failure,
        run.Usage,
        run.Budget,
        Result = Element(run.Result),
    };

    private static int CodeOf(RunRow run) => run.State != RunState.Failed ? ExitCode.Stopped
        : run.Failure == RunFailure.BadRequest ? ExitCode.BadRequest
        : ExitCode.RunFailed;

    private static string Failure(RunRow run, GlobalOptions options)
    {
        // What was wrong with the request is all there is to say.
        if (run.Failure == RunFailure.BadRequest) return run.Error ?? "";
        var word = run.State == RunState.Failed ? "failed" : "stopped";
        return $"""
            Run {run.RunId} {word}: {run.Error}
            Resume it with the same command, or: featureforge runs resume {run.RunId} --store {options.StorePath}
            Its log: featureforge runs logs {run.RunId} --store {options.StorePath}
            """;
    }

    private static string Success(RunRow run, Store store, RunOrigin origin)
    {
        var text = Shard(run) ?? run.Kind switch
        {
            RunKind.Ingest => Ingest(Read<IngestResult>(run), store),
            RunKind.Train => Train(Read<TrainResult>(run), JsonSerializer.Deserialize<TrainSpec>(run.Spec, SpecJson.Line)!.Corpus, store),
            RunKind.Extract => Extract(Read<ExtractResult>(run), store),
            RunKind.Cluster => Cluster(Read<ClusterResult>(run), store),
            RunKind.Map => Map(Read<MapResult>(run), store),
            RunKind.Assign => Assign(Read<AssignResult>(run), store),
            RunKind.Edit => Edit(Read<EditResult>(run)),
            RunKind.Sample => Sample(Read<SampleResult>(run)),
            RunKind.Remove => Remove(Read<RemoveResult>(run)),
            RunKind.Dedup => Dedup(Read<DedupResult>(run)),
            RunKind.Import => Import(Read<ImportResult>(run), store),
            RunKind.Propagate => LabelSummaries.Of(Read<PropagateResult>(run)),
            RunKind.Fit => LabelSummaries.Of(Read<HeadResult>(run)),
            RunKind.Predict => LabelSummaries.Of(Read<PredictResult>(run)),
            RunKind.Evaluate => Read<EvaluateResult>(run).ToTable().TrimEnd(),
            _ => $"{run.Kind}: {run.Result}",
        };
        return origin == RunOrigin.AlreadyDone
            ? $"Already done by run {run.RunId}; nothing has changed since.\n{text}"
            : string.Create(CultureInfo.InvariantCulture, $"{text}\nDone in {ProgressDisplay.Duration(Seconds(run) ?? 0)} (run {run.RunId}).");
    }

    // A shard has made its part of something that another run publishes.
    private static string? Shard(RunRow run)
    {
        using var spec = JsonDocument.Parse(run.Spec);
        return spec.RootElement.TryGetProperty("shard", out var shard) && shard.ValueKind == JsonValueKind.Number ? $"Shard {shard.GetInt32() + 1} of {spec.RootElement.GetProperty("shards").GetInt32()} is ready to be published." : null;
    }

    private static string Ingest(IngestResult result, Store store) => string.Create(CultureInfo.InvariantCulture, $"""
        Corpus {result.Corpus}, version {result.CorpusVersion}: {result.Added:N0} items added ({result.Duplicates:N0} duplicates left out, {result.AlreadyThere:N0} there before), {result.Quarantined:N0} files quarantined.{(result.StayRemoved > 0 ? string.Create(CultureInfo.InvariantCulture, $" {result.StayRemoved:N0} of those there before were removed and stay out; corpus restore brings them back.") : "")}{(result.Retried > 0 ? string.Create(CultureInfo.InvariantCulture, $" Of {result.Retried:N0} retried rows {result.LeftQuarantine:N0} left the quarantine.") : "")}
        It holds {string.Join(", ", result.Items.Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Value:N0} {pair.Key.ToString().ToLowerInvariant()}")))}. In {store.PlaceOf(store.CorpusFolder(result.Corpus))}{(result.Quarantined > 0 ? $"; why files were quarantined: featureforge quarantine list --corpus {result.Corpus}" : "")}
        Next: featureforge train --corpus {result.Corpus} --encoder {result.Corpus}
        """);

    private static string Train(TrainResult result, string corpus, Store store) => string.Create(CultureInfo.InvariantCulture, $"""
        Encoder {result.Encoder} ({result.Modality.ToString().ToLowerInvariant()}, recipe {result.Recipe}): {result.Steps:N0} steps on {result.Device}, final loss {result.FinalLoss:0.####}.
        Probes: {string.Join(", ", result.Probes.Select(probe => string.Create(CultureInfo.InvariantCulture, $"{probe.Key} {probe.Value:0.###}")))}
        In {store.PlaceOf(store.EncoderFolder(result.Encoder))}; next: featureforge extract --corpus {corpus} --encoder {result.Encoder}
        """);

    private static string Import(ImportResult result, Store store) => string.Create(CultureInfo.InvariantCulture, $"""
        Encoder {result.Encoder} ({result.Modality.ToString().ToLowerInvariant()}, {result.Family}): {result.Parameters:N0} parameters; id {result.EncoderId}.
        Levels: {string.Join(", ", result.Levels.Select(level => $"{level.Name} ({level.Dimension})"))}.{(result.LeftOut.Count == 0 ? "" : $" Left out: {string.Join("; ", result.LeftOut.Take(5))}{(result.LeftOut.Count > 5 ? $" and {result.LeftOut.Count - 5} more" : "")}.")}
        In {store.PlaceOf(store.EncoderFolder(result.Encoder))}; next: featureforge extract --corpus CORPUS --encoder {result.Encoder}
        """);

    private static string Extract(ExtractResult result, Store store) => string.Create(CultureInfo.InvariantCulture, $"""
        Embedding set {result.Set}: {result.Items:N0} items, {result.NewItems:N0} of them new; {result.NewVectors:N0} vectors written.
        {string.Join('\n', result.Tables.Select(table => string.Create(CultureInfo.InvariantCulture, $"  level={table.Level} grain={table.Grain.ToString().ToLowerInvariant()}: {table.Rows:N0} vectors of {table.Dimension} values")))}
        In {store.PlaceOf(Path.Combine(store.SetFolder(result.Set), "data"))}; next: featureforge cluster --set {result.Set}
        """);

    private static string Cluster(ClusterResult result, Store store) => string.Create(CultureInfo.InvariantCulture, $"""
        Clustering {result.Clustering} of set {result.Set}: {result.Leaves:N0} clusters in a tree of {result.Clusters:N0} nodes over {result.Vectors:N0} vectors.
        {Levels(result)}{Changes(result.Changes)}In {store.PlaceOf(store.ClusteringFolder(result.Clustering))}; next: featureforge map --set {result.Set}, then featureforge serve
        """);

    private static string Levels(ClusterResult result) => result.BestLevel is null ? ""
        : $"Level {result.BestLevel} separates best without labels ({string.Join(", ", result.Measures.Where(pair => pair.Key.StartsWith("separation.", StringComparison.Ordinal)).OrderByDescending(pair => pair.Value).Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Key["separation.".Length..]} {pair.Value:0.00}")))}).\n";

    private static string Changes(ClusterChanges? changes) => changes is null ? ""
        : string.Create(CultureInfo.InvariantCulture, $"Since the clustering before: {changes.Kept:N0} leaves kept their id, {changes.VectorsKept:P1} of the vectors stayed in theirs{string.Concat(changes.Changes.CountBy(change => change.Kind).Select(pair => $", {pair.Value} {pair.Key}{(pair.Value == 1 ? "" : "s")}"))}.\n");

    private static string Assign(AssignResult result, Store store) => string.Create(CultureInfo.InvariantCulture, $"""
        {result.Vectors:N0} vectors of set {result.Set} put into clustering {result.Clustering}: {result.OutOfDistribution:N0} out of distribution, mean strength of the others {result.MeanStrength:0.00}.
        In {store.PlaceOf(store.PathOf(result.Table))}
        """);

    private static string Edit(EditResult result) => string.Create(CultureInfo.InvariantCulture, $"""
        {result.Kind} in clustering {result.Clustering}: {string.Join(", ", result.ClusterIds)} -> {string.Join(", ", result.ResultIds)}{(result.Name is null ? "" : $" '{result.Name}'")}; {result.Leaves:N0} leaves. Later runs keep it.
        """);

    private static string Sample(SampleResult result) => string.Create(CultureInfo.InvariantCulture, $"""
        Corpus {result.Corpus}: {result.Items:N0} of {result.Available:N0} items of {result.From}; the largest cluster's share is {result.LargestShare:P1} (was {result.LargestShareBefore:P1}).
        Next: featureforge train --corpus {result.Corpus} --encoder {result.Corpus}
        """);

    private static string Remove(RemoveResult result) => string.Create(CultureInfo.InvariantCulture, $"""
        Corpus {result.Corpus}, version {result.CorpusVersion}: {result.Removed:N0} items removed, {result.Restored:N0} brought back; it holds {result.Items.Values.Sum():N0}.{(result.Unknown.Count == 0 ? "" : $" Not in it: {string.Join(", ", result.Unknown.Take(5))}{(result.Unknown.Count > 5 ? $" and {result.Unknown.Count - 5} more" : "")}.")}
        Training, extraction, search, labelling and pages leave removed items out at once; extract, cluster and map again to bring tables and maps up to date.
        """);

    private static string Dedup(DedupResult result) => string.Create(CultureInfo.InvariantCulture, $"""
        Set {result.Set}: {result.Duplicates:N0} of {result.Items:N0} items repeat one of {result.Groups:N0} others; {result.Kept:N0} are kept.{(result.Corpus is null ? "" : $" Corpus: {result.Corpus}.")}{(result.List is null ? "" : $" List: {result.List}")}
        """);

    private static string Map(MapResult result, Store store) => string.Create(CultureInfo.InvariantCulture, $"""
        Map of clustering {result.Clustering}: {result.Vectors:N0} points, trustworthiness {result.Trustworthiness:0.000}.
        In {store.PlaceOf(Path.Combine(store.ClusteringFolder(result.Clustering), "map"))}; look at it with: featureforge serve
        """);

    private static T Read<T>(RunRow run) => JsonSerializer.Deserialize<T>(run.Result!, SpecJson.Line)!;

    private static double? Seconds(RunRow run) => (run.FinishedAt - run.StartedAt)?.TotalSeconds;

    private static JsonElement? Element(string? json)
    {
        if (json is null) return null;
        using var document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }
}
