// Label Studio's JSON: a list of tasks {data, annotations[{completed_by, result[]}], predictions[]}. A result of type choices is about the whole
// item; labels over audio carry start and end in seconds; rectangles carry x, y, width, height in percent of the picture and rotation in degrees;
// polygons points in percent; text spans start and end in characters. Written tasks are what an import of annotations takes back.
using System.Text.Json;
using System.Text.Json.Nodes;
using FeatureForge.Data;

namespace FeatureForge.Labelling;

internal static class LabelStudio
{
    private static readonly string[] _dataKeys = ["image", "audio", "text", "url", "path"];

    internal static IEnumerable<Exchanged> Read(string path)
    {
        using var stream = File.OpenRead(path);
        var tasks = 0;
        foreach (var task in JsonSerializer.DeserializeAsyncEnumerable<JsonObject>(stream, new JsonSerializerOptions { AllowTrailingCommas = true }).ToBlockingEnumerable())
        {
            var where = $"{Path.GetFileName(path)} task {++tasks}";
            if (task is null) continue;
            var data = task["data"] as JsonObject ?? throw new BadRequestException($"{where}: expected an object with \"data\", as Label Studio exports tasks (format JSON, not JSON-MIN).");
            var item = ItemOf(data, where);
            foreach (var (annotation, number) in Objects(task["annotations"]).Concat(Objects(task["completions"])).Select((one, i) => (one, i)))
            {
                if (annotation["was_cancelled"]?.GetValue<bool>() == true) continue;
                foreach (var result in Objects(annotation["result"]))
                    foreach (var label in Of(result, item, AuthorOf(annotation["completed_by"]), TimeOf(annotation), $"{where} annotation {number + 1}")) yield return label;
            }
        }
    }

    internal static void Write(Stream stream, IEnumerable<(KnownItem Item, IReadOnlyList<LabelRow> Rows)> items, Action<string> leftOut)
    {
        using var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        json.WriteStartArray();
        var id = 1;
        foreach (var (item, rows) in items)
        {
            var task = new JsonObject
            {
                ["id"] = id++,
                ["data"] = new JsonObject { [DataKey(item.Modality)] = item.Modality == Modality.Text ? item.Text ?? "" : item.Path, ["item_id"] = item.ItemId, ["path"] = item.Path },
                ["annotations"] = new JsonArray([.. rows.Where(LabelDecisions.IsGiven).GroupBy(row => row.Author, StringComparer.Ordinal)
                    .Select(author => new JsonObject { ["completed_by"] = new JsonObject { ["email"] = author.Key }, ["created_at"] = author.Max(row => row.At).UtcDateTime.ToString("O"), ["result"] = Results(item, author, leftOut) })]),
                ["predictions"] = new JsonArray([.. rows.Where(row => !LabelDecisions.IsGiven(row)).GroupBy(row => row.Author, StringComparer.Ordinal)
                    .Select(author => new JsonObject { ["model_version"] = author.Key, ["score"] = author.Average(row => (double)row.Confidence), ["result"] = Results(item, author, leftOut) })]),
            };
            task.WriteTo(json);
            if (json.BytesPending > 1 << 20) json.Flush();
        }
        json.WriteEndArray();
    }

    private static JsonArray Results(KnownItem item, IEnumerable<LabelRow> rows, Action<string> leftOut)
    {
        var results = new JsonArray();
        foreach (var row in rows)
            if (Result(item, row, leftOut) is { } result) results.Add(result);
        return results;
    }

    private static JsonObject? Result(KnownItem item, LabelRow row, Action<string> leftOut)
    {
        var (kind, name, value) = ("choices", "label", new JsonObject());
        var region = LabelRegion.Parse(row.Region);
        var result = new JsonObject { ["id"] = row.LabelId[..10], ["to_name"] = DataKey(item.Modality) };
        if (region is { StartMs: { } start, EndMs: { } end })
        {
            (kind, name) = ("labels", "region");
            (value["start"], value["end"], value["channel"]) = (start / 1000, end / 1000, 0);
            if (item.DurationMs is { } length) result["original_length"] = length / 1000.0;
        }
        else if (region is { StartChar: { } first, EndChar: { } last })
        {
            (kind, name) = ("labels", "region");
            (value["start"], value["end"]) = (first, last);
            if (item.Text is { } text && Slice(text, first, last) is { } words) value["text"] = words;
        }
        else if (region is not null)
        {
            if (item is not { Width: { } width, Height: { } height })
            {
                leftOut($"{row.LabelId}: the size of picture {item.Path} is not known, so its box cannot be written in percent.");
                return null;
            }
            (result["original_width"], result["original_height"], result["image_rotation"]) = (width, height, 0);
            if (region.Polygon is { } polygon)
            {
                (kind, name) = ("polygonlabels", "polygon");
                value["points"] = new JsonArray([.. polygon.Chunk(2).Select(point => new JsonArray(100 * point[0] / width, 100 * point[1] / height))]);
            }
            else
            {
                (kind, name) = ("rectanglelabels", "box");
                (value["x"], value["y"], value["width"], value["height"], value["rotation"]) =
                    (100 * region.X / width, 100 * region.Y / height, 100 * region.Width / width, 100 * region.Height / height, region.Rotation ?? 0);
            }
        }
        value[kind] = new JsonArray(row.Name);
        (result["from_name"], result["type"], result["value"]) = (name, kind, value);
        if (row.Confidence < 1) result["score"] = row.Confidence;
        return result;
    }

    private static IEnumerable<Exchanged> Of(JsonObject result, string item, string? author, DateTimeOffset? at, string where)
    {
        if (result["type"]?.GetValue<string>() is not { } type || result["value"] is not JsonObject value) yield break;
        // Relations, transcriptions, ratings and the like name no class.
        if (value[type] is not JsonArray names) yield break;
        double? Number(string key) => value[key] is JsonValue number && double.TryParse(number.ToString(), System.Globalization.NumberStyles.Float, System.Globalization.CultureInfo.InvariantCulture, out var read) ? read : null;
        var (wide, high) = (result["original_width"]?.GetValue<double>(), result["original_height"]?.GetValue<double>());
        Func<KnownItem, LabelRegion?>? region = null;
        if (value["points"] is JsonArray points)
        {
            double[] all = [.. points.OfType<JsonArray>().SelectMany(point => new[] { point[0]!.GetValue<double>(), point[1]!.GetValue<double>() })];
            region = known => Sizes(known, wide, high, where) is var (w, h) ? new() { Polygon = [.. all.Select((number, i) => number / 100 * (i % 2 == 0 ? w : h))] } : null;
        }
        else if (Number("x") is { } x && Number("y") is { } y && Number("width") is { } width && Number("height") is { } height)
        {
            var rotation = Number("rotation") is { } turned and not 0 ? turned : (double?)null;
            region = known => Sizes(known, wide, high, where) is var (w, h) ? new() { X = x / 100 * w, Y = y / 100 * h, Width = width / 100 * w, Height = height / 100 * h, Rotation = rotation } : null;
        }
        else if (Number("start") is { } start && Number("end") is { } end)
            region = known => known.Modality == Modality.Text ? new() { StartChar = (int)start, EndChar = (int)end } : new() { StartMs = start * 1000, EndMs = end * 1000 };
        else if (type != "choices") yield break;

        var confidence = result["score"] is JsonValue score && score.TryGetValue<double>(out var sure) ? (float?)sure : null;
        foreach (var name in names.SelectMany(Flat)) yield return new(item, name, author, confidence, at, null, where) { RegionOf = region };
    }

    // Taxonomies are lists of paths: their last step is the class.
    private static IEnumerable<string> Flat(JsonNode? node) => node switch
    {
        JsonArray path when path.Count > 0 => Flat(path[^1]),
        JsonValue value when value.TryGetValue<string>(out var text) => [text],
        _ => [],
    };

    private static (double Width, double Height) Sizes(KnownItem item, double? width, double? height, string where) =>
        ((item.Width ?? width) ?? throw new BadRequestException($"{where}: the size of picture {item.Path} is not known, so percent cannot become pixels."), (item.Height ?? height) ?? 0);

    private static string ItemOf(JsonObject data, string where)
    {
        foreach (var key in (string[])["item_id", "path", .. _dataKeys])
            if (data[key] is JsonValue value && value.TryGetValue<string>(out var text) && text.Length > 0 && (key != "text" || text.Length < 500)) return text;
        foreach (var (_, node) in data)
            if (node is JsonValue value && value.TryGetValue<string>(out var text)) return text;
        throw new BadRequestException($"{where}: \"data\" names no item; expected item_id, path, image, audio, text or url.");
    }

    private static string? AuthorOf(JsonNode? by) => by switch
    {
        JsonObject person => (person["email"] ?? person["username"] ?? person["id"])?.ToString(),
        JsonValue value => value.ToString(),
        _ => null,
    };

    private static DateTimeOffset? TimeOf(JsonObject annotation) => DateTimeOffset.TryParse((annotation["updated_at"] ?? annotation["created_at"])?.ToString(), System.Globalization.CultureInfo.InvariantCulture,
        System.Globalization.DateTimeStyles.AssumeUniversal | System.Globalization.DateTimeStyles.AdjustToUniversal, out var at) ? at : null;

    private static IEnumerable<JsonObject> Objects(JsonNode? node) => node is JsonArray list ? list.OfType<JsonObject>() : [];

    private static string DataKey(Modality modality) => modality.ToString().ToLowerInvariant();

    // Spans count Unicode code points; .NET strings count UTF-16 units.
    private static string? Slice(string text, int first, int last)
    {
        var runes = text.EnumerateRunes().Skip(first).Take(last - first);
        return string.Concat(runes.Select(rune => rune.ToString()));
    }
}
