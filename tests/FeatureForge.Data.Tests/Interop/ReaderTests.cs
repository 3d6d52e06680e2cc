// Every table the product writes, read back by readers of other makers: the same rows, types and key-values.
using System.Text.Json.Nodes;
using DuckDB.NET.Data;
using FeatureForge.TestKit;

namespace FeatureForge.Data.Tests.Interop;

public sealed class ReaderTests : IDisposable
{
    /// <summary>Columns that Polars' JavaScript binding cannot hand over.</summary>
    private static readonly List<string> _binary = ["content", "signature"];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task DuckDB_reads_every_table()
    {
        foreach (var table in await WrittenTables.WriteAsync(_folder.Path))
        {
            var types = Rows($"select column_name, column_type from (describe select * from '{table.Path}')").ToDictionary(row => (string)row[0], row => (string)row[1]);
            var columns = types.Select(type => type.Value switch
            {
                "BLOB" => $"lower(hex({type.Key})) as \"{type.Key}\"",
                "TIMESTAMP WITH TIME ZONE" => $"epoch_us(\"{type.Key}\") as \"{type.Key}\"",
                _ => $"\"{type.Key}\"",
            });
            var rows = Rows($"select to_json(t) from (select {string.Join(", ", columns)} from '{table.Path}') t").Select(row => JsonNode.Parse((string)row[0]));
            var keyValues = Rows($"select decode(key), decode(value) from parquet_kv_metadata('{table.Path}')").ToDictionary(row => (string)row[0], row => (string)row[1]);

            Same(table, [.. rows]);
            Assert.Equal(table.Schema, keyValues["featureforge.schema"]);
            AssertTypes(table, types, new() { ["text"] = "VARCHAR", ["bytes"] = "BLOB", ["time"] = "TIMESTAMP WITH TIME ZONE", ["long"] = "BIGINT", ["int"] = "INTEGER", ["map"] = "MAP(VARCHAR, FLOAT)", ["texts"] = "VARCHAR[]", ["floats"] = "FLOAT[]" });
        }
    }

    [NeedsToolFact("node")]
    public async Task Polars_reads_every_table()
    {
        var tables = await WrittenTables.WriteAsync(_folder.Path);

        var read = await ReadAsync("polars", tables.Select(table => table.Path));

        foreach (var table in tables)
        {
            var found = read[table.Path]!;
            foreach (var row in table.Rows) _binary.ForEach(column => row.Remove(column));
            Same(table, found["rows"]!.AsArray());
            AssertTypes(table, Types(found), new() { ["text"] = "DataType(String)", ["bytes"] = null, ["time"] = "DataType(Datetime(us,UTC))", ["long"] = "DataType(Int64)", ["int"] = "DataType(Int32)", ["map"] = null, ["texts"] = "DataType(List(DataType(String)))", ["floats"] = "DataType(List(DataType(Float32)))" });
        }
    }

    [NeedsToolFact("node")]
    public async Task Hyparquet_reads_every_table()
    {
        var tables = await WrittenTables.WriteAsync(_folder.Path);

        var read = await ReadAsync("hyparquet", tables.Select(table => table.Path));

        foreach (var table in tables)
        {
            var found = read[table.Path]!;
            Same(table, found["rows"]!.AsArray());
            Assert.Equal(table.Rows.Count, (int)found["count"]!);
            Assert.Equal(table.Schema, (string)found["key_values"]!["featureforge.schema"]!);
            AssertTypes(table, Types(found), new() { ["text"] = "BYTE_ARRAY", ["bytes"] = "BYTE_ARRAY", ["time"] = "INT64", ["long"] = "INT64", ["int"] = "INT32", ["map"] = null, ["texts"] = null, ["floats"] = null });
        }
    }

    [NeedsToolFact("node")]
    public async Task Apache_Arrow_reads_the_prepared_tensors()
    {
        PreparationSpec[] preparations = [new() { Modality = Modality.Image, ImageSize = 2 }, new() { Modality = Modality.Audio, SampleRate = 8000 }, new() { Modality = Modality.Text }];
        var paths = preparations.Select(preparation => Path.Combine(_folder.Path, $"{preparation.Modality}.arrow")).ToArray();
        for (var index = 0; index < 3; index++)
        {
            using var writer = new PreparedPartWriter(paths[index], preparations[index]);
            if (index == 0) writer.AddImage("日本", 7, 8, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 255]);
            if (index == 1) writer.AddAudio("a", 250, [-32768, 0, 1, 32767]);
            if (index == 2) writer.AddText("a", "naïve 🤔");
            writer.Complete();
        }

        var read = await ReadAsync("arrow", paths);

        Assert.Equal("""[{"item_id":"日本","source_width":7,"source_height":8,"pixels":"000102030405060708090aff"}]""", Json(read[paths[0]]!["rows"]!));
        Assert.Equal("""[{"item_id":"a","duration_ms":250,"samples":[-32768,0,1,32767]}]""", Json(read[paths[1]]!["rows"]!));
        Assert.Equal("naïve 🤔", (string)read[paths[2]]!["rows"]![0]!["text"]!);
        for (var index = 0; index < 3; index++) Assert.Equal(preparations[index].Hash, (string)read[paths[index]]!["key_values"]!["featureforge.preparation"]!);
    }

    [Fact]
    public async Task Row_groups_carry_the_statistics_that_readers_prune_by()
    {
        var tables = await WrittenTables.WriteAsync(_folder.Path);
        string Groups(string name, string column) => string.Join(' ', Rows($"select stats_min_value || '..' || stats_max_value from parquet_metadata('{tables.Single(table => table.Name == name).Path}') where path_in_schema = '{column}' order by row_group_id").Select(row => row[0]));

        Assert.Equal("0..19999 20000..20000", Groups("metrics", "step"));
        Assert.Equal("item-0..item-1 item-2..item-2", Groups("embeddings-Audio-float16-5x3", "item_id"));
    }

    private static string Json(JsonNode node) => node.ToJsonString(SpecJson.Line);

    private static async Task<JsonNode> ReadAsync(string engine, IEnumerable<string> paths) =>
        JsonNode.Parse(await NodeProgram.RunAsync(Path.Combine(AppContext.BaseDirectory, "Interop", "read_tables.mjs"), [engine, .. paths]))!;

    private static Dictionary<string, string> Types(JsonNode found) => found["types"]!.AsObject().ToDictionary(pair => pair.Key, pair => (string)pair.Value!);

    private static void Same(WrittenTable table, IList<JsonNode?> found)
    {
        Assert.True(table.Rows.Count == found.Count, $"{table.Name}: expected {table.Rows.Count} rows, found {found.Count}");
        for (var row = 0; row < found.Count; row++)
            Assert.True(JsonNode.DeepEquals(table.Rows[row], found[row]), $"{table.Name}, row {row}: expected\n{Json(table.Rows[row])}\nfound\n{Json(found[row]!)}");
    }

    /// <summary>One column of every kind; a kind whose type is null is not looked at.</summary>
    private static void AssertTypes(WrittenTable table, Dictionary<string, string> found, Dictionary<string, string?> types)
    {
        (string Column, string Kind)[] expected = table.Schema switch
        {
            "items/1" => [("item_id", "text"), ("text", "text"), ("content", "bytes"), ("byte_size", "long"), ("width", "int"), ("quality", "map"), ("ingested_at", "time")],
            "clusters/1" => [("size", "long"), ("depth", "int"), ("keywords", "texts"), ("centroid", "floats")],
            "labels/1" => [("at", "time"), ("undoes", "text")],
            _ => [],
        };
        foreach (var (column, kind) in expected)
            if (types[kind] is { } type) Assert.True(found[column] == type, $"{table.Name}.{column}: expected {type}, found {found[column]}");
    }

    private static List<object[]> Rows(string sql)
    {
        using var connection = new DuckDBConnection("DataSource=:memory:");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        using var reader = command.ExecuteReader();
        var rows = new List<object[]>();
        while (reader.Read())
        {
            var row = new object[reader.FieldCount];
            reader.GetValues(row);
            rows.Add(row);
        }
        return rows;
    }
}
