// COCO's JSON: images, categories, annotations with bbox [x, y, width, height] in pixels from the top left, or polygons. A label of a whole
// picture is written as the box of the whole picture with "iscrowd": 0 and "whole": true, which is our own field and read back as such.
using System.Text.Json.Nodes;
using FeatureForge.Data;

namespace FeatureForge.Labelling;

internal static class Coco
{
    internal static IEnumerable<Exchanged> Read(string path)
    {
        using var stream = File.OpenRead(path);
        var root = JsonNode.Parse(stream) as JsonObject;
        if (root?["images"] is not JsonArray images || root["annotations"] is not JsonArray annotations || root["categories"] is not JsonArray categories)
            throw new BadRequestException($"{path} is not COCO: expected an object with images, annotations and categories.");
        var files = images.OfType<JsonObject>().ToDictionary(image => image["id"]!.ToString(), image => image["file_name"]!.ToString());
        var names = categories.OfType<JsonObject>().ToDictionary(category => category["id"]!.ToString(), category => category["name"]!.ToString());
        foreach (var annotation in annotations.OfType<JsonObject>())
        {
            var where = $"{Path.GetFileName(path)} annotation {annotation["id"]}";
            if (annotation["image_id"]?.ToString() is not { } image || !files.TryGetValue(image, out var file)) throw new BadRequestException($"{where}: its image_id {annotation["image_id"]} is not among the images.");
            if (annotation["category_id"]?.ToString() is not { } category || !names.TryGetValue(category, out var name)) throw new BadRequestException($"{where}: its category_id {annotation["category_id"]} is not among the categories.");
            var confidence = annotation["score"]?.GetValue<double>();
            yield return new(file, name, annotation["author"]?.ToString(), (float?)confidence, null, RegionOf(annotation), where);
        }
    }

    internal static void Write(Stream stream, IEnumerable<(KnownItem Item, IReadOnlyList<LabelRow> Rows)> items, Action<string> leftOut)
    {
        var (images, annotations, categories) = (new JsonArray(), new JsonArray(), new SortedDictionary<string, int>(StringComparer.Ordinal));
        var kept = new List<(int Image, KnownItem Item, LabelRow Row)>();
        foreach (var (item, rows) in items)
        {
            if (item.Modality != Modality.Image)
            {
                leftOut($"{item.Path}: COCO holds pictures only.");
                continue;
            }
            images.Add(new JsonObject { ["id"] = images.Count + 1, ["file_name"] = item.Path, ["width"] = item.Width, ["height"] = item.Height, ["item_id"] = item.ItemId });
            foreach (var row in rows) { kept.Add((images.Count, item, row)); categories[row.Name] = 0; }
        }
        foreach (var (name, number) in categories.Keys.ToList().Select((name, i) => (name, i + 1))) categories[name] = number;
        foreach (var (image, item, row) in kept)
        {
            var region = LabelRegion.Parse(row.Region);
            var annotation = new JsonObject { ["id"] = annotations.Count + 1, ["image_id"] = image, ["category_id"] = categories[row.Name], ["iscrowd"] = 0, ["author"] = row.Author };
            var (x, y, width, height) = (region?.X ?? 0, region?.Y ?? 0, region?.Width ?? item.Width ?? 0, region?.Height ?? item.Height ?? 0);
            if (region?.Polygon is { } polygon)
            {
                annotation["segmentation"] = new JsonArray(new JsonArray([.. polygon.Select(number => (JsonNode)number)]));
                double[] xs = [.. polygon.Where((_, i) => i % 2 == 0)], ys = [.. polygon.Where((_, i) => i % 2 == 1)];
                (x, y, width, height) = (xs.Min(), ys.Min(), xs.Max() - xs.Min(), ys.Max() - ys.Min());
            }
            annotation["bbox"] = new JsonArray(x, y, width, height);
            annotation["area"] = width * height;
            if (region is null) annotation["whole"] = true;
            if (row.Confidence < 1) annotation["score"] = row.Confidence;
            annotations.Add(annotation);
        }
        var root = new JsonObject
        {
            ["images"] = images,
            ["annotations"] = annotations,
            ["categories"] = new JsonArray([.. categories.Select(pair => new JsonObject { ["id"] = pair.Value, ["name"] = pair.Key })]),
        };
        using var json = new System.Text.Json.Utf8JsonWriter(stream, new() { Indented = true });
        root.WriteTo(json);
    }

    private static LabelRegion? RegionOf(JsonObject annotation)
    {
        if (annotation["whole"]?.GetValue<bool>() == true) return null;
        if (annotation["segmentation"] is JsonArray { Count: > 0 } polygons && polygons[0] is JsonArray points && points.Count >= 6) return new() { Polygon = [.. points.Select(point => point!.GetValue<double>())] };
        return annotation["bbox"] is JsonArray { Count: 4 } box
            ? new() { X = box[0]!.GetValue<double>(), Y = box[1]!.GetValue<double>(), Width = box[2]!.GetValue<double>(), Height = box[3]!.GetValue<double>() }
            : null;
    }
}
