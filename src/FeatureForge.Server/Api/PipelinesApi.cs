// /api/v1/pipelines: several runs with an order. `featureforge run PIPELINE.json --server URL` asks here.
using FeatureForge.Data;
using FeatureForge.Jobs;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace FeatureForge.Server;

/// <summary>Endpoints over pipelines.</summary>
public static class PipelinesApi
{
    /// <summary>Adds the endpoints to the group /api/v1.</summary>
    public static void MapPipelinesApi(this IEndpointRouteBuilder api)
    {
        api.MapGet("/pipelines", (int? take, RunLedger ledger) => take is < 1 or > 1000 ? Results.Problem("Expected take from 1 to 1000.", statusCode: StatusCodes.Status400BadRequest) : StoreApi.Json(ledger.Pipelines.List(take ?? 50)));
        api.MapGet("/pipelines/{id:runid}", (string id, RunLedger ledger) => ledger.Pipelines.Find(id) is { } pipeline ? StoreApi.Json(pipeline) : StoreApi.Missing()).Gives<PipelineRow>("One pipeline with its runs");
        api.MapPost("/pipelines", async (HttpRequest request, RunDesk desk, JobWakeUp jobs, CancellationToken stop) =>
        {
            var ticket = desk.Submit(await StoreApi.ReadAsync<PipelineSpec>(request, stop));
            jobs.Wake();
            return ticket.Origin == RunOrigin.Created ? StoreApi.Created(ticket.Pipeline) : StoreApi.Json(ticket.Pipeline);
        }).Describes<PipelineSpec, PipelineRow>("Ask for a pipeline");
        api.MapPost("/pipelines/{id:runid}/cancel", (string id, RunLedger ledger) =>
        {
            if (ledger.Pipelines.Find(id) is not { } pipeline) return StoreApi.Missing();
            foreach (var run in pipeline.Runs.Where(run => !run.IsEnded)) ledger.RequestCancel(run.RunId);
            return StoreApi.Json(ledger.Pipelines.Get(id));
        });
        api.MapPost("/pipelines/{id:runid}/resume", (string id, RunLedger ledger, JobWakeUp jobs) =>
        {
            if (ledger.Pipelines.Find(id) is not { } pipeline) return StoreApi.Missing();
            foreach (var run in pipeline.Runs.Where(run => run.State is RunState.Failed or RunState.Stopped)) ledger.Resume(run.RunId);
            jobs.Wake();
            return StoreApi.Json(ledger.Pipelines.Get(id));
        });
    }
}
