// Parquet tables as other programs write them: DuckDB, and the Arrow writers' {bytes, path} of Hugging Face.
using DuckDB.NET.Data;
using FeatureForge.Data;
using FeatureForge.TestKit;

namespace FeatureForge.Ingest.Tests;

public sealed class ParquetSourceTests : IngestTest
{
    [Fact]
    public async Task Texts_keep_the_other_columns_of_every_type()
    {
        var table = Write("rows.parquet", "select * from (values ('a', 'first', 1, 2.5::double, true, date '2026-01-02', timestamp '2026-01-02 03:04:05', ['x', 'y']), ('b', null, null, null, null, null, null, null), ('c', 'third 🤔', 3, 'NaN'::double, false, null, null, [])) t(id, text, n, f, flag, day, moment, tags)");

        var ingested = await Ingested.RunAsync(_store, table);

        Assert.Equal(["rows.parquet#a", "rows.parquet#c"], ingested.Items.Select(item => item.Path).Order(StringComparer.Ordinal));
        Assert.Equal("""{"n":1,"f":2.5,"flag":true,"day":"2026-01-02","moment":"2026-01-02T03:04:05.0000000Z","tags":["x","y"]}""", ingested.Item("rows.parquet#a").Metadata);
        Assert.Equal("third 🤔", ingested.Item("rows.parquet#c").Text);
        Assert.Equal(RejectionCode.MissingColumn, ingested.Bad("rows.parquet#b").Code);
    }

    [Fact]
    public async Task Pictures_in_a_column_of_bytes_are_items()
    {
        var picture = Picture.Gradient(8, 8, 1);
        var table = Write("rows.parquet", $"select 'cat' as label, unhex('{Convert.ToHexString(picture)}') as picture union all select 'none', null union all select 'bad', 'abc'::blob");

        var ingested = await Ingested.RunAsync(_store, table);

        Assert.Equal(picture, ingested.Item("rows.parquet#0").Content!);
        Assert.Equal("""{"label":"cat"}""", ingested.Item("rows.parquet#0").Metadata);
        Assert.Equal(RejectionCode.MissingColumn, ingested.Bad("rows.parquet#1").Code);
    }

    [Fact]
    public async Task The_bytes_of_a_struct_are_items_and_its_path_a_file_where_bytes_are_missing()
    {
        var (picture, other) = (Picture.Gradient(8, 8, 1), Picture.Gradient(9, 9, 2));
        _source.Write("b.png", other);
        var table = Write("train.parquet", $"select {{'bytes': unhex('{Convert.ToHexString(picture)}'), 'path': 'a.png'}} as image, 7 as label union all select {{'bytes': null, 'path': 'b.png'}}, 8");

        var ingested = await Ingested.RunAsync(_store, table);

        Assert.Equal((8, """{"image.path":"a.png","label":7}"""), (ingested.Item("train.parquet#0").Width, ingested.Item("train.parquet#0").Metadata));
        Assert.Equal((9, ContentId.Of(other)), (ingested.Item("train.parquet#1").Width, ingested.Item("train.parquet#1").ItemId));
    }

    [Fact]
    public async Task Many_row_groups_are_read_to_the_last_row()
    {
        var table = Write("rows.parquet", "select 'text ' || i as text, repeat('m', i % 7) as m from range(5000) r(i)", "row_group_size 2048");

        var ingested = await Ingested.RunAsync(_store, table);

        Assert.Equal(5000, ingested.Result.Added);
        Assert.Equal("text 4999", ingested.Item("rows.parquet#4999").Text);
    }

    [Fact]
    public async Task An_empty_and_a_broken_table_are_one_row_in_quarantine_each()
    {
        Write("empty.parquet", "select 'a' as text where false");
        _source.Write("broken.parquet", [.. "PAR1"u8, .. new byte[100], .. "PAR1"u8]);

        var ingested = await Ingested.RunAsync(_store, _source.Path);

        Assert.Equal((RejectionCode.Empty, RejectionCode.Malformed), (ingested.Bad("empty.parquet").Code, ingested.Bad("broken.parquet").Code));
    }

    [Fact]
    public async Task Base64_in_a_JSONL_column_is_bytes_when_it_is_named()
    {
        var picture = Picture.Gradient(8, 8, 1);
        var table = _source.Write("rows.jsonl", $$"""{"picture":"data:image/png;base64,{{Convert.ToBase64String(picture)}}","label":1}""" + "\n{\"picture\":\"no base64!\"}\n");

        var ingested = await Ingested.RunAsync(_store, new IngestSpec { Sources = [table], Corpus = Ingested.Corpus, MediaColumns = ["picture"] });

        Assert.Equal((ContentId.Of(picture), """{"label":1}"""), (ingested.Item("rows.jsonl#0").ItemId, ingested.Item("rows.jsonl#0").Metadata));
        Assert.Equal(RejectionCode.Malformed, ingested.Bad("rows.jsonl#1").Code);
    }

    private string Write(string name, string query, string options = "compression zstd")
    {
        var path = Path.Combine(_source.Path, name);
        using var connection = new DuckDBConnection("Data Source=:memory:");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = $"copy ({query}) to '{path}' (format parquet, {options})";
        command.ExecuteNonQuery();
        return path;
    }
}
