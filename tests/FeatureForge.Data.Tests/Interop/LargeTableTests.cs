// Ten million rows: written in bounded memory, counted by another maker's reader, and found by it without the row groups that cannot hold the row.
using DuckDB.NET.Data;
using FeatureForge.TestKit;

namespace FeatureForge.Data.Tests.Interop;

public sealed class LargeTableTests
{
    private const int Groups = 250, GroupRows = 40_000, Dimension = 2;

    [Fact]
    public void A_reader_finds_one_of_ten_million_vectors_without_touching_other_row_groups()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "part-00000.parquet");
        using (var writer = new EmbeddingWriter(path, new(Modality.Text, "encoder", "preprocessing", Level.High, Grain.Item, Dimension, "cosine")))
        {
            for (var group = 0; group < Groups; group++) writer.Write(Block(group));
            writer.Close();
        }
        Assert.Equal((long)Groups * GroupRows, Scalar($"select count(*) from '{path}'"));
        Assert.Equal((long)Groups, Scalar($"select count(distinct row_group_id) from parquet_metadata('{path}')"));

        const int wanted = 7_123_456;
        Destroy(path, but: wanted / GroupRows);

        Assert.Equal(Value(wanted), Scalar($"select vector[1] from '{path}' where item_id = '{Id(wanted)}'"));
        Assert.ThrowsAny<Exception>(() => Scalar($"select sum(vector[1]) from '{path}'"));
    }

    private static EmbeddingBlock Block(int group)
    {
        var rows = Enumerable.Range(group * GroupRows, GroupRows).ToArray();
        return new(Array.ConvertAll(rows, Id), new int[GroupRows], new ItemSpan[GroupRows], [.. rows.SelectMany(row => (float[])[Value(row), 0])], Dimension);
    }

    private static string Id(int row) => $"{row:x32}";

    private static float Value(int row) => row % 1024 / 8f;

    /// <summary>Overwrites the data of every row group but one; the footer stays.</summary>
    private static void Destroy(string path, int but)
    {
        using var file = File.OpenWrite(path);
        foreach (var (start, bytes) in Chunks(path, but))
        {
            file.Position = start;
            file.Write(new byte[bytes]);
        }
    }

    private static List<(long Start, long Bytes)> Chunks(string path, int but)
    {
        using var connection = new DuckDBConnection("DataSource=:memory:");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = $"select coalesce(dictionary_page_offset, data_page_offset), total_compressed_size from parquet_metadata('{path}') where row_group_id <> {but}";
        using var reader = command.ExecuteReader();
        var chunks = new List<(long, long)>();
        while (reader.Read()) chunks.Add((reader.GetInt64(0), reader.GetInt64(1)));
        return chunks;
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
