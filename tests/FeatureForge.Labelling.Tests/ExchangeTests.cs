// Formats of other tools, from hand-written files as those tools write them, and round trips.
using System.Text.Json.Nodes;
using FeatureForge.Data;

namespace FeatureForge.Labelling.Tests;

public sealed class ExchangeTests
{
    private static Task<LabelImportResult> ImportAsync(Shelf shelf, string path, string labelSet = "labels") => LabelImport.RunAsync(shelf.Store, labelSet, path, null, "importer", null, shelf.Time, default);

    private static async Task<List<(string Item, string Name, string? Region)>> RowsAsync(Shelf shelf, string labelSet) =>
        [.. (await shelf.StateAsync(labelSet)).Active.Select(row => (row.TargetId, row.Name, row.Region)).Order()];

    [Fact]
    public async Task Label_Studio_choices_and_boxes_in_percent_become_labels_in_pixels()
    {
        using var shelf = new Shelf();
        var file = shelf.Beside("export.json");
        File.WriteAllText(file, """
            [{"id": 12, "data": {"image": "/data/upload/3/8f2c1a7e-0005.jpg"}, "annotations": [{"id": 1, "completed_by": {"id": 1, "email": "eva@example.org"}, "was_cancelled": false, "created_at": "2026-01-02T03:04:05.000000Z",
               "result": [{"id": "a", "from_name": "choice", "to_name": "image", "type": "choices", "value": {"choices": ["dog"]}},
                          {"id": "b", "from_name": "label", "to_name": "image", "type": "rectanglelabels", "original_width": 640, "original_height": 480, "image_rotation": 0,
                           "value": {"x": 25.0, "y": 50.0, "width": 10.0, "height": 5.0, "rotation": 0, "rectanglelabels": ["nose"]}}]},
              {"id": 2, "completed_by": 7, "was_cancelled": true, "result": [{"from_name": "choice", "to_name": "image", "type": "choices", "value": {"choices": ["cat"]}}]}]},
             {"id": 13, "data": {"image": "s3://bucket/nowhere.jpg"}, "annotations": [{"result": [{"type": "choices", "from_name": "c", "to_name": "image", "value": {"choices": ["dog"]}}]}]}]
            """);

        var result = await ImportAsync(shelf, file);
        var again = await ImportAsync(shelf, file);

        var rows = (await shelf.StateAsync()).Active;
        Assert.Equal((2, 1, 0, 2), (result.Added, result.Unmatched, again.Added, again.AlreadyThere));
        Assert.All(rows, row => Assert.Equal((Shelf.Id(5), "eva@example.org", LabelSource.Import), (row.TargetId, row.Author, row.Source)));
        var box = LabelRegion.Parse(rows.Single(row => row.Name == "nose").Region)!;
        Assert.Equal((160.0, 240.0, 64.0, 24.0), (box.X!.Value, box.Y!.Value, box.Width!.Value, box.Height!.Value));
    }

    [Fact]
    public async Task Label_Studio_audio_regions_are_seconds_there_and_milliseconds_here_both_ways()
    {
        using var shelf = new Shelf(modality: Modality.Audio);
        var file = shelf.Beside("audio.json");
        File.WriteAllText(file, """
            [{"data": {"audio": "https://host/files/pictures/0002.wav"}, "annotations": [{"completed_by": 3, "result": [
               {"type": "labels", "from_name": "label", "to_name": "audio", "original_length": 4.0, "value": {"start": 0.25, "end": 1.5, "channel": 0, "labels": ["speech"]}}]}]}]
            """);
        await ImportAsync(shelf, file);
        var written = shelf.Beside("back.json");
        await LabelExport.RunAsync(shelf.Store, "labels", "label-studio", written, false, false, null, default);
        await ImportAsync(shelf, written, "copy");

        var value = JsonNode.Parse(File.ReadAllText(written))![0]!["annotations"]![0]!["result"]![0]!["value"]!;
        Assert.Equal((0.25, 1.5), (value["start"]!.GetValue<double>(), value["end"]!.GetValue<double>()));
        Assert.Equal([(Shelf.Id(2), "speech", """{"start_ms":250,"end_ms":1500}""")], await RowsAsync(shelf, "copy"));
    }

    [Fact]
    public async Task Text_spans_count_code_points()
    {
        using var shelf = new Shelf(modality: Modality.Text);
        await shelf.Desk.SetAsync(new() { LabelSet = "labels", Name = "city", ItemIds = [Shelf.Id(1)], Author = "anna", Region = new() { StartChar = 15, EndChar = 21 } }, default);
        var written = shelf.Beside("text.json");
        await LabelExport.RunAsync(shelf.Store, "labels", "label-studio", written, false, false, null, default);
        await ImportAsync(shelf, written, "copy");

        Assert.Equal("Berlin", JsonNode.Parse(File.ReadAllText(written))![0]!["annotations"]![0]!["result"]![0]!["value"]!["text"]!.GetValue<string>());
        Assert.Equal(await RowsAsync(shelf, "labels"), await RowsAsync(shelf, "copy"));
    }

    [Fact]
    public async Task Coco_boxes_are_pixels_and_annotations_name_categories()
    {
        using var shelf = new Shelf();
        var file = shelf.Beside("instances.json");
        File.WriteAllText(file, """
            {"info": {}, "licenses": [], "images": [{"id": 42, "file_name": "0003.jpg", "width": 640, "height": 480}],
             "annotations": [{"id": 1, "image_id": 42, "category_id": 18, "bbox": [10.5, 20, 100, 50], "area": 5000, "iscrowd": 0, "segmentation": []}],
             "categories": [{"id": 18, "name": "dog", "supercategory": "animal"}]}
            """);

        var result = await ImportAsync(shelf, file);

        Assert.Equal(("coco", 1), (result.Format, result.Added));
        Assert.Equal([(Shelf.Id(3), "dog", """{"x":10.5,"y":20,"width":100,"height":50}""")], await RowsAsync(shelf, "labels"));
    }

    [Theory]
    [InlineData("csv")]
    [InlineData("jsonl")]
    [InlineData("parquet")]
    [InlineData("label-studio")]
    [InlineData("coco")]
    public async Task What_is_exported_comes_back_the_same(string format)
    {
        using var shelf = new Shelf();
        await shelf.GiveAsync("a, \"quoted\" name", 0, 3);
        await shelf.Desk.SetAsync(new() { LabelSet = "labels", Name = "nose", ItemIds = [Shelf.Id(6)], Author = "anna", Region = new() { X = 64, Y = 48, Width = 32, Height = 24 } }, default);
        await shelf.Desk.SetAsync(new() { LabelSet = "labels", Name = "tail", ItemIds = [Shelf.Id(6)], Author = "anna", Region = new() { Polygon = [0, 0, 64, 0, 64, 48] } }, default);
        var path = shelf.Beside($"labels.{(format is "label-studio" or "coco" ? "json" : format)}");

        await LabelExport.RunAsync(shelf.Store, "labels", format, path, false, false, null, default);
        var result = await ImportAsync(shelf, path, "copy");

        Assert.Equal((format, 4, 0), (result.Format, result.Added, result.Unmatched));
        Assert.Equal(await RowsAsync(shelf, "labels"), await RowsAsync(shelf, "copy"));
    }

    [Fact]
    public async Task A_bad_row_stops_the_import_with_its_line_and_adds_nothing()
    {
        using var shelf = new Shelf();
        var file = shelf.Beside("bad.csv");
        File.WriteAllLines(file, ["path,label,confidence", "0001.jpg,bird,0.5", "0002.jpg,bird,7"]);

        var error = await Assert.ThrowsAsync<BadRequestException>(() => ImportAsync(shelf, file));

        Assert.Contains("line 3", error.Message);
        Assert.Empty(shelf.Store.LabelSets());
    }
}
