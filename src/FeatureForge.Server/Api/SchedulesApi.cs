// /api/v1/schedules: standing requests.
using System.Text.Json;
using FeatureForge.Data;
using FeatureForge.Jobs;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace FeatureForge.Server;

/// <summary>Endpoints over the ledger's schedules.</summary>
public static class SchedulesApi
{
    /// <summary>Adds the endpoints to the group /api/v1.</summary>
    public static void MapSchedulesApi(this IEndpointRouteBuilder api)
    {
        api.MapGet("/schedules", (RunLedger ledger) => StoreApi.Json(ledger.Schedules.List())).Gives<IReadOnlyList<ScheduleRow>>("All schedules");
        api.MapPost("/schedules", async (HttpRequest request, RunDesk desk, CancellationToken stop) =>
            StoreApi.Created(desk.Schedule(await StoreApi.ReadAsync<ScheduleRequest>(request, stop)))).Describes<ScheduleRequest, ScheduleRow>("Keep a schedule");
        api.MapPost("/schedules/{id:runid}/enabled", async (string id, HttpRequest request, RunLedger ledger, RunDesk desk, CancellationToken stop) =>
        {
            if (ledger.Schedules.Find(id) == null) return StoreApi.Missing();
            desk.SetScheduleEnabled(id, await StoreApi.ReadAsync<bool>(request, stop));
            return StoreApi.Json(ledger.Schedules.Get(id));
        });
        api.MapGet("/schedules/{id:runid}/missed", (string id, DateTimeOffset? since, RunLedger ledger, RunDesk desk) =>
            ledger.Schedules.Find(id) == null ? StoreApi.Missing() : StoreApi.Json(desk.Missed(id, since))).Gives<MissedFirings>("Times at which a schedule did not run, and what a run now would do");
        api.MapPost("/schedules/{id:runid}/run", (string id, RunLedger ledger, RunDesk desk, JobWakeUp jobs) =>
        {
            if (ledger.Schedules.Find(id) == null) return StoreApi.Missing();
            var ticket = desk.RunSchedule(id);
            jobs.Wake();
            return ticket.Origin == RunOrigin.Created ? StoreApi.Created(ticket.Pipeline) : StoreApi.Json(ticket.Pipeline);
        }).Gives<PipelineRow>("Let a schedule run now");
        api.MapDelete("/schedules/{id:runid}", (string id, RunLedger ledger) =>
        {
            if (ledger.Schedules.Find(id) == null) return StoreApi.Missing();
            ledger.Schedules.Delete(id);
            return Results.NoContent();
        });
    }
}
