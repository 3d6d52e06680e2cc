// The main job through the real program: every stage, three modalities, and what other tools find in the store.
using System.Text.Json;
using DuckDB.NET.Data;
using FeatureForge.Data;
using FeatureForge.Ingest;
using FeatureForge.TestKit;

namespace FeatureForge.EndToEnd.Tests;

public sealed class WholePathTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string StorePath => Path.Combine(_folder.Path, "store");

    private async Task<JsonElement> RunAsync(params string[] arguments)
    {
        var outcome = await FeatureForgeProgram.RunAsync(StorePath, [.. arguments, "--json"]);
        Assert.True(outcome.ExitCode == 0, $"{string.Join(' ', arguments)}: exit code {outcome.ExitCode}\n{outcome.Errors}");
        return outcome.Json;
    }

    [Theory]
    [InlineData(Modality.Audio, 150, "start_ms, end_ms")]
    [InlineData(Modality.Image, 300, "x, y, width, height")]
    [InlineData(Modality.Text, 300, "start_char, end_char")]
    public async Task Raw_files_become_a_tree_of_named_clusters_that_DuckDB_reads(Modality modality, int count, string spanColumns)
    {
        var sample = SampleCorpus.Write(modality, Path.Combine(_folder.Path, "raw"), count, seed: 3);

        var ingested = await RunAsync("ingest", sample.SourcePath, "--corpus", "c");
        await RunAsync("train", "--corpus", "c", "--encoder", "e", "--steps", "15");
        await RunAsync("extract", "--corpus", "c", "--encoder", "e", "--set", "s", "--grains", "item,segment,patch");
        await RunAsync("cluster", "--set", "s", "--clustering", "t");
        await RunAsync("map", "--set", "s", "--clustering", "t");
        var evaluated = await RunAsync("evaluate", "--set", "s", "--clustering", "t", "--labels", sample.LabelsPath);
        var verified = await RunAsync("store", "verify");
        var live = await RunAsync("parity", "--set", "s", "--items", "40");

        Assert.True(live.GetProperty("equal").GetBoolean(), live.ToString());
        Assert.All(live.GetProperty("levels").EnumerateArray(), level => Assert.True(level.GetProperty("items").GetInt64() >= 40));
        Assert.Equal("succeeded", ingested.GetProperty("state").GetString());
        Assert.Equal("succeeded", evaluated.GetProperty("state").GetString());
        var raw = evaluated.GetProperty("result").GetProperty("scores").EnumerateArray().Single(score => score.GetProperty("level").GetString() == Level.Raw);
        Assert.True(raw.GetProperty("knn").GetDouble() > 0.5, raw.ToString()); // ten classes or fewer, and even closed-form features tell most of them apart
        Assert.True(verified.GetProperty("sound").GetBoolean());
        var encoderId = Store.Open(StorePath).Encoder("e").EncoderId;
        Assert.Equal((long)count, Scalar($"select count(*) from '{StorePath}/corpora/c/items/*.parquet' where octet_length(content) = byte_size"));
        foreach (var level in Level.All)
        {
            var table = $"'{StorePath}/embeddings/s/data/level={level}/grain=item/*.parquet'";
            Assert.Equal((long)count, Scalar($"select count(distinct item_id) from {table}"));
            Assert.Equal(0L, Scalar($"select count(*) from (select {spanColumns}, span_index, vector from {table}) where list_bool_or(list_transform(vector, v -> isnan(v) or isinf(v)))"));
            Assert.Equal(encoderId, Scalar($"select distinct decode(value) from parquet_kv_metadata({table}) where decode(key) = 'featureforge.encoder_id'"));
            Assert.True((long)Scalar($"select count(*) from '{StorePath}/embeddings/s/data/level={level}/grain=patch/*.parquet'")! >= count);
        }
        Assert.Equal((long)count, Scalar($"select count(*) from '{StorePath}/clusterings/t/memberships/*.parquet' m join '{StorePath}/clusterings/t/map/*.parquet' p using (item_id, span_index)"));
        Assert.Equal(0L, Scalar($"select count(*) from '{StorePath}/clusterings/t/memberships/*.parquet' where cluster_id not in (select cluster_id from '{StorePath}/clusterings/t/clusters/*.parquet')"));
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
