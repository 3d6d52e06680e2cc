// Much at once: vectors as an Arrow IPC stream, and the store's own Parquet files by range requests, for DuckDB, Polars and others.
using Apache.Arrow;
using Apache.Arrow.Ipc;
using Apache.Arrow.Types;
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
        if (store.FindSet(name) is not { } set)
        {
            await StoreApi.Missing().ExecuteAsync(http);
            return;
        }
        var (wantedLevel, wantedGrain) = (level ?? Level.High, StoreApi.Word<Grain>("grain", grain) ?? Grain.Item);
        var table = set.Tables.FirstOrDefault(table => table.Level == wantedLevel && table.Grain == wantedGrain)
            ?? throw new BadRequestException($"Embedding set '{name}' has no vectors of level {wantedLevel} and grain {wantedGrain.ToString().ToLowerInvariant()}.");
        var schema = new Schema([new("item_id", StringType.Default, false), new("span_index", Int32Type.Default, false), new("vector", new FixedSizeListType(new Field("element", FloatType.Default, false), table.Dimension), false)],
            new Dictionary<string, string> { ["featureforge.encoder_id"] = set.EncoderId, ["featureforge.level"] = wantedLevel, ["featureforge.metric"] = table.Metric });
        http.Response.ContentType = ArrowStream;
        using var writer = new ArrowStreamWriter(http.Response.Body, schema, leaveOpen: true);
        await writer.WriteStartAsync(http.RequestAborted);
        foreach (var block in table.Parts.SelectMany(part => EmbeddingTable.Read(store.FileOf(store.SetFolder(name), part))))
        {
            using var batch = new RecordBatch(schema, [new StringArray.Builder().AppendRange(block.ItemIds).Build(), new Int32Array.Builder().AppendRange(block.SpanIndex).Build(), Vectors(schema, block)], block.Rows);
            await writer.WriteRecordBatchAsync(batch, http.RequestAborted);
        }
        await writer.WriteEndAsync(http.RequestAborted);
    }

    private static FixedSizeListArray Vectors(Schema schema, EmbeddingBlock block)
    {
        var values = new FloatArray(new ArrowBuffer(System.Runtime.InteropServices.MemoryMarshal.AsBytes(block.Vectors.AsSpan(0, block.Rows * block.Dimension)).ToArray()), ArrowBuffer.Empty, block.Rows * block.Dimension, 0, 0);
        return new(new ArrayData(schema.GetFieldByName("vector").DataType, block.Rows, 0, 0, [ArrowBuffer.Empty], [values.Data]));
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
        ];
    }
}
