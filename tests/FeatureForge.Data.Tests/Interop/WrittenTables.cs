// Every table that the product writes, once, with what readers trip over: nulls, text outside ASCII and the BMP, empty text and lists,
// several row groups, no rows at all. What a reader must find is worked out from the records alone, never by reading the file back.
using System.Collections;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace FeatureForge.Data.Tests.Interop;

/// <summary>A file and the rows that a reader must find: bytes as hexadecimal text, times as microseconds since 1970.</summary>
internal sealed record WrittenTable(string Name, string Path, string Schema, IReadOnlyList<JsonObject> Rows);

internal static class WrittenTables
{
    private const string Odd = "naïve 日本語 🤔 \u0001\"'\n";
    private static readonly DateTimeOffset _time = DateTimeOffset.UnixEpoch.AddTicks(17_945_712_345_678_900); // not a whole millisecond

    internal static async Task<IReadOnlyList<WrittenTable>> WriteAsync(string folder)
    {
        var tables = new List<WrittenTable>();

        async Task AddAsync<TRow>(string name, Func<string, IReadOnlyList<TRow>, CancellationToken, Task> write, params TRow[] rows) where TRow : class
        {
            foreach (var (suffix, written) in new[] { ("", rows), ("-empty", []) })
            {
                var path = Path.Combine(folder, $"{name}{suffix}.parquet");
                await write(path, written, default);
                tables.Add(new(name + suffix, path, $"{name}/1", [.. written.Select(Row)]));
            }
        }

        await AddAsync("items", ItemsTable.WriteAsync, Items());
        await AddAsync("quarantine", QuarantineTable.WriteAsync,
            new Rejection(Odd, "file:///bad", null, null, "decode", RejectionCode.ArchiveBomb, Odd, 1, _time),
            new Rejection("b", "", long.MaxValue >> 11, new string('a', 64), "source", RejectionCode.Empty, "", 2, _time));
        await AddAsync("removals", RemovalsTable.WriteAsync, new Removal("a", Odd, "path drafts/*", "run", _time));
        await AddAsync("selection", SelectionsTable.WriteAsync, new SelectionRow("a"), new SelectionRow("b"));
        await AddAsync("clusters", ClustersTable.WriteAsync,
            new ClusterRow { ClusterId = "r", Depth = 0, Size = 3, Name = Odd, Cohesion = -0.25f, Centroid = [] },
            new ClusterRow { ClusterId = "c", ParentId = "r", Depth = 1, Size = 2, Name = "c", Keywords = ["", Odd], ExemplarIds = ["i"], BoundaryIds = ["j", "k"], Stability = 0.5f, Cohesion = 1, Centroid = [1, -2.5f], NearestSiblingId = "d", NameSource = "person" });
        await AddAsync("memberships", MembershipsTable.WriteAsync, new MembershipRow("i", 0, "c", ["r", "c"], 1, 0.5f, "c"), new MembershipRow("j", 1, null, [], 0, 2));
        await AddAsync("assignments", AssignmentsTable.WriteAsync, new AssignmentRow("i", 0, "c", "c", ["r", "c"], 0.75f, 0.5f, 0.25f, false, 1, -2), new AssignmentRow("j", 0, null, "c", [], 0, 1, 4, true, null, null));
        await AddAsync("cluster_edits", ClusterEditsTable.WriteAsync,
            new ClusterEditRow { EditId = "e", Kind = "merge", ClusterIds = ["c", "d"], ResultIds = ["f"], Name = Odd, Author = "someone", At = _time },
            new ClusterEditRow { EditId = "f", Kind = "split", ClusterIds = ["c"], Author = "someone", At = _time });
        await AddAsync("map", MapTable.WriteAsync, new MapRow("i", 0, 1.5f, -2));
        await AddAsync("metrics", MetricsTable.WriteAsync, [.. Enumerable.Range(0, 20_001).Select(step => new MetricRow(step, "loss", step / 1024.0))]);
        await AddAsync("labels", LabelsTable.WriteAsync,
            new LabelRow { LabelId = "l", Target = LabelTarget.Item, TargetId = "i", Name = Odd, Source = LabelSource.Person, Author = "someone", At = _time, Batch = "b", Region = """{"start_ms":0,"end_ms":10}""" },
            new LabelRow { LabelId = "m", Target = LabelTarget.Cluster, TargetId = "c", Clustering = "t", Name = "", Source = LabelSource.Model, Author = "head", Confidence = 0.5f, At = _time, Undoes = "l", Batch = "b", EncoderId = "e" });

        foreach (var modality in Enum.GetValues<Modality>())
            foreach (var dtype in new[] { "float32", "float16" }) tables.Add(Embeddings(folder, modality, dtype, rows: 5, dimension: 3));
        tables.Add(Embeddings(folder, Modality.Text, "float32", rows: 3, dimension: 16_384));
        tables.Add(Embeddings(folder, Modality.Text, "float32", rows: 0, dimension: 8));
        return tables;
    }

    private static ItemRow[] Items()
    {
        var item = new ItemRow { ItemId = ContentId.Of("a"), Modality = Modality.Text, SourceUri = "file:///a", Path = Odd, MediaType = "text/plain", ByteSize = 0, Text = "", Characters = 0, IngestedAt = _time };
        return
        [
            item,
            item with { Text = Odd, Characters = 17, Language = "ja", NearDuplicateOf = item.ItemId, Metadata = """{"k":"日本語"}""", Content = [], Signature = [1, 2] },
            item with { Modality = Modality.Image, Text = null, Characters = null, Width = 4, Height = 5, Channels = 3, Content = [0, 255, 1], Quality = new Dictionary<string, float> { ["blur"] = 0.25f, ["dark"] = 0.5f } },
            item with { Modality = Modality.Audio, Text = null, Characters = null, DurationMs = 250, SampleRate = 16_000, Channels = 1, Content = [1], Quality = new Dictionary<string, float> { ["clipped"] = 1 } },
        ];
    }

    // Two row groups whenever there are rows enough. The values are exact in 16 bits.
    private static WrittenTable Embeddings(string folder, Modality modality, string dtype, int rows, int dimension)
    {
        var name = $"embeddings-{modality}-{dtype}-{rows}x{dimension}";
        var path = Path.Combine(folder, $"{name}.parquet");
        var written = new List<JsonObject>();
        using (var writer = new EmbeddingWriter(path, new(modality, "encoder", "preprocessing", Level.High, Grain.Segment, dimension, "cosine", dtype)))
        {
            for (var row = 0; row < rows; row += 4)
            {
                var numbers = Enumerable.Range(row, Math.Min(4, rows - row)).ToArray();
                var spans = Array.ConvertAll(numbers, number => modality == Modality.Image ? ItemSpan.Rectangle(number, 2, 30, 40) : ItemSpan.Range(number, number + 10));
                var vectors = numbers.SelectMany(number => Enumerable.Range(0, dimension).Select(value => (number * 7 + value) % 512 / 256f - 1)).ToArray();
                writer.Write(new([.. numbers.Select(number => $"item-{number / 2}")], [.. numbers.Select(number => number % 2)], spans, vectors, dimension));
                foreach (var number in numbers)
                {
                    var expected = new JsonObject { ["item_id"] = $"item-{number / 2}", ["span_index"] = number % 2 };
                    var span = modality switch
                    {
                        Modality.Image => new[] { ("x", number), ("y", 2), ("width", 30), ("height", 40) },
                        Modality.Audio => [("start_ms", number), ("end_ms", number + 10)],
                        _ => [("start_char", number), ("end_char", number + 10)],
                    };
                    foreach (var (column, value) in span) expected[column] = value;
                    expected["vector"] = Value(vectors.AsSpan((number - row) * dimension, dimension).ToArray());
                    written.Add(expected);
                }
            }
            writer.Close();
        }
        return new(name, path, "embeddings/1", written);
    }

    private static JsonObject Row(object row) =>
        new(row.GetType().GetProperties().Where(property => !property.IsDefined(typeof(JsonIgnoreAttribute), inherit: false)).Select(property => KeyValuePair.Create(Column(property.Name), Value(property.GetValue(row)))));

    private static string Column(string property) => property == nameof(LabelRow.Target) ? "target_kind" : JsonNamingPolicy.SnakeCaseLower.ConvertName(property);

    private static JsonNode? Value(object? value) => value switch
    {
        null => null,
        string text => text,
        byte[] bytes => Convert.ToHexStringLower(bytes),
        Enum word => JsonNamingPolicy.SnakeCaseLower.ConvertName(word.ToString()),
        DateTimeOffset time => (time - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond,
        IReadOnlyDictionary<string, float> map => new JsonObject(map.Select(pair => KeyValuePair.Create(pair.Key, Value(pair.Value)))),
        IEnumerable list => new JsonArray([.. list.Cast<object>().Select(Value)]),
        bool flag => flag,
        _ => Convert.ToDouble(value, System.Globalization.CultureInfo.InvariantCulture),
    };
}
