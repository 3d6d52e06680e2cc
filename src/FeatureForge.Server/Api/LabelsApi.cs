// /api/v1/labels: what the label sets hold, what to label next, giving labels and taking them back. Each act has its verb: featureforge label …
using FeatureForge.Data;
using FeatureForge.Labelling;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace FeatureForge.Server;

/// <summary>Endpoints over label logs and labelling queues.</summary>
public static class LabelsApi
{
    private static readonly NeedsAttribute _labellers = new() { Write = AccessRole.Labeller };
    private static readonly NeedsAttribute _queue = new() { Write = AccessRole.Labeller, IsAudited = false };

    /// <summary>Adds the endpoints to the group /api/v1. Where people sign in, they act as themselves, whatever author a request names.</summary>
    public static void MapLabelsApi(this IEndpointRouteBuilder api)
    {
        api.MapGet("/labels", (Store store) => StoreApi.Json(store.LabelSets()));
        api.MapGet("/labels/{name:storename}", async (string name, Store store, LabelDesk desk, CancellationToken stop) =>
            store.LabelSets().Contains(name) ? StoreApi.Json(await desk.SummaryAsync(name, stop)) : StoreApi.Missing());
        api.MapPost("/labels/{name:storename}", GiveAsync).Describes<GiveRequest, object>("Give items or clusters a label").WithMetadata(_labellers, new Microsoft.AspNetCore.Mvc.RequestSizeLimitAttribute(16 << 20));
        api.MapPost("/labels/{name:storename}/queue", TurnAsync).Describes<TurnRequest, QueueTurn>("What to label next, held for half an hour").WithMetadata(_queue);
        api.MapPost("/labels/{name:storename}/answers", AnswerAsync).Describes<AnswerRequest, object>("Skip, put off or disagree").WithMetadata(_labellers);
        api.MapPost("/labels/{name:storename}/undo", UndoAsync).Describes<UndoRequest, object>("Take a batch of labels back").WithMetadata(_labellers);
    }

    /// <summary>What POST /labels/NAME takes: a class for items, for those of a selection, or for clusters of a clustering.</summary>
    private sealed record GiveRequest(string Name, string Author, IReadOnlyList<string>? Items, IReadOnlyList<string>? Clusters, string? Clustering, string? Selection, float Confidence = 1);

    private static async Task<IResult> GiveAsync(string name, HttpContext http, SignInPolicy policy, LabelDesk desk, CancellationToken stop)
    {
        var give = await StoreApi.ReadAsync<GiveRequest>(http.Request, stop);
        var rows = await desk.SetAsync(new() { LabelSet = name, Name = give.Name, Author = http.Author(policy, give.Author), ItemIds = give.Items ?? [], ClusterIds = give.Clusters ?? [], Clustering = give.Clustering, Selection = give.Selection, Confidence = give.Confidence }, stop);
        return StoreApi.Created(new { rows[0].Batch, Labels = rows.Count });
    }

    /// <summary>What POST /labels/NAME/queue takes.</summary>
    private sealed record TurnRequest(string Set, string Author, string? Level, string? Clustering, string? Selection, int Count = 10);

    private static async Task<IResult> TurnAsync(string name, HttpContext http, SignInPolicy policy, QueueTurns turns, CancellationToken stop)
    {
        var ask = await StoreApi.ReadAsync<TurnRequest>(http.Request, stop);
        return StoreApi.Json(await turns.NextAsync(new() { LabelSet = name, Set = ask.Set, Level = ask.Level ?? Level.High, Clustering = ask.Clustering, Selection = ask.Selection }, http.Author(policy, ask.Author), ask.Count, stop));
    }

    /// <summary>What POST /labels/NAME/answers takes; hours are for defer.</summary>
    private sealed record AnswerRequest(IReadOnlyList<string> Items, QueueAnswer Answer, string Author, double Hours = 24);

    private static async Task<IResult> AnswerAsync(string name, HttpContext http, SignInPolicy policy, RunLedger ledger, TimeProvider time, CancellationToken stop)
    {
        var answer = await StoreApi.ReadAsync<AnswerRequest>(http.Request, stop);
        answer = answer with { Author = http.Author(policy, answer.Author) };
        var problems = new List<string>();
        if (answer.Items is not { Count: > 0 }) problems.Add("Name at least one item.");
        else if (answer.Items.Any(id => id is not { Length: 32 } || !id.All(char.IsAsciiHexDigitLower))) problems.Add("Items are ids of 32 lower-case hex characters.");
        if (string.IsNullOrWhiteSpace(answer.Author)) problems.Add("An answer needs an author.");
        if (answer.Hours is not (> 0 and <= 8760)) problems.Add(FormattableString.Invariant($"hours is {answer.Hours}; expected more than 0 and at most 8760 (a year)."));
        BadRequestException.ThrowIfAny(problems);
        using var leases = ledger.Queue(name);
        DateTimeOffset? until = answer.Answer == QueueAnswer.Defer ? time.GetUtcNow().AddHours(answer.Hours) : null;
        foreach (var item in answer.Items!) leases.Answer(item, answer.Author, answer.Answer, until);
        return StoreApi.Json(new { answer.Answer, Items = answer.Items!.Count, Until = until });
    }

    /// <summary>What POST /labels/NAME/undo takes; without a batch the author's last act is meant.</summary>
    private sealed record UndoRequest(string Author, string? Batch);

    private static async Task<IResult> UndoAsync(string name, HttpContext http, SignInPolicy policy, Store store, LabelDesk desk, CancellationToken stop)
    {
        var undo = await StoreApi.ReadAsync<UndoRequest>(http.Request, stop);
        undo = undo with { Author = http.Author(policy, undo.Author) };
        if (!store.LabelSets().Contains(name)) return StoreApi.Missing();
        if (string.IsNullOrWhiteSpace(undo.Author)) throw new BadRequestException("Say whose act is taken back: author.");
        var batch = undo.Batch ?? await desk.LastBatchAsync(name, undo.Author, stop) ?? throw new BadRequestException($"{undo.Author} has given no label that is in force.");
        return StoreApi.Json(new { Batch = batch, Undone = (await desk.UndoBatchAsync(name, batch, undo.Author, stop)).Count });
    }
}
