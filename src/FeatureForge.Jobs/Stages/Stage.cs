// The closed list of what a run can execute: per kind its spec, its queue, its checks and its code.
using System.Text.Json;
using FeatureForge.Clustering;
using FeatureForge.Data;
using FeatureForge.Ingest;
using FeatureForge.Labelling;
using FeatureForge.Learning;

namespace FeatureForge.Jobs;

/// <summary>One kind of run: how its spec is read and checked, where it queues, what it executes.</summary>
public sealed class Stage
{
    private static readonly IReadOnlyList<Stage> All =
    [
        Of<IngestSpec, IngestResult>(RunKind.Ingest, "ingest", IngestRun.ExecuteAsync, spec => spec.Problems(),
            spec => spec with { Sources = [.. spec.Sources.Select(source => Path.Exists(source) ? Path.GetFullPath(source) : source)] }, (_, _) => []),
        Of<PrepareSpec, PrepareResult>(RunKind.Prepare, "ingest", PrepareRun.ExecuteAsync, spec => spec.Problems(), spec => spec,
            (spec, store) => [Needs(() => store.Corpus(spec.Corpus))]),
        Of<TrainSpec, TrainResult>(RunKind.Train, "train", StageSteps.TrainAsync, spec => spec.Problems(),
            spec => spec with { Recipe = FileOrName(spec.Recipe), From = FileOrName(spec.From) },
            (spec, store) => [Needs(() => store.Corpus(spec.Corpus))],
            (run, spec, store) => store.FindEncoder(spec.Encoder) is { } encoder && encoder.RunId == run.RunId
                && encoder.CorpusVersion == store.FindCorpus(spec.Corpus)?.Version),
        Of<ExtractSpec, ExtractResult>(RunKind.Extract, "extract", StageSteps.ExtractAsync, spec => spec.Problems(), spec => spec,
            (spec, store) => [Needs(() => store.Corpus(spec.Corpus)), Needs(() => store.Encoder(spec.Encoder))]),
        Of<ClusterSpec, ClusterResult>(RunKind.Cluster, "cluster", ClusterRun.ExecuteAsync, spec => spec.Problems(),
            spec => spec with { Clustering = spec.ClusteringName() },
            (spec, store) => [Needs(() => store.Set(spec.Set))],
            (run, spec, store) => store.FindClustering(spec.ClusteringName()) is { } clustering && clustering.RunId == run.RunId
                && store.FindSet(spec.Set)?.UpdatedAt <= clustering.CreatedAt),
        Of<MapSpec, MapResult>(RunKind.Map, "cluster", MapRun.ExecuteAsync, spec => spec.Problems(), spec => spec,
            (spec, store) => [Needs(() => store.Set(spec.Set)), spec.Clustering is null ? null : Needs(() => store.Clustering(spec.Clustering))]),
        Of<AssignSpec, AssignResult>(RunKind.Assign, "cluster", AssignRun.ExecuteAsync, spec => spec.Problems(), spec => spec,
            (spec, store) => [Needs(() => store.Clustering(spec.Clustering)), Needs(() => store.Set(spec.Set))]),
        Of<EditSpec, EditResult>(RunKind.Edit, "cluster", EditRun.ExecuteAsync, spec => spec.Problems(), spec => spec,
            (spec, store) => [Needs(() => store.Clustering(spec.Clustering))]),
        Of<SampleSpec, SampleResult>(RunKind.Sample, "cluster", SampleRun.ExecuteAsync, spec => spec.Problems(), spec => spec,
            (spec, store) => [Needs(() => store.Clustering(spec.Clustering))],
            (run, spec, store) => store.FindCorpus(spec.Corpus)?.RunId == run.RunId),
        Of<DedupSpec, DedupResult>(RunKind.Dedup, "cluster", DedupRun.ExecuteAsync, spec => spec.Problems(),
            spec => spec with { List = spec.List is null ? null : Path.GetFullPath(spec.List) },
            (spec, store) => [Needs(() => store.Set(spec.Set))],
            (run, spec, store) => spec.List is null && spec.Corpus is not null && store.FindCorpus(spec.Corpus)?.RunId == run.RunId),
        Of<RemoveSpec, RemoveResult>(RunKind.Remove, "default", RemoveRun.ExecuteAsync, spec => spec.Problems(), spec => spec,
            (spec, store) => [Needs(() => store.Corpus(spec.Corpus))]),
        Of<EvaluateSpec, EvaluateResult>(RunKind.Evaluate, "default", EvaluateRun.ExecuteAsync, spec => spec.Problems(),
            spec => spec with { LabelsPath = Path.GetFullPath(spec.LabelsPath) },
            (spec, store) => [Needs(() => store.Set(spec.Set)), spec.Clustering is null ? null : Needs(() => store.Clustering(spec.Clustering))]),
        Of<ImportSpec, ImportResult>(RunKind.Import, "default", StageSteps.ImportAsync, spec => spec.Problems(),
            spec => spec with { Source = FileOrFolder(spec.Source)!, Config = FileOrFolder(spec.Config), Vocabulary = FileOrFolder(spec.Vocabulary) },
            (spec, store) => [spec.Corpus is null ? null : Needs(() => store.Corpus(spec.Corpus))],
            (run, spec, store) => store.FindEncoder(spec.Encoder) is { } encoder && encoder.RunId == run.RunId),
        Of<PropagateSpec, PropagateResult>(RunKind.Propagate, "cluster", PropagateRun.ExecuteAsync, spec => spec.Problems(), spec => spec,
            (spec, store) => [Needs(() => store.Set(spec.Set)), Needs(() => LabelLog.Existing(store, spec.LabelSet)), spec.Clustering is null ? null : Needs(() => store.Clustering(spec.Clustering))]),
        Of<HeadSpec, HeadResult>(RunKind.Fit, "cluster", HeadRun.ExecuteAsync, spec => spec.Problems(), spec => spec with { Head = spec.HeadName() },
            (spec, store) => [Needs(() => store.Set(spec.Set)), Needs(() => LabelLog.Existing(store, spec.LabelSet))]),
        Of<PredictSpec, PredictResult>(RunKind.Predict, "cluster", PredictRun.ExecuteAsync, spec => spec.Problems(), spec => spec,
            (spec, store) => [Needs(() => PredictRun.RequireSameEncoder(HeadManifest.Read(store, spec.Head), store.Set(spec.Set)))]),
        Of<SelftestSpec, SelftestResult>(RunKind.Selftest, "default", SelftestRun.ExecuteAsync, spec => spec.Problems(), spec => spec, (_, _) => []),
    ];

    private readonly Func<string, IReadOnlyList<string>> _problems;
    private readonly Func<string, Store, IReadOnlyList<string>> _storeProblems;
    private readonly Func<RunRow, Store, bool> _isCurrent;
    private readonly Func<JsonElement, string> _normalise;
    private readonly Func<string, RunContext, CancellationToken, Task<JsonElement>> _execute;

    private Stage(RunKind kind, string queue, Func<JsonElement, string> normalise, Func<string, IReadOnlyList<string>> problems,
        Func<string, Store, IReadOnlyList<string>> storeProblems, Func<RunRow, Store, bool> isCurrent, Func<string, RunContext, CancellationToken, Task<JsonElement>> execute) =>
        (Kind, Queue, _normalise, _problems, _storeProblems, _isCurrent, _execute) = (kind, queue, normalise, problems, storeProblems, isCurrent, execute);

    /// <summary>All queues; the last is for what needs nothing special.</summary>
    public static IReadOnlyList<string> Queues { get; } = ["ingest", "train", "extract", "cluster", "default"];

    public RunKind Kind { get; }

    /// <summary>The Hangfire queue, by what the stage needs.</summary>
    public string Queue { get; }

    /// <exception cref="BadRequestException">This program cannot execute that kind.</exception>
    public static Stage Of(RunKind kind) =>
        All.FirstOrDefault(stage => stage.Kind == kind) ?? throw new BadRequestException($"This program cannot execute runs of kind {kind.ToString().ToLowerInvariant()}.");

    /// <summary>What the run's worker process is told at its start beyond what every worker is; ingest keeps within its memory.</summary>
    internal static IReadOnlyDictionary<string, string> WorkerEnvironment(RunRow run) => run.Kind == RunKind.Ingest
        ? WorkerMemory.Environment(JsonSerializer.Deserialize<IngestSpec>(run.Spec, SpecJson.Readable)!.MemoryBytes)
        : new Dictionary<string, string>();

    /// <summary>After a worker was ended by a signal: whether the next one will get further at once, because what brought it down is under suspicion.</summary>
    /// <param name="fromOutside">Somebody sent it: nothing that was being decoded is to blame.</param>
    internal static bool CanGoOn(RunRow run, Store store, int signal, bool fromOutside) =>
        run.Kind == RunKind.Ingest && PosixProcess.NameOf(signal) is { } name && DecodeFlights.NoteEnd(store.StagingFolder(run.RunId), PosixProcess.IsCrash(name), fromOutside);

    /// <summary>The spec with all defaults written out and paths made absolute, in the one form whose hash identifies it.</summary>
    /// <exception cref="BadRequestException">The JSON is no such spec.</exception>
    public string Normalise(JsonElement spec) => _normalise(spec);

    /// <summary>What is wrong with a normalised spec in itself.</summary>
    public IReadOnlyList<string> Problems(string spec) => _problems(spec);

    /// <summary>What the store lacks for a normalised spec right now.</summary>
    public IReadOnlyList<string> StoreProblems(string spec, Store store) => _storeProblems(spec, store);

    /// <summary>Whether what a succeeded run made is still there and still up to date, so that the same request has nothing to do.</summary>
    public bool IsCurrent(RunRow run, Store store) => _isCurrent(run, store);

    internal Task<JsonElement> ExecuteAsync(string spec, RunContext context, CancellationToken stop) => _execute(spec, context, stop);

    private static Stage Of<TSpec, TResult>(RunKind kind, string queue, Func<TSpec, RunContext, CancellationToken, Task<TResult>> execute,
        Func<TSpec, IReadOnlyList<string>> problems, Func<TSpec, TSpec> absolute, Func<TSpec, Store, IReadOnlyList<string?>> storeProblems,
        Func<RunRow, TSpec, Store, bool>? isCurrent = null)
    {
        TSpec Read(string json) => JsonSerializer.Deserialize<TSpec>(json, SpecJson.Strict)!;
        return new(kind, queue,
            spec =>
            {
                try { return JsonSerializer.Serialize(absolute(spec.Deserialize<TSpec>(SpecJson.Strict)!), SpecJson.Line); }
                catch (JsonException error) { throw new BadRequestException($"This is no {kind.ToString().ToLowerInvariant()} spec: {error.Message}"); }
            },
            json => problems(Read(json)),
            (json, store) => [.. storeProblems(Read(json), store).OfType<string>()],
            (run, store) => isCurrent?.Invoke(run, Read(run.Spec), store) ?? false,
            async (json, context, stop) => JsonSerializer.SerializeToElement(await execute(Read(json), context, stop), SpecJson.Line));
    }

    private static string? Needs(Action find)
    {
        try { find(); return null; }
        catch (BadRequestException error) { return error.Message; }
    }

    private static string? FileOrFolder(string? value) => value is not null && Path.Exists(value) ? Path.GetFullPath(value) : value;

    // A recipe or an encoder is named, or it is a file: files are meant from where the request was made.
    private static string? FileOrName(string? value) => value is not null && File.Exists(value) ? Path.GetFullPath(value) : value;
}
