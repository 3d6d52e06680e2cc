// POST /api/v1/sets/NAME/search: the nearest items to an item, a text or a file. Verb: featureforge search.
using FeatureForge.Data;
using FeatureForge.Jobs;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;

namespace FeatureForge.Server;

/// <summary>The endpoint of search.</summary>
public static class SearchApi
{
    /// <summary>Adds the endpoint to the group /api/v1.</summary>
    public static void MapSearchApi(this IEndpointRouteBuilder api) => api.MapPost("/sets/{name:storename}/search", async (string name, HttpRequest request, Store store, SearchDesk desk, CancellationToken stop) =>
    {
        if (store.FindSet(name) is null) return StoreApi.Missing();
        var ask = await StoreApi.ReadAsync<Ask>(request, stop);
        try
        {
            return StoreApi.Json(await desk.FindAsync(new()
            {
                Set = name,
                Item = ask.Item,
                Text = ask.Text,
                File = ask.File,
                Level = ask.Level ?? Level.High,
                Grain = ask.Grain ?? Grain.Item,
                Top = ask.Top ?? 10,
                Where = ask.Where,
                Exact = ask.Exact ?? false,
            }, stop));
        }
        catch (InferenceUnavailableException error) { return Results.Problem(error.Message, statusCode: StatusCodes.Status503ServiceUnavailable); }
    }).Describes<Ask, FoundItems>("The nearest items to an item, a text or a file").WithMetadata(new NeedsAttribute { Write = AccessRole.Viewer, IsAudited = false }, new RequestSizeLimitAttribute(64 << 20));

    private sealed record Ask(string? Item, string? Text, byte[]? File, string? Level, Grain? Grain, int? Top, string? Where, bool? Exact);
}
