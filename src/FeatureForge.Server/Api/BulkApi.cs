// Much at once: vectors as an Arrow IPC stream, and the store's own Parquet files by range requests, for DuckDB, Polars and others.
using Apache.Arrow.Ipc;
using FeatureForge.Data;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;

namespace FeatureForge.Server;

/// <summary>Bulk endpoints. A file is one that a manifest lists; nothing else of the store can be asked for.</summary>
public static class BulkApi
{
    private const string ArrowStream = "application/vnd.apache.arrow.stream";

    /// <summary>Adds the endpoints to the group /api/v1.</summary>
    public static void MapBulkApi(this IEndpointRouteBuilder api)
    {
        api.MapGet("/sets/{name:storename}/vectors", VectorsAsync).WithSummary("Vectors of one level and grain as an Arrow IPC stream: item_id, span_index, vector").Produces(StatusCodes.Status200OK, contentType: ArrowStream);
        api.MapGet("/files", (Store store) => StoreApi.Json(Files(store).Select(file => new { file.Path, file.Part.Rows, file.Part.Bytes, file.Part.Sha256 }))).WithSummary("Parquet files of the store, by path");
        api.MapGet("/files/{kind}/{name:storename}/{**path}", File).WithSummary("One Parquet file; ranges are answered");
    }

    private static async Task VectorsAsync(string name, string? level, string? grain, HttpContext http, Store store)
    {
        if (VectorBatches.Find(store, name, level ?? Level.High, StoreApi.Word<Grain>("grain", grain) ?? Grain.Item) is not { } vectors)
        {
            await StoreApi.Missing().ExecuteAsync(http);
            return;
        }
        http.Response.ContentType = ArrowStream;
        using var writer = new ArrowStreamWriter(http.Response.Body, vectors.Schema, leaveOpen: true);
        await writer.WriteStartAsync(http.RequestAborted);
        foreach (var batch in vectors.Read(vectors.Table.Parts))
            using (batch) await writer.WriteRecordBatchAsync(batch, http.RequestAborted);
        await writer.WriteEndAsync(http.RequestAborted);
    }

    private static IResult File(string kind, string name, string path, HttpContext http, Store store)
    {
        var asked = $"{kind}/{name}/{path}";
        if (Files(store, kind, name).FirstOrDefault(file => file.Path == asked) is not { Part: { } part }) return StoreApi.Missing();
        http.Response.Headers.CacheControl = "private, no-cache";
        return Results.File(store.FileOf(store.PathOf(kind, name), part), "application/vnd.apache.parquet", enableRangeProcessing: true, entityTag: new EntityTagHeaderValue($"\"{part.Sha256}\""));
    }

    private static IEnumerable<(string Path, PartFile Part)> Files(Store store, string? kind = null, string? name = null)
    {
        IEnumerable<(string, PartFile)> Of<T>(string room, Func<IReadOnlyList<T>> all, Func<string, T?> find, Func<T, string> nameOf, Func<T, IEnumerable<PartFile>> parts) where T : class =>
            kind is not null && kind != room ? [] : (name is null ? all() : find(name) is { } one ? [one] : []).SelectMany(manifest => parts(manifest).Select(part => ($"{room}/{nameOf(manifest)}/{part.Path}", part)));
        return
        [
            .. Of("corpora", store.Corpora, store.FindCorpus, corpus => corpus.Name, corpus => [.. corpus.ItemParts, .. corpus.QuarantineParts, .. corpus.RemovalParts]),
            .. Of("embeddings", store.Sets, store.FindSet, set => set.Name, set => set.Tables.SelectMany(table => table.Parts)),
            .. Of("clusterings", store.Clusterings, store.FindClustering, one => one.Name, one => [.. one.ClusterParts, .. one.MembershipParts, .. one.MapParts, .. one.AssignmentParts]),
            .. Of("selections", store.Selections, store.FindSelection, one => one.Name, one => one.ItemParts),
        ];
    }
}
