// /api/v1/clusterings/NAME/map/…: which items a selection holds, and what to colour points by.
using FeatureForge.Data;
using FeatureForge.Labelling;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;

namespace FeatureForge.Server;

/// <summary>Endpoints of the map page beyond its points.</summary>
public static class MapApi
{
    /// <summary>Colours that eyes tell apart; what is rarer shares one.</summary>
    public const int MostValues = 24;

    private static readonly NeedsAttribute _readers = new() { Write = AccessRole.Viewer, IsAudited = false };

    /// <summary>Adds the endpoints to the group /api/v1.</summary>
    public static void MapMapApi(this IEndpointRouteBuilder api)
    {
        api.MapPost("/clusterings/{name:storename}/map/items", ItemsAsync).Describes<PointsRequest, object>("The items of points of the map").WithMetadata(_readers, new RequestSizeLimitAttribute(4 << 20));
        api.MapGet("/clusterings/{name:storename}/map/matching", MatchingAsync).Gives<PointMatches>("The points whose items fulfil a condition: where=CONDITION as in `search --where`");
        api.MapGet("/clusterings/{name:storename}/map/values", ValuesAsync).Gives<PointValues>("A value of every point, to colour it by: by=label:NAME, by=folder, by=language, by=media_type, by=metadata.KEY");
    }

    /// <summary>What POST …/map/items takes: numbers of points, from 0.</summary>
    private sealed record PointsRequest(IReadOnlyList<int> Points);

    private static async Task<IResult> ItemsAsync(string name, HttpRequest request, Store store, ClusteringReader clusterings, CancellationToken stop)
    {
        if (store.FindClustering(name) is not { } clustering) return StoreApi.Missing();
        var asked = await StoreApi.ReadAsync<PointsRequest>(request, stop);
        var map = await clusterings.MapAsync(clustering, stop);
        if (asked.Points is null) throw new BadRequestException("Name the points: points.");
        return StoreApi.Json(new { Corpus = clusterings.CorpusOf(clustering)?.Name, Items = ItemsAt(map, asked.Points) });
    }

    /// <summary>The items of points, each once.</summary>
    /// <exception cref="BadRequestException">There is no such point.</exception>
    internal static IReadOnlyCollection<string> ItemsAt(MapPoints map, IReadOnlyList<int> points)
    {
        if (points.FirstOrDefault(point => point < 0 || point >= map.Count, -1) is var wrong and not -1) throw new BadRequestException($"There is no point {wrong}; this map has {map.Count}.");
        return [.. points.Select(point => map.At(point)!.Value.ItemId).Distinct()];
    }

    private static async Task<IResult> MatchingAsync(string name, string? where, Store store, ClusteringReader clusterings, ItemReader items, CancellationToken stop)
    {
        if (store.FindClustering(name) is not { } clustering || clusterings.CorpusOf(clustering) is not { } corpus) return StoreApi.Missing();
        if (where is not { Length: > 0 and <= 1000 }) throw new BadRequestException("Give a condition of 1 to 1000 characters: where.");
        var bits = (await clusterings.MapAsync(clustering, stop)).Matching(await items.FilterAsync(corpus, where, stop) ?? ItemIdSet.None);
        return StoreApi.Json(new PointMatches(bits.Sum(some => System.Numerics.BitOperations.PopCount(some)), bits));
    }

    private static async Task<IResult> ValuesAsync(string name, string? by, Store store, ClusteringReader clusterings, CancellationToken stop)
    {
        if (store.FindClustering(name) is not { } clustering) return StoreApi.Missing();
        var map = await clusterings.MapAsync(clustering, stop);
        var values = await ByItemAsync(by ?? "", store, clusterings.CorpusOf(clustering), stop);
        var points = Enumerable.Range(0, map.Count).Select(point => values.GetValueOrDefault(map.At(point)!.Value.ItemId)).ToList();
        List<string> names = [.. points.OfType<string>().CountBy(value => value).OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key, StringComparer.Ordinal).Take(MostValues).Select(pair => pair.Key)];
        var numbers = names.Select((value, number) => (value, number)).ToDictionary(pair => pair.value, pair => (byte)pair.number, StringComparer.Ordinal);
        return StoreApi.Json(new PointValues(names, [.. points.Select(value => value is null ? byte.MaxValue : numbers.GetValueOrDefault(value, (byte)MostValues))]));
    }

    private static async Task<IReadOnlyDictionary<string, string>> ByItemAsync(string by, Store store, CorpusManifest? corpus, CancellationToken stop)
    {
        if (by.StartsWith("label:", StringComparison.Ordinal))
        {
            if (!store.LabelSets().Contains(by["label:".Length..])) throw new BadRequestException($"There is no label set '{by["label:".Length..]}'.");
            return LabelDecisions.OfItems(await LabelLog.Existing(store, by["label:".Length..]).ReadAsync(stop)).ToDictionary(pair => pair.Key, pair => pair.Value.Name, StringComparer.Ordinal);
        }
        Func<ItemRow, string?> column = by switch
        {
            "folder" => item => item.Path.LastIndexOf('/') is var slash and > 0 ? item.Path[..slash] : null,
            "language" => item => item.Language,
            "media_type" => item => item.MediaType,
            _ when by.StartsWith("metadata.", StringComparison.Ordinal) => item => Metadata(item, by["metadata.".Length..]),
            _ => throw new BadRequestException($"Points cannot be coloured by '{by}'; expected label:NAME, folder, language, media_type or metadata.KEY."),
        };
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var part in corpus?.ItemParts ?? [])
            await foreach (var item in ItemsTable.ReadAsync(store.FileOf(store.CorpusFolder(corpus!.Name), part), withContent: false, stop))
                if (column(item) is { } value) values[item.ItemId] = value;
        return values;
    }

    private static string? Metadata(ItemRow item, string key)
    {
        if (item.Metadata == "{}") return null;
        using var json = System.Text.Json.JsonDocument.Parse(item.Metadata);
        return json.RootElement.ValueKind == System.Text.Json.JsonValueKind.Object && json.RootElement.TryGetProperty(key, out var value) ? value.ToString() : null;
    }
}

/// <summary>Which points match.</summary>
/// <param name="Bits">A bit a point, the lowest of each byte first; base64 in JSON.</param>
public sealed record PointMatches(int Count, byte[] Bits);

/// <summary>What to colour points by.</summary>
/// <param name="Names">The commonest values, at most <see cref="MapApi.MostValues"/>.</param>
/// <param name="Codes">Of every point its place in the names, as many as there are names at most for all others, 255 for none; base64 in JSON.</param>
public sealed record PointValues(IReadOnlyList<string> Names, byte[] Codes);
