// `export …`: what comes out is what the other tool's format asks for, holds the store's rows, and where this program reads the format too,
// comes back in as the same items.
using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using DuckDB.NET.Data;
using FeatureForge.Data;
using FeatureForge.TestKit;

namespace FeatureForge.Cli.Tests;

public sealed class ExportTests(RealStore real) : IClassFixture<RealStore>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string Out(string name) => Path.Combine(_folder.Path, name);

    [NeedsDatasetsFact(RealStore.Needs)]
    public async Task A_table_as_JSON_lines_holds_what_its_Parquet_files_hold()
    {
        foreach (var (table, files) in new[] { ("corpora/clothes/items", "corpora/clothes/items"), ("clusterings/clothes/memberships", "clusterings/clothes/memberships"), ("embeddings/clothes/level=high/grain=patch", "embeddings/clothes/data/level=high/grain=patch") })
        {
            await RunAsync("export", "table", table, "--to", Out("rows.jsonl"));

            var parquet = $"read_parquet('{real.Path}/{files}/*.parquet', hive_partitioning = false)";
            Assert.Equal(Scalar($"select count(*) from {parquet}"), Scalar($"select count(*) from '{Out("rows.jsonl")}'"));
            // Media bytes and signatures stay in the store.
            Assert.Equal(Scalar($"select string_agg(column_name, ',' order by column_name) from (describe from {parquet}) where column_name not in ('content', 'signature')"),
                Scalar($"select string_agg(column_name, ',' order by column_name) from (describe from '{Out("rows.jsonl")}') where column_name not in ('content', 'signature')"));
        }
        Assert.Equal(Convert.ToDouble(Scalar($"select sum(list_sum(vector)) from '{real.Path}/embeddings/clothes/data/level=high/grain=patch/*.parquet'")), Convert.ToDouble(Scalar($"select sum(list_sum(vector::float[])) from '{Out("rows.jsonl")}'")), 1e-3);
    }

    [NeedsDatasetsFact(RealStore.Needs)]
    public async Task A_corpus_becomes_a_Hugging_Face_dataset_with_card_and_Croissant_that_comes_back_as_the_same_pictures()
    {
        var first = (string)Scalar($"select min(item_id) from '{real.Path}/corpora/clothes/items/*.parquet'")!;
        await RunAsync("label", "set", "--label-set", "wardrobe", "--name", "trouser", "--item", first);

        await RunAsync("export", "huggingface", "--corpus", "clothes", "--label-set", "wardrobe", "--to", Out("hf"));

        var parquet = $"'{Out("hf")}/data/train-00000-of-00001.parquet'";
        Assert.Equal((long)RealStore.Pictures, Scalar($"select count(*) from {parquet} where hex(image.bytes[1:4]) = '89504E47' or hex(image.bytes).starts_with('89504E47')"));
        Assert.Equal(first, Scalar($"select item_id from {parquet} where label = 'trouser'"));
        var features = JsonNode.Parse((string)Scalar($"select decode(value) from parquet_kv_metadata({parquet}) where decode(key) = 'huggingface'")!)!["info"]!["features"]!;
        Assert.Equal("Image", (string)features["image"]!["_type"]!);
        Assert.Equal("string", (string)features["label"]!["dtype"]!);
        Assert.StartsWith($"---\npretty_name: \"clothes\"\nconfigs:\n- config_name: default\n", File.ReadAllText(Path.Combine(Out("hf"), "README.md")));
        Assert.Contains($"num_examples: {RealStore.Pictures}", File.ReadAllText(Path.Combine(Out("hf"), "README.md")));
        AssertCroissant(Out("hf"));
        var again = await RunAsync("ingest", Path.Combine(Out("hf"), "data"), "--corpus", "back");
        Assert.Equal(RealStore.Pictures, Store.Open(real.Path).Corpus("back").TotalItems);
    }

    [NeedsDatasetsFact(RealStore.Needs)]
    public async Task A_corpus_becomes_WebDataset_shards_that_come_back_as_the_same_pictures()
    {
        var exported = await RunAsync("export", "webdataset", "--corpus", "clothes", "--to", Out("web"), "--shard-bytes", "100000");

        var shards = Directory.GetFiles(Out("web"), "shard-*.tar");
        Assert.Equal(shards.Length, exported.GetProperty("files").GetArrayLength());
        Assert.True(shards.Length > 1);
        var names = shards.SelectMany(EntryNames).ToList();
        Assert.Equal(RealStore.Pictures, names.Count(name => name.EndsWith(".png", StringComparison.Ordinal)));
        Assert.Equal(names.Where(name => name.EndsWith(".png", StringComparison.Ordinal)).Select(name => name[..32]), names.Where(name => name.EndsWith(".json", StringComparison.Ordinal)).Select(name => name[..32]));
        await RunAsync("ingest", Out("web"), "--corpus", "web");
        Assert.Equal(RealStore.Pictures, Store.Open(real.Path).Corpus("web").TotalItems);
        await RunAsync("export", "webdataset", "--corpus", "clothes", "--to", Out("again"), "--shard-bytes", "100000");
        Assert.Equal(shards.Select(Sha256), Directory.GetFiles(Out("again")).Select(Sha256));
    }

    [NeedsDatasetsFact(RealStore.Needs)]
    public async Task Runs_become_OpenLineage_events()
    {
        await RunAsync("export", "openlineage", "--to", Out("events.jsonl"), "--namespace", "here");

        var events = File.ReadLines(Out("events.jsonl")).Select(line => JsonNode.Parse(line)!).ToList();
        foreach (var one in events)
        {
            Assert.True(DateTimeOffset.TryParse((string)one["eventTime"]!, out _));
            Assert.True(Guid.TryParseExact((string)one["run"]!["runId"]!, "D", out _));
            Assert.StartsWith("https://", (string)one["producer"]!);
            Assert.StartsWith("https://openlineage.io/spec/", (string)one["schemaURL"]!);
            Assert.Equal("here", (string)one["job"]!["namespace"]!);
            Assert.All(one["inputs"]!.AsArray().Concat(one["outputs"]!.AsArray()), table => Assert.Equal(["namespace", "name"], table!.AsObject().Select(field => field.Key)));
        }
        var train = events.Where(one => (string)one["job"]!["name"]! == "train").ToList();
        Assert.Equal(["START", "COMPLETE"], train.Select(one => (string)one["eventType"]!));
        Assert.Single(train.Select(one => (string)one["run"]!["runId"]!).Distinct());
        Assert.Equal("corpora/clothes", (string)train[1]["inputs"]![0]!["name"]!);
        Assert.Equal("encoders/clothes", (string)train[1]["outputs"]![0]!["name"]!);
    }

    [NeedsDatasetsFact(RealStore.Needs)]
    public async Task A_training_becomes_an_MLflow_file_store()
    {
        await RunAsync("export", "mlflow", "--encoder", "clothes", "--to", Out("mlruns"));

        var run = Assert.Single(Directory.GetDirectories(Path.Combine(Out("mlruns"), "0")));
        var meta = File.ReadLines(Path.Combine(run, "meta.yaml")).Select(line => line.Split(": ", 2)).ToDictionary(pair => pair[0], pair => pair[1]);
        Assert.Equal(Path.GetFileName(run), meta["run_id"]);
        Assert.Equal("3", meta["status"]);
        Assert.True(long.Parse(meta["end_time"]) >= long.Parse(meta["start_time"]));
        Assert.Equal("20", File.ReadAllText(Path.Combine(run, "params", "steps")));
        var losses = File.ReadAllLines(Path.Combine(run, "metrics", "loss"));
        Assert.All(losses, line => Assert.Matches(@"^\d+ -?\d\S* \d+$", line));
        Assert.Equal(Scalar($"select count(*) from '{real.Path}/encoders/clothes/metrics/*.parquet' where name = 'loss'"), (long)losses.Length);
        Assert.True(File.Exists(Path.Combine(run, "artifacts", "encoder", "model.safetensors")));
    }

    [NeedsDatasetsFact(RealStore.Needs)]
    public async Task A_folder_in_use_is_not_written_over()
    {
        _folder.Write("used/file.txt", "mine");

        foreach (var arguments in (string[][])[["huggingface", "--corpus", "clothes"], ["webdataset", "--corpus", "clothes"], ["mlflow", "--encoder", "clothes"]])
        {
            var outcome = await FeatureForgeProgram.RunAsync(real.Path, ["export", .. arguments, "--to", Out("used")]);
            Assert.Equal(2, outcome.ExitCode);
            Assert.Contains("is not empty", outcome.Errors);
        }
    }

    /// <summary>What mlcommons.org/croissant/1.0 requires, and that files, hashes and columns are those on disk.</summary>
    private static void AssertCroissant(string folder)
    {
        var card = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "croissant.json")))!;
        foreach (var property in (string[])["@context", "@type", "conformsTo", "name", "description", "datePublished", "distribution", "recordSet"]) Assert.NotNull(card[property]);
        Assert.Equal("http://mlcommons.org/croissant/1.0", (string)card["conformsTo"]!);
        foreach (var file in card["distribution"]!.AsArray().Where(part => (string)part!["@type"]! == "cr:FileObject"))
            Assert.Equal(Sha256(Path.Combine(folder, (string)file!["contentUrl"]!)), (string)file["sha256"]!);
        var sets = card["distribution"]!.AsArray().Select(part => (string)part!["@id"]!).ToList();
        foreach (var field in card["recordSet"]![0]!["field"]!.AsArray())
        {
            Assert.Contains((string)field!["source"]!["fileSet"]!["@id"]!, sets);
            Assert.Equal(1L, Scalar($"select count(*) from (describe from '{folder}/data/*.parquet') where column_name = '{field["source"]!["extract"]!["column"]}'"));
        }
    }

    private async Task<JsonElement> RunAsync(params string[] arguments)
    {
        var outcome = await FeatureForgeProgram.RunAsync(real.Path, [.. arguments, "--json"]);
        Assert.True(outcome.ExitCode == 0, $"{string.Join(' ', arguments)}: exit code {outcome.ExitCode}\n{outcome.Errors}");
        return outcome.Json;
    }

    private static List<string> EntryNames(string path)
    {
        using var tar = new TarReader(File.OpenRead(path));
        var names = new List<string>();
        while (tar.GetNextEntry() is { } entry) names.Add(entry.Name);
        return names;
    }

    private static string Sha256(string path) => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path)));

    private static object? Scalar(string sql)
    {
        using var connection = new DuckDBConnection("DataSource=:memory:");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar();
    }
}
