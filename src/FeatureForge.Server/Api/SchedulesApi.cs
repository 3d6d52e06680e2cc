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
        api.MapDelete("/schedules/{id:runid}", (string id, RunLedger ledger) =>
        {
            if (ledger.Schedules.Find(id) == null) return StoreApi.Missing();
            ledger.Schedules.Delete(id);
            return Results.NoContent();
        });
    }
}
