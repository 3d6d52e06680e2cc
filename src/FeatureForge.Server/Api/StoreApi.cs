// GET /api/v1/…: what the store holds, as JSON; curves and maps for the pages.
using FeatureForge.Data;
using FeatureForge.Jobs;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;

namespace FeatureForge.Server;

/// <summary>Reading endpoints over manifests, metrics, clusters and maps.</summary>
public static class StoreApi
{
    /// <summary>Adds the endpoints to the group /api/v1.</summary>
    public static void MapStoreApi(this IEndpointRouteBuilder api)
    {
        api.MapGet("/corpora", (Store store) => Json(store.Corpora())).Gives<IReadOnlyList<CorpusManifest>>("All corpora");
        api.MapGet("/corpora/{name:storename}", (string name, Store store) => JsonOr404(store.FindCorpus(name))).Gives<CorpusManifest>("One corpus");
        api.MapGet("/corpora/{name:storename}/items", ItemsAsync).Gives<IReadOnlyList<ItemRow>>("Items of a corpus, by page; where=CONDITION as in `search --where`");
        api.MapGet("/corpora/{name:storename}/items/{id:itemid}", ItemAsync).Gives<ItemRow>("One item, without its bytes");
        api.MapGet("/encoders", (Store store) => Json(store.Encoders())).Gives<IReadOnlyList<EncoderManifest>>("All encoders");
        api.MapGet("/encoders/{name:storename}", (string name, Store store) => JsonOr404(store.FindEncoder(name))).Gives<EncoderManifest>("One encoder");
        api.MapGet("/encoders/{name:storename}/metrics", MetricsAsync).Gives<CurvesResult>("Curves of an encoder's training");
        api.MapGet("/encoders/{name:storename}/compare", CompareAsync).Gives<CurvesResult>("One number of several encoders' trainings, by encoder: metric=NAME, with=ENCODER (once or more)");
        api.MapGet("/sets", (Store store) => Json(store.Sets())).Gives<IReadOnlyList<SetManifest>>("All embedding sets");
        api.MapGet("/sets/{name:storename}", (string name, Store store) => JsonOr404(store.FindSet(name))).Gives<SetManifest>("One embedding set");
        api.MapGet("/clusterings", (Store store) => Json(store.Clusterings())).Gives<IReadOnlyList<ClusteringManifest>>("All clusterings");
        api.MapGet("/clusterings/{name:storename}", (string name, Store store) => JsonOr404(store.FindClustering(name))).Gives<ClusteringManifest>("One clustering");
        api.MapGet("/clusterings/{name:storename}/clusters", ClustersAsync);
        api.MapGet("/clusterings/{name:storename}/map", MapAsync);
        api.MapGet("/clusterings/{name:storename}/map/{point:int:min(0)}", PointAsync);
        api.MapGet("/stale", (Store store) => Json(Staleness.Find(store))).Gives<IReadOnlyList<StaleThing>>("What no longer matches what it was made from");
        api.MapGet("/stale/plan", (Store store) => Json(RefreshPlan.Of(store))).Gives<RefreshPlan>("The runs that bring everything up to date, before anything is asked for");
        api.MapPost("/stale/refresh", (Store store, RunDesk desk, JobWakeUp jobs) =>
        {
            if (RefreshPlan.Of(store).ToPipeline() is not { } pipeline) throw new BadRequestException("There is nothing that could be brought up to date.");
            var ticket = desk.Submit(pipeline);
            jobs.Wake();
            return ticket.Origin == RunOrigin.Created ? Created(ticket.Pipeline) : Json(ticket.Pipeline);
        }).Gives<PipelineRow>("Ask for these runs, as one pipeline");
    }

    /// <summary>Says in the API's description what a request's body is and what the answer holds.</summary>
    internal static RouteHandlerBuilder Describes<TBody, TAnswer>(this RouteHandlerBuilder endpoint, string summary) where TBody : notnull => endpoint.WithMetadata(new BodyMetadata(typeof(TBody))).Gives<TAnswer>(summary);

    /// <summary>The type of a request's body, for the description alone: what ASP.NET takes for that also chooses endpoints, and would answer wrong types of content before the access gate knows who may ask.</summary>
    internal sealed record BodyMetadata(Type Body);

    /// <summary>Says in the API's description what the answer holds.</summary>
    internal static RouteHandlerBuilder Gives<TAnswer>(this RouteHandlerBuilder endpoint, string summary) => endpoint.WithSummary(summary).Produces<TAnswer>().ProducesProblem(StatusCodes.Status400BadRequest);

    /// <summary>JSON with a tag of its content: who asks again with If-None-Match is told when nothing has changed.</summary>
    internal static IResult Json<T>(T value) => new TaggedJson(System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(value, SpecJson.Line));

    private sealed class TaggedJson(byte[] json) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            var (request, response) = (httpContext.Request, httpContext.Response);
            if (HttpMethods.IsGet(request.Method))
            {
                var tag = $"\"{ContentId.Sha256(json)[..32]}\"";
                response.Headers.ETag = tag;
                if (!response.Headers.ContainsKey(HeaderNames.CacheControl)) response.Headers.CacheControl = "private, no-cache";
                if (request.GetTypedHeaders().IfNoneMatch.Any(asked => asked.Tag == tag || asked.Tag == "*"))
                {
                    response.StatusCode = StatusCodes.Status304NotModified;
                    return Task.CompletedTask;
                }
            }
            response.ContentType = "application/json; charset=utf-8";
            response.ContentLength = json.Length;
            return response.Body.WriteAsync(json, httpContext.RequestAborted).AsTask();
        }
    }

    internal static IResult Created<T>(T value) => Results.Json(value, SpecJson.Line, statusCode: StatusCodes.Status201Created);

    /// <summary>One of a closed list by its lower-case name; null when not given.</summary>
    /// <exception cref="BadRequestException">There is no such word.</exception>
    internal static T? Word<T>(string parameter, string? word) where T : struct, Enum
    {
        if (string.IsNullOrEmpty(word)) return null;
        return Enum.TryParse<T>(word, ignoreCase: true, out var value) && Enum.IsDefined(value) ? value
            : throw new BadRequestException($"The {parameter} is '{word}'; expected one of: {string.Join(", ", Enum.GetNames<T>()).ToLowerInvariant()}.");
    }

    /// <summary>The request's body. Anything but application/json is refused: browsers send other types across sites unasked.</summary>
    /// <exception cref="BadRequestException">The body is no such JSON.</exception>
    internal static async Task<T> ReadAsync<T>(HttpRequest request, CancellationToken stop)
    {
        if (!request.HasJsonContentType()) throw new BadRequestException($"Expected a body of type application/json, found '{request.ContentType}'.");
        try { return await System.Text.Json.JsonSerializer.DeserializeAsync<T>(request.Body, SpecJson.Strict, stop) ?? throw new BadRequestException("The body is null."); }
        catch (System.Text.Json.JsonException error) { throw new BadRequestException($"The body is not as expected: {error.Message}"); }
    }

    private static IResult JsonOr404<T>(T? value) where T : class => value == null ? Missing() : Json(value);

    internal static IResult Missing() => Results.Problem("There is nothing with this name or id.", statusCode: StatusCodes.Status404NotFound);

    private static async Task<IResult> ItemsAsync(string name, string? modality, string? where, long? first, int? count, Store store, ItemReader items, CancellationToken stop)
    {
        if (store.FindCorpus(name) is not { } corpus) return Missing();
        if (first is < 0 || count is < 1 or > 1000) return Results.Problem("Expected first >= 0 and count from 1 to 1000.", statusCode: StatusCodes.Status400BadRequest);
        if (where is { Length: > 1000 }) throw new BadRequestException($"The condition has {where.Length} characters; expected at most 1000.");
        return Json(await items.PageAsync(corpus, Word<Modality>("modality", modality), await items.FilterAsync(corpus, where, stop), first ?? 0, count ?? 100, stop));
    }

    private static async Task<IResult> ItemAsync(string name, string id, Store store, ItemReader items, CancellationToken stop) =>
        store.FindCorpus(name) is { } corpus ? JsonOr404(await items.FindAsync(corpus, id, withContent: false, stop)) : Missing();

    private static async Task<IResult> CompareAsync(string name, string? metric, string[] with, Store store, CancellationToken stop)
    {
        var curves = new Curves(null);
        foreach (var one in with.Prepend(name).Distinct().Take(Pages.Encoders.CompareModel.Most))
        {
            if (Names.Problem("encoder", one) is not null || store.FindEncoder(one) is not { } encoder) return Missing();
            await foreach (var row in NumbersAsync(store, encoder, stop))
                if (row.Name == (metric ?? "loss")) curves.Add(row with { Name = one });
        }
        return Json(curves.Result());
    }

    private static async Task<IResult> MetricsAsync(string name, string? names, Store store, CancellationToken stop)
    {
        if (store.FindEncoder(name) is not { } encoder) return Missing();
        var curves = new Curves(names);
        await foreach (var row in NumbersAsync(store, encoder, stop)) curves.Add(row);
        return Json(curves.Result());
    }

    private static async IAsyncEnumerable<MetricRow> NumbersAsync(Store store, EncoderManifest encoder, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken stop)
    {
        foreach (var part in encoder.MetricParts)
            await foreach (var row in MetricsTable.ReadAsync(store.FileOf(store.EncoderFolder(encoder.Name), part), stop)) yield return row;
    }

    private static async Task<IResult> ClustersAsync(string name, Store store, ClusteringReader clusterings, CancellationToken stop)
    {
        if (store.FindClustering(name) is not { } clustering) return Missing();
        var tree = await clusterings.TreeAsync(clustering, stop);
        return Json(tree.Clusters.Select(cluster => new
        {
            cluster.ClusterId,
            // Place of the parent in this list, -1 for a root.
            Parent = tree.Position(cluster.ParentId),
            cluster.Depth,
            cluster.Size,
            cluster.Name,
        }));
    }

    /// <param name="first">From which point on: the first <see cref="MapPoints.ChunkPoints"/> are spread evenly over the whole, and so on.</param>
    private static async Task<IResult> MapAsync(string name, int? first, HttpContext http, Store store, ClusteringReader clusterings, CancellationToken stop)
    {
        if (store.FindClustering(name) is not { } clustering) return Missing();
        var map = await clusterings.MapAsync(clustering, stop);
        if (first is < 0) return Results.Problem("Expected first >= 0.", statusCode: StatusCodes.Status400BadRequest);
        http.Response.Headers["X-Map-Total"] = map.Total.ToString(System.Globalization.CultureInfo.InvariantCulture);
        http.Response.Headers["X-Map-Points"] = map.Count.ToString(System.Globalization.CultureInfo.InvariantCulture);
        http.Response.Headers.CacheControl = "no-cache";
        var tag = ContentId.Of($"{first ?? 0} {clustering.RunId}" + string.Concat(clustering.MapParts.Concat(clustering.MembershipParts).Select(part => part.Sha256)));
        return Results.Bytes(map.Triples(first ?? 0, MapPoints.ChunkPoints), "application/octet-stream", entityTag: new EntityTagHeaderValue($"\"{tag}\""));
    }

    private static async Task<IResult> PointAsync(string name, int point, Store store, ClusteringReader clusterings, ItemReader items, CancellationToken stop)
    {
        if (store.FindClustering(name) is not { } clustering) return Missing();
        if ((await clusterings.MapAsync(clustering, stop)).At(point) is not { } place) return Missing();
        var corpus = clusterings.CorpusOf(clustering);
        var item = corpus == null ? null : await items.FindAsync(corpus, place.ItemId, withContent: false, stop);
        return Json(new
        {
            place.ItemId,
            place.SpanIndex,
            Corpus = corpus?.Name,
            item?.Modality,
            item?.Path,
            item?.Width,
            item?.DurationMs,
            Snippet = item?.Text == null ? null : Display.Snippet(item.Text, 400),
        });
    }
}
