// `refresh`: a corpus grows, and what was made from it follows, by the runs that were announced and no others.
using System.Text.Json;
using FeatureForge.Data;
using FeatureForge.Ingest;
using FeatureForge.TestKit;

namespace FeatureForge.EndToEnd.Tests;

public sealed class RefreshTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string StorePath => Path.Combine(_folder.Path, "store");

    public void Dispose() => _folder.Dispose();

    private async Task<JsonElement> RunAsync(params string[] arguments)
    {
        var outcome = await FeatureForgeProgram.RunAsync(StorePath, [.. arguments, "--json"]);
        Assert.True(outcome.ExitCode == 0, $"{string.Join(' ', arguments)}: {outcome.ExitCode}\n{outcome.Errors}");
        return outcome.Json;
    }

    private Task<JsonElement> IngestAsync(int seed) => RunAsync("ingest", SampleCorpus.Write(Modality.Image, Path.Combine(_folder.Path, $"raw{seed}"), 60, seed).SourcePath, "--corpus", "c");

    private async Task<string[]> PlanAsync() => [.. (await RunAsync("refresh", "--dry-run")).GetProperty("stages").EnumerateArray().Select(stage => stage.GetProperty("name").GetString()!)];

    [Fact]
    public async Task What_was_made_from_a_corpus_follows_it()
    {
        await IngestAsync(1);
        await RunAsync("train", "--corpus", "c", "--encoder", "e", "--steps", "3");
        await RunAsync("extract", "--corpus", "c", "--encoder", "e", "--set", "s", "--levels", "high", "--grains", "item");
        await RunAsync("cluster", "--set", "s", "--clustering", "flat", "--method", "kmeans", "--k", "4");
        await RunAsync("cluster", "--set", "s", "--clustering", "tree");
        await RunAsync("map", "--set", "s", "--clustering", "tree");
        Assert.Empty(await PlanAsync());

        await IngestAsync(2);
        Assert.Equal(["extract-s", "cluster-flat", "cluster-tree", "map-tree"], await PlanAsync());
        var done = await RunAsync("refresh");

        Assert.Equal(["extract-s", "cluster-flat", "cluster-tree", "map-tree"], done.GetProperty("stages").EnumerateArray().Select(stage => stage.GetProperty("stage").GetString()));
        Assert.Empty(await PlanAsync());
        var store = Store.Open(StorePath);
        Assert.Equal([(120L, 1)], store.Set("s").Tables.Select(table => (table.Rows, store.Set("s").Tables.Count)));
        Assert.Equal((120, 4, 120), (store.Clustering("flat").Vectors, store.Clustering("flat").Leaves, store.Clustering("tree").MapParts.Sum(part => part.Rows)));

        // An encoder that was trained again is another one: its old vectors are said and left alone.
        await IngestAsync(3);
        Directory.Delete(store.EncoderFolder("e"), recursive: true);
        await RunAsync("train", "--corpus", "c", "--encoder", "e", "--steps", "4");
        var left = await RunAsync("refresh");
        Assert.Empty(left.GetProperty("stages").EnumerateArray());
        Assert.Contains("another name", left.GetProperty("left")[0].GetProperty("reason").GetString());
    }
}
