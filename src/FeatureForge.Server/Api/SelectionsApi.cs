// /api/v1/selections: items of a corpus under a name. Each act has its verb: featureforge selection …
using FeatureForge.Data;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;

namespace FeatureForge.Server;

/// <summary>Endpoints over selections.</summary>
public static class SelectionsApi
{
    private static readonly NeedsAttribute _labellers = new() { Write = AccessRole.Labeller };

    /// <summary>Adds the endpoints to the group /api/v1. Where people sign in, they act as themselves, whatever author a request names.</summary>
    public static void MapSelectionsApi(this IEndpointRouteBuilder api)
    {
        api.MapGet("/selections", (Store store) => StoreApi.Json(store.Selections())).Gives<IReadOnlyList<SelectionManifest>>("All selections");
        api.MapGet("/selections/{name:storename}", (string name, Store store) => store.FindSelection(name) is { } selection ? StoreApi.Json(selection) : StoreApi.Missing()).Gives<SelectionManifest>("One selection");
        api.MapGet("/selections/{name:storename}/items", IdsAsync).Gives<string>("The ids of its items as CSV, a line each");
        // Two million points are 16 MB of numbers.
        api.MapPost("/selections", ChangeAsync).Describes<ChangeRequest, SelectionManifest>("Put items together under a name, or change which they are: by items, by points of a clustering's map, or by a condition").WithMetadata(_labellers, new RequestSizeLimitAttribute(32 << 20));
        api.MapDelete("/selections/{name:storename}", async (string name, Store store, SelectionDesk desk, CancellationToken stop) =>
        {
            if (store.FindSelection(name) is not { } selection) return StoreApi.Missing();
            await desk.RemoveAsync(name, stop);
            return StoreApi.Json(new { selection.Name, Removed = true });
        }).WithMetadata(_labellers);
    }

    private static async Task IdsAsync(string name, HttpContext http, Store store)
    {
        if (store.FindSelection(name) is not { } selection)
        {
            await StoreApi.Missing().ExecuteAsync(http);
            return;
        }
        http.Response.ContentType = "text/csv; charset=utf-8";
        http.Response.Headers.ContentDisposition = $"attachment; filename=\"{name}.csv\"";
        http.Response.Headers.CacheControl = "private, no-cache";
        await using var writer = new StreamWriter(http.Response.Body, leaveOpen: true);
        await writer.WriteAsync("item_id\n");
        foreach (var part in selection.ItemParts)
            await foreach (var row in SelectionsTable.ReadAsync(store.FileOf(store.SelectionFolder(name), part), http.RequestAborted)) await writer.WriteAsync(row.ItemId + "\n");
    }

    /// <summary>What POST /selections takes: a name, what to do (create, replace, add, remove), and the items in exactly one way.</summary>
    private sealed record ChangeRequest(string Name, string? Corpus, string? Author, string? Note, IReadOnlyList<string>? Items, string? Where, string? Clustering, IReadOnlyList<int>? Points, SelectionChange Change = SelectionChange.Create);

    private static async Task<IResult> ChangeAsync(HttpContext http, Store store, SignInPolicy policy, SelectionDesk desk, ItemReader items, ClusteringReader clusterings, CancellationToken stop)
    {
        var ask = await StoreApi.ReadAsync<ChangeRequest>(http.Request, stop);
        var ways = new object?[] { ask.Items, ask.Where, ask.Points }.Count(given => given is not null);
        var problems = new List<string>();
        if (ways != 1) problems.Add("Say which items by exactly one of items, where and points.");
        if (ask.Points is null == ask.Clustering is not null) problems.Add("Points are of a clustering's map: name both, clustering and points.");
        if (ask.Points is null && ask.Corpus is null) problems.Add("Name the corpus that the items are of: corpus.");
        if (ask.Corpus is not null && Names.Problem("corpus", ask.Corpus) is { } wrong) problems.Add(wrong);
        if (ask.Clustering is not null && Names.Problem("clustering", ask.Clustering) is { } bad) problems.Add(bad);
        BadRequestException.ThrowIfAny(problems);
        var (corpus, ids) = ask.Points is not null ? await AtAsync(store.Clustering(ask.Clustering!), ask.Points, clusterings, stop)
            : (ask.Corpus!, ask.Items ?? [.. (await items.FilterAsync(store.Corpus(ask.Corpus!), ask.Where, stop) ?? throw new BadRequestException("The condition is empty.")).Ids]);
        var made = await desk.ChangeAsync(new() { Name = ask.Name, Corpus = corpus, ItemIds = ids, Change = ask.Change, Author = http.Author(policy, ask.Author), Note = ask.Note ?? (ask.Where is null ? null : $"where {ask.Where}") }, stop);
        return ask.Change == SelectionChange.Create ? StoreApi.Created(made) : StoreApi.Json(made);
    }

    private static async Task<(string Corpus, IReadOnlyCollection<string> Ids)> AtAsync(ClusteringManifest clustering, IReadOnlyList<int> points, ClusteringReader clusterings, CancellationToken stop)
    {
        var corpus = clusterings.CorpusOf(clustering) ?? throw new BadRequestException($"The corpus of clustering '{clustering.Name}' is no longer in the store.");
        return (corpus.Name, MapApi.ItemsAt(await clusterings.MapAsync(clustering, stop), points));
    }
}
