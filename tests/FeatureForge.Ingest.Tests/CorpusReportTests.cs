// The report on a corpus: totals, issues with their worst examples, duplicates, quarantine, languages.
using FeatureForge.Data;
using FeatureForge.TestKit;
using SkiaSharp;

namespace FeatureForge.Ingest.Tests;

public sealed class CorpusReportTests : IngestTest
{
    private void Write(string name, byte[] bytes) => File.WriteAllBytes(Path.Combine(_source.Path, name), bytes);

    private async Task<CorpusReport> ReportAsync(QualityThresholds? thresholds = null)
    {
        await Ingested.RunAsync(_store, _source.Path);
        return await CorpusReport.ReadAsync(_store.Store, _store.Store.Corpus(Ingested.Corpus), thresholds ?? new(), default);
    }

    [Fact]
    public async Task It_counts_items_lengths_issues_and_bad_files()
    {
        Write("tone.wav", Wave.Sine(440, 16000, 2));
        Write("dark.png", Picture.Encode(64, 64, (x, y) => new((byte)(x % 8), (byte)(y % 8), 3)));
        Write("darker.png", Picture.Encode(64, 64, (x, y) => new((byte)(x % 4), (byte)(y % 4), 1)));
        Write("bad.png", Picture.Gradient(32, 32, 1)[..60]);
        await File.WriteAllTextAsync(Path.Combine(_source.Path, "text.txt"), "A short sentence with seven words here.");

        var report = await ReportAsync();

        Assert.Equal([(Modality.Audio, 1), (Modality.Image, 2), (Modality.Text, 1)], report.Totals.Select(total => (total.Modality, total.Items)));
        Assert.Equal(2, report.Totals[0].Seconds);
        Assert.Equal(2 * 64 * 64, report.Totals[1].Pixels);
        Assert.Equal(39, report.Totals[2].Characters);
        var darkness = report.Issues.Single(issue => issue.Issue == "darkness");
        Assert.Equal((2, 2), (darkness.Items, darkness.Measured));
        Assert.Equal(["darker.png", "dark.png"], darkness.Examples.Select(example => example.Path));
        Assert.Equal("bad.png", Assert.Single(report.Quarantine).Examples.Single().Path);
        Assert.Equal(1, report.Languages.Values.Sum());
    }

    [Fact]
    public async Task Another_threshold_gives_another_count_without_a_new_ingest()
    {
        Write("gradient.png", Picture.Gradient(64, 64, 5));

        Assert.DoesNotContain((await ReportAsync()).Issues, issue => issue.Issue == "darkness");
        Assert.Contains((await ReportAsync(new QualityThresholds { Darkness = 0 })).Issues, issue => issue.Issue == "darkness");
    }

    [Fact]
    public async Task It_shows_the_largest_groups_of_equal_and_of_similar_files()
    {
        var story = string.Join(' ', Enumerable.Range(0, 60).Select(i => $"word{i * i % 97}"));
        foreach (var (name, text) in new[] { ("a.txt", story), ("b.txt", story), ("c.txt", story), ("d.txt", story + "!"), ("e.txt", story.ToUpperInvariant()), ("f.txt", "Something else entirely.") })
            await File.WriteAllTextAsync(Path.Combine(_source.Path, name), text);

        var report = await ReportAsync();

        Assert.Equal(2, report.ExactDuplicates);
        Assert.Equal(["b.txt", "c.txt"], Assert.Single(report.LargestExactGroups).Paths);
        Assert.Equal((2, 1), (report.NearDuplicates, report.NearDuplicateGroups));
        var group = Assert.Single(report.LargestGroups);
        Assert.Equal(("a.txt", 3L), (group.Path, group.Items));
        Assert.Equal(["d.txt", "e.txt"], group.Paths.Order());
    }

    [Fact]
    public async Task A_picture_far_from_the_corpus_s_usual_size_stands_out()
    {
        for (var i = 0; i < 20; i++) Write($"{i}.png", Picture.Gradient(60 + i % 3, 60, i));
        Write("poster.png", Picture.Gradient(900, 700, 3, SKEncodedImageFormat.Png));

        var outliers = (await ReportAsync()).Issues.Single(issue => issue.Issue == "size_outlier");

        Assert.Equal("poster.png", Assert.Single(outliers.Examples).Path);
    }
}
