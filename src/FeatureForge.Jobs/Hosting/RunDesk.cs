// Where runs are asked for, by the command line, pages and the API alike: checks requests, finds runs to go on with, queues.
using System.Text.Json;
using FeatureForge.Data;
using FeatureForge.Ingest;

namespace FeatureForge.Jobs;

/// <summary>What became of a request.</summary>
public enum RunOrigin
{
    /// <summary>A new run.</summary>
    Created,
    /// <summary>An unfinished run of the same request goes on.</summary>
    Resumed,
    /// <summary>A run of the same request is being worked on right now.</summary>
    AlreadyRunning,
    /// <summary>The same request has succeeded, what it made is still there, and nothing it was made from has changed since.</summary>
    AlreadyDone,
}

/// <summary>The run that answers a request.</summary>
public sealed record RunTicket(RunRow Run, RunOrigin Origin);

/// <summary>The pipeline that answers a request.</summary>
public sealed record PipelineTicket(PipelineRow Pipeline, RunOrigin Origin);

/// <summary>What whoever runs a desk lets its callers ask for.</summary>
public sealed record DeskRules
{
    /// <summary>Ingest may connect to private, loopback and link-local addresses. A server's callers could look around its network with that.</summary>
    public bool AllowPrivateAddresses { get; init; } = true;

    internal IReadOnlyList<string> Problems(RunKind kind, string spec) =>
        kind == RunKind.Ingest && !AllowPrivateAddresses && JsonSerializer.Deserialize<IngestSpec>(spec, SpecJson.Strict)!.Remote.AllowPrivateAddresses
            ? ["This server does not connect to private addresses for its callers. Leave allow_private_addresses out, ingest from the command line on the server's machine, or start the server with --allow-private-addresses."]
            : [];
}

/// <summary>Asks for runs, pipelines and schedules. Everything is checked first; wrong requests leave no trace.</summary>
public sealed class RunDesk(Store store, RunLedger ledger, TimeProvider time, DeskRules? rules = null)
{
    private readonly DeskRules _rules = rules ?? new();

    /// <summary>Queues a run of that spec, or goes on with the unfinished one of the same spec.</summary>
    /// <exception cref="BadRequestException">The spec is wrong, or names what the store does not have.</exception>
    public RunTicket Submit<TSpec>(RunKind kind, TSpec spec, double? budget = null) where TSpec : notnull => Submit(kind, JsonSerializer.SerializeToElement(spec, SpecJson.Line), budget);

    /// <summary>Queues a run of a spec in JSON, or goes on with the unfinished one of the same spec.</summary>
    /// <exception cref="BadRequestException">The spec is wrong, or names what the store does not have.</exception>
    /// <param name="budget">Money at which it is stopped, to be resumed with more; null: none, or as before.</param>
    public RunTicket Submit(RunKind kind, JsonElement spec, double? budget = null)
    {
        var stage = Stage.Of(kind);
        var request = new RunRequest { Kind = kind, Spec = stage.Normalise(spec), Budget = budget };
        BadRequestException.ThrowIfAny([.. PriceTable.BudgetProblem(budget) is { } problem ? [problem] : Array.Empty<string>(), .. stage.Problems(request.Spec), .. _rules.Problems(kind, request.Spec), .. stage.StoreProblems(request.Spec, store)]);
        if (ledger.FindUnfinished(request.SpecHash) is not { } unfinished)
        {
            return ledger.FindSucceeded(request.SpecHash) is { } done && stage.IsCurrent(done, store)
                ? new(done, RunOrigin.AlreadyDone)
                : new(ledger.Create(request), RunOrigin.Created);
        }
        if (unfinished.State == RunState.Running && !ledger.LeaseIsBroken(unfinished)) return new(unfinished, RunOrigin.AlreadyRunning);
        return new(ledger.Resume(unfinished.RunId, budget), RunOrigin.Resumed);
    }

    /// <summary>Queues all stages of a pipeline, or goes on with the unfinished one of the same content.</summary>
    /// <exception cref="BadRequestException">Names, order or a stage's spec are wrong.</exception>
    public PipelineTicket Submit(PipelineSpec pipeline) => Submit(pipeline, scheduleId: null);

    /// <summary>Lets a schedule run now, paused or not; it fires at its next time as well.</summary>
    /// <exception cref="BadRequestException">There is no such schedule.</exception>
    public PipelineTicket RunSchedule(string scheduleId) => Submit(ledger.Schedules.Get(scheduleId).Pipeline, scheduleId);

    /// <summary>What a schedule should have done since a time (null: 30 days ago) and did not.</summary>
    /// <exception cref="BadRequestException">There is no such schedule.</exception>
    public MissedFirings Missed(string scheduleId, DateTimeOffset? since) => MissedFirings.Of(ledger, ledger.Schedules.Get(scheduleId), since, time.GetUtcNow());

    private PipelineTicket Submit(PipelineSpec pipeline, string? scheduleId)
    {
        var normal = Normalise(pipeline);
        if (ledger.Pipelines.FindUnfinished(normal) is not { } unfinished) return new(ledger.Pipelines.Create(normal, scheduleId), RunOrigin.Created);
        if (unfinished.State == RunState.Running && unfinished.Runs.Any(run => run.State == RunState.Running && !ledger.LeaseIsBroken(run)))
            return new(unfinished, RunOrigin.AlreadyRunning);
        foreach (var run in unfinished.Runs.Where(run => run.State is RunState.Failed or RunState.Stopped)) ledger.Resume(run.RunId);
        return new(ledger.Pipelines.Get(unfinished.PipelineId), RunOrigin.Resumed);
    }

    /// <summary>Keeps a schedule. For a single stage, give a pipeline of one.</summary>
    /// <exception cref="BadRequestException">Times, names, order or a stage's spec are wrong.</exception>
    public ScheduleRow Schedule(ScheduleRequest request)
    {
        BadRequestException.ThrowIfAny(ScheduleClock.Problems(request));
        var first = request.OnceAt ?? ScheduleClock.Next(request.Cron!, request.TimeZone, time.GetUtcNow())
            ?? throw new BadRequestException($"Cron expression '{request.Cron}' never comes true.");
        return ledger.Schedules.Create(request with { Pipeline = Normalise(request.Pipeline) }, first);
    }

    /// <summary>Turns a schedule on or off. Turned on, it fires at its next time; a single time that has passed is not made up for.</summary>
    /// <exception cref="BadRequestException">There is no such schedule.</exception>
    public void SetScheduleEnabled(string scheduleId, bool enabled)
    {
        var schedule = ledger.Schedules.Get(scheduleId);
        var next = schedule.Cron is { } cron ? ScheduleClock.Next(cron, schedule.TimeZone, time.GetUtcNow()) : schedule.NextAt;
        ledger.Schedules.SetEnabled(scheduleId, enabled, next);
    }

    /// <summary>A pipeline of one stage.</summary>
    public static PipelineSpec Single(RunKind kind, JsonElement spec) => new() { Name = kind.ToString().ToLowerInvariant(), Stages = [new() { Kind = kind, Spec = spec }] };

    private PipelineSpec Normalise(PipelineSpec pipeline)
    {
        BadRequestException.ThrowIfAny(pipeline.Problems());
        var problems = new List<string>();
        var stages = new List<PipelineStage>();
        foreach (var stage in pipeline.Stages)
        {
            try
            {
                var spec = Stage.Of(stage.Kind).Normalise(stage.Spec);
                problems.AddRange(Stage.Of(stage.Kind).Problems(spec).Concat(_rules.Problems(stage.Kind, spec)).Select(problem => $"Stage '{stage.NameOrKind}': {problem}"));
                using var document = JsonDocument.Parse(spec);
                stages.Add(stage with { Name = stage.NameOrKind, Spec = document.RootElement.Clone() });
            }
            catch (BadRequestException error) { problems.AddRange(error.Problems.Select(problem => $"Stage '{stage.NameOrKind}': {problem}")); }
        }
        BadRequestException.ThrowIfAny(problems);
        return pipeline with { Stages = stages };
    }
}
