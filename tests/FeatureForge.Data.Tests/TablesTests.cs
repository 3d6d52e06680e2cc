// Every table reads back what was written, and DuckDB sees the columns and key-values of the design.
using DuckDB.NET.Data;

namespace FeatureForge.Data.Tests;

public sealed class TablesTests : IDisposable
{
    private static readonly DateTimeOffset _noon = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("ff-tables-");

    public void Dispose() => _folder.Delete(recursive: true);

    private string PathOf(string name) => Path.Combine(_folder.FullName, name);

    private static ItemRow Image(string seed) => new()
    {
        ItemId = ContentId.Of(seed),
        Modality = Modality.Image,
        SourceUri = "file:///photos",
        Path = $"a/{seed}.png",
        MediaType = "image/png",
        ByteSize = 3,
        Content = [1, 2, 3],
        Width = 4,
        Height = 5,
        Channels = 3,
        Quality = new Dictionary<string, float> { ["blur"] = 0.25f, ["dark"] = 0.5f },
        IngestedAt = _noon,
    };

    private static ItemRow Text(string text) => new()
    {
        ItemId = ContentId.Of(text),
        Modality = Modality.Text,
        SourceUri = "file:///notes",
        Path = "notes.jsonl#1",
        MediaType = "text/plain",
        ByteSize = 9,
        Text = text,
        Characters = 3,
        Language = "ja",
        Metadata = """{"k":"v"}""",
        IngestedAt = _noon,
    };

    [Fact]
    public async Task Items_read_back_as_written()
    {
        ItemRow[] rows = [Image("one"), Text("日本語"), Image("two")];

        await ItemsTable.WriteAsync(PathOf("items.parquet"), rows, default);
        var read = await ItemsTable.ReadAsync(PathOf("items.parquet"), withContent: true, default).ToListAsync();

        Assert.Equivalent(rows, read, strict: true);
    }

    [Fact]
    public async Task Content_is_left_out_unless_asked_for()
    {
        await ItemsTable.WriteAsync(PathOf("items.parquet"), [Image("one")], default);

        var read = await ItemsTable.ReadAsync(PathOf("items.parquet"), withContent: false, default).ToListAsync();

        Assert.Null(Assert.Single(read).Content);
    }

    [Fact]
    public async Task An_empty_table_reads_as_no_rows()
    {
        await ItemsTable.WriteAsync(PathOf("items.parquet"), [], default);

        Assert.Empty(await ItemsTable.ReadAsync(PathOf("items.parquet"), withContent: true, default).ToListAsync());
        Assert.Equal(0L, Scalar($"select count(*) from '{PathOf("items.parquet")}'"));
    }

    [Fact]
    public async Task Quarantine_reads_back_as_written()
    {
        Rejection[] rows = [new("a.png", "file:///photos", 7, null, "decode", RejectionCode.ArchiveBomb, "Too much.", 1, _noon)];

        await QuarantineTable.WriteAsync(PathOf("quarantine.parquet"), rows, default);

        Assert.Equal(rows, await QuarantineTable.ReadAsync(PathOf("quarantine.parquet"), default).ToListAsync());
        Assert.Equal("archive_bomb", Scalar($"select code from '{PathOf("quarantine.parquet")}'"));
    }

    [Fact]
    public async Task Clustering_tables_read_back_as_written()
    {
        ClusterRow[] clusters =
        [
            new() { ClusterId = "r", Depth = 0, Size = 2, Name = "all", Cohesion = 0.5f, Centroid = [1, 2] },
            new() { ClusterId = "a", ParentId = "r", Depth = 1, Size = 2, Name = "a", Keywords = ["x", "y"], ExemplarIds = ["i"], Stability = 1, Cohesion = 1, Centroid = [3, 4] },
        ];
        MembershipRow[] memberships = [new("i", 0, "a", ["r", "a"], 1, 0.5f), new("j", 1, null, [], 0, 2)];

        await ClustersTable.WriteAsync(PathOf("clusters.parquet"), clusters, default);
        await MembershipsTable.WriteAsync(PathOf("memberships.parquet"), memberships, default);
        await MapTable.WriteAsync(PathOf("map.parquet"), [new("i", 0, 1.5f, -2)], default);
        await MetricsTable.WriteAsync(PathOf("metrics.parquet"), [new(1, "loss", 0.1)], default);

        Assert.Equivalent(clusters, await ClustersTable.ReadAsync(PathOf("clusters.parquet"), default).ToListAsync(), strict: true);
        Assert.Equivalent(memberships, await MembershipsTable.ReadAsync(PathOf("memberships.parquet"), default).ToListAsync(), strict: true);
        Assert.Equal([new MapRow("i", 0, 1.5f, -2)], await MapTable.ReadAsync(PathOf("map.parquet"), default).ToListAsync());
        Assert.Equal([new MetricRow(1, "loss", 0.1)], await MetricsTable.ReadAsync(PathOf("metrics.parquet"), default).ToListAsync());
        Assert.Equal(2L, Scalar($"select len(keywords) from '{PathOf("clusters.parquet")}' where depth = 1"));
    }

    [Theory]
    [InlineData("float32", Modality.Audio)]
    [InlineData("float16", Modality.Image)]
    [InlineData("float32", Modality.Text)]
    public void Embeddings_read_back_as_written(string dtype, Modality modality)
    {
        var header = new EmbeddingHeader(modality, "enc1", "pre1", Level.High, Grain.Segment, 2, "cosine", dtype);
        ItemSpan[] spans = modality == Modality.Image ? [ItemSpan.Rectangle(0, 0, 5, 6), ItemSpan.Rectangle(5, 0, 5, 6)] : [ItemSpan.Range(0, 500), ItemSpan.Range(500, 1000)];
        var block = new EmbeddingBlock(["a", "a"], [0, 1], spans, [1, 2, 3, 0.5f], 2);

        WriteBlock(PathOf("e.parquet"), header, block);
        var read = Assert.Single(EmbeddingTable.Read(PathOf("e.parquet")));

        Assert.Equal(header, EmbeddingTable.ReadHeader(PathOf("e.parquet")));
        Assert.Equal(block.Vectors, read.Vectors);
        Assert.Equal(block.Spans, read.Spans);
        Assert.Equal(block.SpanIndex, read.SpanIndex);
        Assert.Equal(block.ItemIds, read.ItemIds);
    }

    [Fact]
    public void DuckDB_reads_vectors_spans_and_key_values()
    {
        var header = new EmbeddingHeader(Modality.Audio, "enc1", "pre1", Level.Low, Grain.Item, 3, "cosine");
        WriteBlock(PathOf("e.parquet"), header, new(["a"], [0], [ItemSpan.Range(0, 250)], [1, 2, 4], 3));

        Assert.Equal(7.0, Convert.ToDouble(Scalar($"select list_sum(vector::FLOAT[3]) from '{PathOf("e.parquet")}'")));
        Assert.Equal(250, Scalar($"select end_ms from '{PathOf("e.parquet")}'"));
        Assert.Equal("enc1", Scalar($"select decode(value) from parquet_kv_metadata('{PathOf("e.parquet")}') where decode(key) = 'featureforge.encoder_id'"));
        Assert.Equal(1L, Scalar($"select count(*) from parquet_kv_metadata('{PathOf("e.parquet")}') where decode(key) = 'ARROW:schema'"));
        Assert.Equal("item_id,span_index,start_ms,end_ms,vector", Scalar($"select string_agg(column_name, ',') from (describe select * from '{PathOf("e.parquet")}')"));
        Assert.Equal(1L, Scalar($"select count(*) from parquet_schema('{PathOf("e.parquet")}') where name = 'element' and repetition_type = 'REQUIRED' and type = 'FLOAT'"));
        Assert.Equal("ZSTD", Scalar($"select compression from parquet_metadata('{PathOf("e.parquet")}') where path_in_schema = 'vector, list, element'"));
    }

    [Fact]
    public void A_vector_that_is_not_finite_is_refused_with_its_item()
    {
        var header = new EmbeddingHeader(Modality.Audio, "enc1", "pre1", Level.Low, Grain.Item, 2, "cosine");
        using var writer = new EmbeddingWriter(PathOf("e.parquet"), header);

        var error = Assert.Throws<InvalidOperationException>(() => writer.Write(new(["a", "b"], [0, 0], [default, default], [1, 2, float.NaN, 0], 2)));

        Assert.Contains("Item b", error.Message);
    }

    private static void WriteBlock(string path, EmbeddingHeader header, EmbeddingBlock block)
    {
        using var writer = new EmbeddingWriter(path, header);
        writer.Write(block);
        writer.Close();
    }

    private static object? Scalar(string sql)
    {
        using var connection = new DuckDBConnection("DataSource=:memory:");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar();
    }
}
