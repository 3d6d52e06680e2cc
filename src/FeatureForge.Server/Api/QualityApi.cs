// /api/v1/corpora/NAME/report and …/quarantine: what is wrong with a corpus, which files became no items, trying these again.
using FeatureForge.Data;
using FeatureForge.Ingest;
using FeatureForge.Jobs;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace FeatureForge.Server;

/// <summary>Endpoints over the quality of corpora.</summary>
public static class QualityApi
{
    /// <summary>Adds the endpoints to the group /api/v1.</summary>
    public static void MapQualityApi(this IEndpointRouteBuilder api)
    {
        api.MapGet("/corpora/{name:storename}/report", async (string name, Store store, CorpusReports reports, CancellationToken stop) =>
            store.FindCorpus(name) is { } corpus ? StoreApi.Json(await reports.ReadAsync(corpus, stop)) : StoreApi.Missing()).Gives<CorpusReport>("Quality issues, duplicates, sizes and quarantine of a corpus");
        api.MapGet("/corpora/{name:storename}/quarantine", ListAsync).Gives<IReadOnlyList<Rejection>>("Files in quarantine, by page: code=CODE, first, count");
        api.MapPost("/corpora/{name:storename}/quarantine/retry", RetryAsync).Describes<RetryRequest, RunRow>("Try quarantined files again, as a run");
    }

    private static async Task<IResult> ListAsync(string name, string? code, int? first, int? count, Store store, CancellationToken stop)
    {
        if (store.FindCorpus(name) is not { } corpus) return StoreApi.Missing();
        if (first is < 0 || count is < 1 or > 1000) return Results.Problem("Expected first >= 0 and count from 1 to 1000.", statusCode: StatusCodes.Status400BadRequest);
        var selection = new RetrySelection { Codes = code is null ? [] : [CodeOf(code)] };
        var rows = corpus.QuarantineParts.ToAsyncEnumerable().SelectMany(part => QuarantineTable.ReadAsync(store.FileOf(store.CorpusFolder(name), part), stop));
        return StoreApi.Json(await rows.Where(selection.Matches).Skip(first ?? 0).Take(count ?? 100).ToListAsync(stop));
    }

    /// <summary>What POST …/quarantine/retry takes: which rows (all, when both lists are empty) and, where they were too large, other limits than at the last ingest.</summary>
    private sealed record RetryRequest(IReadOnlyList<string>? Codes, IReadOnlyList<string>? Paths, IngestLimits? Limits);

    private static async Task<IResult> RetryAsync(string name, HttpRequest request, Store store, RunDesk desk, JobWakeUp jobs, CancellationToken stop)
    {
        if (store.FindCorpus(name) is not { } corpus) return StoreApi.Missing();
        var ask = await StoreApi.ReadAsync<RetryRequest>(request, stop);
        var spec = new RetrySelection { Codes = [.. (ask.Codes ?? []).Select(CodeOf)], Paths = ask.Paths ?? [] }.Of(corpus);
        var ticket = desk.Submit(RunKind.Ingest, ask.Limits is null ? spec : spec with { Limits = ask.Limits });
        jobs.Wake();
        return ticket.Origin == RunOrigin.Created ? StoreApi.Created(ticket.Run) : StoreApi.Json(ticket.Run);
    }

    private static RejectionCode CodeOf(string word) => RetrySelection.CodeOf(word) ?? throw new BadRequestException($"There is no code '{word}'; expected {string.Join(", ", Enum.GetValues<RejectionCode>().Select(QuarantineTable.CodeName))}.");
}
