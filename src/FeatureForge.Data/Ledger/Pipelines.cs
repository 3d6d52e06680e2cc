// Pipelines: several runs with an order. All runs are created at once; a run starts when those it needs have succeeded.
using System.Data.Common;
using System.Text.Json;

namespace FeatureForge.Data;

/// <summary>One stage of a pipeline.</summary>
public sealed record PipelineStage
{
    /// <summary>Default: the kind, which is fine while each kind appears once.</summary>
    public string? Name { get; init; }
    public required RunKind Kind { get; init; }
    /// <summary>The stage's spec.</summary>
    public required JsonElement Spec { get; init; }
    /// <summary>Stages that must succeed first. Null (absent): the stage before this one. Empty: none.</summary>
    public IReadOnlyList<string>? Needs { get; init; }
    /// <summary>Money at which its run is stopped, to be resumed with more.</summary>
    public double? Budget { get; init; }

    /// <summary>The name given, else the kind.</summary>
    public string NameOrKind => Name ?? RunWords.Word(Kind);
}

/// <summary>What a pipeline file holds.</summary>
public sealed record PipelineSpec
{
    /// <summary>For people; pages and lists show it.</summary>
    public string Name { get; init; } = "pipeline";
    /// <summary>In order, unless a stage names those it needs.</summary>
    public required IReadOnlyList<PipelineStage> Stages { get; init; }

    /// <summary>Work in that many shard runs side by side, then one that publishes: stages shard-1, shard-2, …, and one called as the kind.</summary>
    /// <param name="spec">Of a shard, from 0; null: of the run that publishes.</param>
    public static PipelineSpec InShards<TSpec>(string name, RunKind kind, int count, Func<int?, TSpec> spec)
    {
        PipelineStage Stage(string called, int? shard, IReadOnlyList<string> needs) => new() { Name = called, Kind = kind, Spec = JsonSerializer.SerializeToElement(spec(shard), SpecJson.Line), Needs = needs };
        List<PipelineStage> shards = [.. Enumerable.Range(0, count).Select(shard => Stage($"shard-{shard + 1}", shard, []))];
        return new() { Name = $"{name} in {count} shards", Stages = [.. shards, Stage(RunWords.Word(kind), null, [.. shards.Select(shard => shard.NameOrKind)])] };
    }

    /// <summary>What is wrong with a number of shards, or with which of them a run is; null: nothing.</summary>
    public static string? ShardProblem(int? shards, int? shard) =>
        shards is < 1 or > 10_000 ? $"shards is {shards}; expected 1 to 10000."
        : shard is { } which && !(which >= 0 && which < shards) ? $"shard is {shard}; expected 0 to one less than shards." : null;

    /// <summary>Everything that is wrong with names and order (specs are judged by their stages).</summary>
    public IReadOnlyList<string> Problems()
    {
        var problems = new List<string>();
        if (Stages.Count == 0) problems.Add($"Pipeline '{Name}' has no stages.");
        var seen = new HashSet<string>();
        foreach (var stage in Stages)
        {
            foreach (var need in stage.Needs ?? [])
                if (!seen.Contains(need)) problems.Add($"Stage '{stage.NameOrKind}' of pipeline '{Name}' needs '{need}', which is not an earlier stage.");
            if (PriceTable.BudgetProblem(stage.Budget) is { } problem) problems.Add($"Stage '{stage.NameOrKind}' of pipeline '{Name}': {problem}");
            if (!seen.Add(stage.NameOrKind)) problems.Add($"Pipeline '{Name}' has two stages called '{stage.NameOrKind}'; give each its own name.");
        }
        return problems;
    }
}

/// <summary>A pipeline and its runs, in order of stages. The state follows from the runs.</summary>
public sealed record PipelineRow(string PipelineId, string Name, PipelineSpec Spec, string SpecHash, DateTimeOffset CreatedAt, string? ScheduleId, IReadOnlyList<RunRow> Runs)
{
    /// <summary>Succeeded when all have; running or queued while something can still happen; else failed or stopped.</summary>
    public RunState State =>
        Runs.All(run => run.State == RunState.Succeeded) ? RunState.Succeeded
        : Runs.Any(run => run.State == RunState.Running) ? RunState.Running
        : Runs.Any(run => run.State == RunState.Queued) ? RunState.Queued
        : Runs.Any(run => run.State == RunState.Failed) ? RunState.Failed
        : RunState.Stopped;
}

/// <summary>The pipelines of a store.</summary>
public sealed class PipelineLedger
{
    private readonly LedgerDatabase _database;
    private readonly TimeProvider _time;

    internal PipelineLedger(LedgerDatabase database, TimeProvider time) => (_database, _time) = (database, time);

    /// <summary>Adds the pipeline and a queued run per stage.</summary>
    /// <exception cref="BadRequestException">Names or order are wrong.</exception>
    public PipelineRow Create(PipelineSpec spec, string? scheduleId = null) =>
        Get(_database.Write(connection => Insert(connection, spec, scheduleId, _time.GetUtcNow()), repeatable: false));

    public PipelineRow? Find(string pipelineId) => Where("pipeline_id = @value", pipelineId, 1).FirstOrDefault();

    /// <exception cref="BadRequestException">There is no such pipeline.</exception>
    public PipelineRow Get(string pipelineId) => Find(pipelineId) ?? throw new BadRequestException($"There is no pipeline '{pipelineId}' in this store.");

    /// <summary>The newest pipeline of that request that has not succeeded: to be resumed rather than repeated.</summary>
    public PipelineRow? FindUnfinished(PipelineSpec spec) =>
        Where("spec_hash = @value", HashOf(spec), 20).FirstOrDefault(pipeline => pipeline.State != RunState.Succeeded);

    /// <summary>Newest first.</summary>
    public IReadOnlyList<PipelineRow> List(int take = 50) => Where("@value = 0", 0L, take);

    /// <summary>When a schedule's pipelines began, from a time on, oldest first.</summary>
    public IReadOnlyList<DateTimeOffset> TimesOf(string scheduleId, DateTimeOffset since) => _database.Read(connection => connection.Query(
        "SELECT created_at FROM pipelines WHERE schedule_id = @schedule AND created_at >= @since ORDER BY created_at", reader => reader.Moment("created_at")!.Value, ("@schedule", scheduleId), ("@since", RunLedger.Milliseconds(since))));

    internal static string Insert(DbConnection connection, PipelineSpec spec, string? scheduleId, DateTimeOffset now)
    {
        BadRequestException.ThrowIfAny(spec.Problems());
        var pipelineId = RunLedger.NewId(now, "pipeline");
        connection.Execute("INSERT INTO pipelines (pipeline_id, name, spec, spec_hash, created_at, schedule_id) VALUES (@id, @name, @spec, @hash, @now, @schedule)",
            ("@id", pipelineId), ("@name", spec.Name), ("@spec", JsonSerializer.Serialize(spec, SpecJson.Line)), ("@hash", HashOf(spec)),
            ("@now", RunLedger.Milliseconds(now)), ("@schedule", scheduleId));
        var runs = new Dictionary<string, string>();
        string? before = null;
        foreach (var stage in spec.Stages)
        {
            var needs = stage.Needs ?? (before is null ? [] : [before]);
            runs[stage.NameOrKind] = RunLedger.Insert(connection, new()
            {
                Kind = stage.Kind,
                Spec = stage.Spec.GetRawText(),
                PipelineId = pipelineId,
                Stage = stage.NameOrKind,
                ScheduleId = scheduleId,
                Budget = stage.Budget,
                Needs = [.. needs.Select(need => runs[need])],
            }, now);
            before = stage.NameOrKind;
        }
        return pipelineId;
    }

    private static string HashOf(PipelineSpec spec) => ContentId.Of(JsonSerializer.Serialize(spec, SpecJson.Line));

    private List<PipelineRow> Where(string condition, object value, int take) => _database.Read(connection =>
    {
        var found = connection.Query($"SELECT * FROM pipelines WHERE {condition} ORDER BY created_at DESC, rowid DESC LIMIT @take",
            reader => new PipelineRow(reader.Text("pipeline_id")!, reader.Text("name")!,
                JsonSerializer.Deserialize<PipelineSpec>(reader.Text("spec")!, SpecJson.Line)!, reader.Text("spec_hash")!, reader.Moment("created_at")!.Value, reader.Text("schedule_id"), []),
            ("@value", value), ("@take", take));
        return found.ConvertAll(pipeline => pipeline with
        {
            Runs = connection.Query("SELECT * FROM runs WHERE pipeline_id = @id ORDER BY rowid", RunReader.Row, ("@id", pipeline.PipelineId)),
        });
    });
}
