// /media/CORPUS/ITEM/…: what browsers show and play.
using FeatureForge.Data;
using FeatureForge.Ingest;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;

namespace FeatureForge.Server;

/// <summary>Media endpoints. An id names content, so browsers may keep what they got.</summary>
public static class MediaApi
{
    public static void MapMedia(this IEndpointRouteBuilder routes)
    {
        var media = routes.MapGroup("/media/{name:storename}/{id:itemid}");
        media.MapGet("/thumbnail", async (string name, string id, int? size, HttpContext http, Store store, MediaReader reader, CancellationToken stop) =>
            size is < 16 or > 2048 ? Results.Problem("Expected size from 16 to 2048 pixels.", statusCode: StatusCodes.Status400BadRequest)
            : store.FindCorpus(name) is not { } corpus ? StoreApi.Missing()
            : Send(http, await reader.ThumbnailAsync(corpus, id, size ?? 192, stop), id));
        media.MapGet("/waveform", async (string name, string id, int? bars, HttpContext http, Store store, MediaReader reader, CancellationToken stop) =>
            bars is < 8 or > 2000 ? Results.Problem("Expected from 8 to 2000 bars.", statusCode: StatusCodes.Status400BadRequest)
            : store.FindCorpus(name) is not { } corpus ? StoreApi.Missing()
            : Send(http, await reader.WaveformAsync(corpus, id, bars ?? 60, stop), id));
        media.MapGet("/audio", async (string name, string id, HttpContext http, Store store, MediaReader reader, CancellationToken stop) =>
        {
            if (store.FindCorpus(name) is not { } corpus || await reader.AudioAsync(corpus, id, stop) is not { } audio) return StoreApi.Missing();
            Keep(http);
            return Results.Stream(audio, "audio/wav", entityTag: Tag(id), enableRangeProcessing: true);
        });
        media.MapGet("/text", async (string name, string id, HttpContext http, Store store, ItemReader items, CancellationToken stop) =>
        {
            if (store.FindCorpus(name) is not { } corpus || await items.FindAsync(corpus, id, withContent: false, stop) is not { Text: { } text }) return StoreApi.Missing();
            Keep(http);
            return Results.Text(text, "text/plain; charset=utf-8");
        });
    }

    private static IResult Send(HttpContext http, PreviewFile? picture, string id)
    {
        if (picture == null) return StoreApi.Missing();
        Keep(http);
        return Results.Bytes(picture.Bytes, picture.MediaType, entityTag: Tag(id));
    }

    private static void Keep(HttpContext http) => http.Response.Headers.CacheControl = "private, max-age=86400";

    private static EntityTagHeaderValue Tag(string id) => new($"\"{id}\"");
}
