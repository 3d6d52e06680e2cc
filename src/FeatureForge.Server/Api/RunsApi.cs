// /api/v1/runs: list, start, watch (server-sent events), cancel, resume.
using System.Text.Json;
using FeatureForge.Data;
using FeatureForge.Jobs;
using FeatureForge.Server.Pages;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;

namespace FeatureForge.Server;

/// <summary>Endpoints over the run ledger.</summary>
public static class RunsApi
{
    private static readonly TimeSpan _look = TimeSpan.FromMilliseconds(400);

    /// <summary>Adds the endpoints to the group /api/v1.</summary>
    public static void MapRunsApi(this IEndpointRouteBuilder api)
    {
        api.MapGet("/runs", List).Gives<RunPage>("Runs, newest first, by page");
        api.MapGet("/runs/{id:runid}", (string id, RunLedger ledger) => ledger.Find(id) is { } run ? StoreApi.Json(run) : StoreApi.Missing()).Gives<RunRow>("One run");
        api.MapGet("/runs/{id:runid}/log", (string id, long? after, RunLedger ledger) => ledger.Find(id) == null ? StoreApi.Missing() : StoreApi.Json(ledger.Journal.ReadLog(id, after ?? 0))).Gives<IReadOnlyList<RunLogLine>>("Log lines of a run after a sequence number");
        api.MapGet("/runs/{id:runid}/metrics", Metrics).Gives<CurvesResult>("Curves of a run");
        api.MapGet("/runs/{id:runid}/events", EventsAsync);
        api.MapPost("/runs", StartAsync).Describes<StartRequest, RunRow>("Ask for a run; the same request again gives the run there is");
        api.MapPost("/runs/cancel", async (HttpRequest request, RunLedger ledger, CancellationToken stop) => StoreApi.Json(new { Runs = ledger.RequestCancel(await FilterAsync(request, stop)) })).Describes<BulkRequest, object>("Stop all runs that match");
        api.MapPost("/runs/resume", async (HttpRequest request, RunLedger ledger, JobWakeUp jobs, CancellationToken stop) =>
        {
            var resumed = ledger.Resume(await FilterAsync(request, stop));
            jobs.Wake();
            return StoreApi.Json(new { Runs = resumed });
        }).Describes<BulkRequest, object>("Queue all failed and stopped runs that match again");
        api.MapPost("/runs/{id:runid}/cancel", Cancel).Gives<RunRow>("Stop a run");
        api.MapPost("/runs/{id:runid}/resume", ResumeAsync).Describes<ResumeRequest, RunRow>("Go on with a failed or stopped run");
    }

    private static IResult List(string? state, string? kind, string? text, int? skip, int? take, RunLedger ledger)
    {
        if (skip is < 0 || take is < 1 or > 1000) return Results.Problem("Expected skip >= 0 and take from 1 to 1000.", statusCode: StatusCodes.Status400BadRequest);
        return StoreApi.Json(ledger.List(new() { State = StoreApi.Word<RunState>("state", state), Kind = StoreApi.Word<RunKind>("kind", kind), Text = text, Skip = skip ?? 0, Take = take ?? 50 }));
    }

    /// <summary>What POST /runs/cancel and /runs/resume take: at least one of them, so that an empty request does not mean everything.</summary>
    private sealed record BulkRequest(RunState? State, RunKind? Kind, string? Text);

    private static async Task<RunFilter> FilterAsync(HttpRequest request, CancellationToken stop)
    {
        var bulk = await StoreApi.ReadAsync<BulkRequest>(request, stop);
        if (bulk is { State: null, Kind: null } && string.IsNullOrEmpty(bulk.Text)) throw new BadRequestException("Say which runs are meant: state, kind, text.");
        return new() { State = bulk.State, Kind = bulk.Kind, Text = bulk.Text };
    }

    private static IResult Metrics(string id, string? names, RunLedger ledger)
    {
        if (ledger.Find(id) == null) return StoreApi.Missing();
        var curves = new Curves(names);
        foreach (var row in ledger.Journal.ReadMetrics(id)) curves.Add(row);
        return StoreApi.Json(curves.Result());
    }

    /// <summary>What POST /runs takes.</summary>
    private sealed record StartRequest(RunKind Kind, JsonElement Spec, double? Budget = null);

    /// <summary>What POST /runs/ID/resume takes; nothing is fine.</summary>
    private sealed record ResumeRequest(double? Budget = null);

    private static async Task<IResult> StartAsync(HttpRequest request, RunDesk desk, JobWakeUp jobs, CancellationToken stop)
    {
        var start = await StoreApi.ReadAsync<StartRequest>(request, stop);
        var ticket = desk.Submit(start.Kind, start.Spec, start.Budget);
        jobs.Wake();
        return ticket.Origin == RunOrigin.Created ? StoreApi.Created(ticket.Run) : StoreApi.Json(ticket.Run);
    }

    private static IResult Cancel(string id, RunLedger ledger)
    {
        if (ledger.Find(id) == null) return StoreApi.Missing();
        ledger.RequestCancel(id);
        return StoreApi.Json(ledger.Get(id));
    }

    private static async Task<IResult> ResumeAsync(string id, HttpRequest request, RunLedger ledger, JobWakeUp jobs, CancellationToken stop)
    {
        if (ledger.Find(id) == null) return StoreApi.Missing();
        var budget = request.ContentLength is null or 0 ? null : (await StoreApi.ReadAsync<ResumeRequest>(request, stop)).Budget;
        var run = ledger.Resume(id, budget);
        jobs.Wake();
        return StoreApi.Json(run);
    }

    // Events: "run" when state or progress changed, "log" with new lines, "metrics" when there are new numbers, "end" at last.
    private static async Task EventsAsync(string id, long? after, HttpContext http, RunLedger ledger, TimeProvider time, IHostApplicationLifetime host)
    {
        if (ledger.Find(id) == null)
        {
            await StoreApi.Missing().ExecuteAsync(http);
            return;
        }
        http.Response.ContentType = "text/event-stream";
        http.Response.Headers.CacheControl = "no-store";
        // A server that stops does not wait for its readers; they ask again where they were.
        using var either = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, host.ApplicationStopping);
        var stop = either.Token;
        var lastEventId = http.Request.Headers["Last-Event-ID"].ToString();
        var sequence = long.TryParse(lastEventId, out var seen) ? seen : after ?? 0;
        string? shown = null;
        long progressed = -1;
        using var timer = new PeriodicTimer(_look, time);
        do
        {
            if (ledger.Find(id) is not { } run) return;
            var lines = ledger.Journal.ReadLog(id, sequence, 500);
            if (lines.Count > 0)
            {
                sequence = lines[^1].Sequence;
                await SendAsync(http, "log", lines, sequence);
            }
            var state = JsonSerializer.Serialize(Summary(run), SpecJson.Line);
            if (state != shown) await SendAsync(http, "run", Summary(run), sequence);
            // Numbers come with progress, so new ones need looking for only then.
            if (run.Progress is { } progress && progress.Done != progressed) await SendAsync(http, "metrics", progressed = progress.Done, sequence);
            shown = state;
            if (run.IsEnded && lines.Count == 0)
            {
                await SendAsync(http, "end", run.State, sequence);
                return;
            }
        }
        while (await NextTickAsync(timer, stop));
    }

    private static async Task<bool> NextTickAsync(PeriodicTimer timer, CancellationToken stop)
    {
        try { return await timer.WaitForNextTickAsync(stop); }
        catch (OperationCanceledException) { return false; }
    }

    private static object Summary(RunRow run) => new
    {
        run.State,
        run.Attempt,
        run.Error,
        Percent = RunWording.Percent(run.Progress),
        Line = run.State == RunState.Running ? RunWording.Line(run.Progress) : "",
        run.Progress,
    };

    private static async Task SendAsync<T>(HttpContext http, string kind, T data, long id)
    {
        var text = $"id: {id}\nevent: {kind}\ndata: {JsonSerializer.Serialize(data, SpecJson.Line)}\n\n";
        await http.Response.WriteAsync(text, http.RequestAborted);
        await http.Response.Body.FlushAsync(http.RequestAborted);
    }
}
