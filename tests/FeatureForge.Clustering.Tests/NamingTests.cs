// Names that clusters get from texts, pictures and recordings.
using FeatureForge.Data;
using FeatureForge.TestKit;

namespace FeatureForge.Clustering.Tests;

public sealed class NamingTests : IDisposable
{
    private readonly TemporaryStore _temporary = new();

    public void Dispose() => _temporary.Dispose();

    // Two groups of ten, far apart.
    private static readonly float[] _twoGroups = [.. Enumerable.Range(0, 20).SelectMany(i => new[] { i < 10 ? 1f : 0f, i < 10 ? 0f : 1f, 0.01f * (i % 5) })];

    private async Task<List<ClusterRow>> ClusterTwoGroups(Modality modality)
    {
        StoredSet.Write(_temporary.Store, "set", _twoGroups, 3, modality: modality);
        await ClusterRun.ExecuteAsync(new() { Set = "set", Method = "kmeans", K = 2 }, _temporary.Context(), default);
        return await StoredSet.ClustersAsync(_temporary.Store, "set");
    }

    private static ClusterRow LeafWith(List<ClusterRow> clusters, int item) =>
        clusters.Single(row => row.ParentId is not null && Convert.ToInt32(row.ExemplarIds[0], 16) / 10 == item / 10);

    [Fact]
    public async Task Texts_are_named_by_the_words_that_set_them_apart()
    {
        string[] sport = ["the striker scored a goal", "the keeper saved the goal", "a late goal for the striker"];
        string[] money = ["the bank raised the rate", "a rate cut by the bank", "shares of the bank fell"];
        StoredSet.Prepare(_temporary.Store, new() { Modality = Modality.Text }, 20, writer =>
        {
            for (var i = 0; i < 20; i++) writer.AddText(StoredSet.ItemId(i), i < 10 ? sport[i % 3] : money[i % 3]);
        });

        var clusters = await ClusterTwoGroups(Modality.Text);

        Assert.StartsWith("goal, striker", LeafWith(clusters, 0).Name, StringComparison.Ordinal);
        Assert.StartsWith("bank, rate", LeafWith(clusters, 10).Name, StringComparison.Ordinal);
        Assert.All(clusters, row => Assert.DoesNotContain("the", row.Keywords));
    }

    [Fact]
    public async Task Pictures_are_named_by_colour_and_looks()
    {
        StoredSet.Prepare(_temporary.Store, new() { Modality = Modality.Image, ImageSize = 8 }, 20, writer =>
        {
            for (var i = 0; i < 20; i++)
            {
                var pixels = new byte[3 * 64];
                pixels.AsSpan(i < 10 ? 128 : 0, 64).Fill((byte)(i < 10 ? 60 : 250)); // dark blue, bright red
                writer.AddImage(StoredSet.ItemId(i), 8, 8, pixels);
            }
        });

        var clusters = await ClusterTwoGroups(Modality.Image);

        Assert.Equal("blue", LeafWith(clusters, 0).Keywords[0]);
        Assert.Contains("dark", LeafWith(clusters, 0).Keywords);
        Assert.Equal("red", LeafWith(clusters, 10).Keywords[0]);
        Assert.Contains("bright", LeafWith(clusters, 10).Keywords);
    }

    [Fact]
    public async Task Recordings_are_named_by_length_loudness_and_brightness()
    {
        StoredSet.Prepare(_temporary.Store, new() { Modality = Modality.Audio, SampleRate = 8000 }, 20, writer =>
        {
            for (var i = 0; i < 20; i++)
            {
                var (length, level, period) = i < 10 ? (2000, 300, 40) : (8000, 20_000, 4);
                writer.AddAudio(StoredSet.ItemId(i), length / 8, [.. Enumerable.Range(0, length).Select(t => (short)(level * Math.Sin(2 * Math.PI * (t + 0.5) / period)))]);
            }
        });

        var clusters = await ClusterTwoGroups(Modality.Audio);

        Assert.Equal(["dull", "quiet", "short"], LeafWith(clusters, 0).Keywords.Order());
        Assert.Equal(["bright", "long", "loud"], LeafWith(clusters, 10).Keywords.Order());
    }

    [Fact]
    public async Task Without_prepared_items_clusters_are_numbered_and_the_run_says_why()
    {
        StoredSet.Write(_temporary.Store, "set", _twoGroups, 3);
        var reporter = new RecordingReporter();

        await ClusterRun.ExecuteAsync(new() { Set = "set", Method = "kmeans", K = 2 }, _temporary.Context(reporter: reporter), default);

        Assert.Equal(["all", "cluster 1", "cluster 2"], (await StoredSet.ClustersAsync(_temporary.Store, "set")).Select(row => row.Name).Order());
        Assert.Contains(reporter.LogLines, line => line.Level == "warning" && line.Message.Contains("no prepared items", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Siblings_that_sound_alike_get_different_names()
    {
        StoredSet.Prepare(_temporary.Store, new() { Modality = Modality.Image, ImageSize = 8 }, 20, writer =>
        {
            for (var i = 0; i < 20; i++) writer.AddImage(StoredSet.ItemId(i), 8, 8, [.. Enumerable.Repeat((byte)200, 64), .. new byte[128]]);
        });

        var clusters = await ClusterTwoGroups(Modality.Image);

        Assert.Equal(["all", "red", "red 2"], clusters.Select(row => row.Name).Order());
    }

    [Theory]
    [InlineData("The DÉJÀ-vu of 2024, it's naïve!", new[] { "the", "déjà", "naïve" })]
    [InlineData("東京都は晴れ", new[] { "東京", "京都", "都は", "は晴", "晴れ" })]
    [InlineData("ab 漢字 мир", new[] { "漢字", "мир" })]
    [InlineData("한국어 문장입니다", new[] { "한국어", "문장입니다" })]
    public void Words_are_found_in_every_script(string text, string[] words) => Assert.Equal(words, TextWords.Of(text));
}
