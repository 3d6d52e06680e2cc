// Evaluation end to end, and its classifiers on problems with known answers.
using FeatureForge.Data;
using FeatureForge.Tensors;
using FeatureForge.TestKit;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning.Tests;

public sealed class EvaluateRunTests : IDisposable
{
    private readonly TemporaryStore _store = new();

    public void Dispose() => _store.Dispose();

    private string Labels(int count, Func<int, string> path)
    {
        var lines = Enumerable.Range(0, count).Select(i => $"{path(i)},class {i % 2},{(i % 4 < 2 ? "train" : "test")},\"more, here\"");
        var file = Path.Combine(_store.Beside("labels"), "labels.csv");
        File.WriteAllLines(file, ["path,label,split,note", .. lines]);
        return file;
    }

    [Theory]
    [InlineData(Modality.Image)]
    [InlineData(Modality.Text)]
    public async Task Scores_stand_beside_a_random_encoder_and_raw_features(Modality modality)
    {
        await SmallCorpora.WriteAsync(_store, "small", modality, 60);
        await TrainRun.ExecuteAsync(new() { Corpus = "small", Encoder = "e", Steps = 30, Device = "cpu" }, _store.Context(), default);
        await ExtractRun.ExecuteAsync(new() { Corpus = "small", Encoder = "e", Set = "s", Grains = [Grain.Item], Device = "cpu" }, _store.Context(), default);

        var result = await EvaluateRun.ExecuteAsync(new() { Set = "s", LabelsPath = Labels(62, i => $"{i:D4}"), Device = "cpu" }, _store.Context(), default);

        Assert.Equal((2, 30, 30, 2), (result.Classes, result.TrainItems, result.TestItems, result.UnmatchedLabels));
        string[] expected = ["baseline raw", "trained low", "trained mid", "trained high", "random low", "random mid", "random high"];
        Assert.Equal(modality == Modality.Text ? [.. expected, "baseline tf-idf"] : expected, result.Scores.Select(row => $"{row.Encoder} {row.Level}"));
        Assert.True(result.Scores.Single(row => row is { Encoder: "trained", Level: "high" }).Knn > 0.9); // stripes and word lists are easy
        Assert.Contains("kNN-20", result.ToTable());
    }

    [Fact]
    public async Task Labels_of_another_corpus_are_refused()
    {
        await SmallCorpora.WriteAsync(_store, "small", Modality.Text, 8);
        await TrainRun.ExecuteAsync(new() { Corpus = "small", Encoder = "e", Steps = 2, Device = "cpu" }, _store.Context(), default);
        await ExtractRun.ExecuteAsync(new() { Corpus = "small", Encoder = "e", Set = "s", Grains = [Grain.Item], Device = "cpu" }, _store.Context(), default);

        var error = await Assert.ThrowsAsync<BadRequestException>(() => EvaluateRun.ExecuteAsync(new() { Set = "s", LabelsPath = Labels(8, i => $"elsewhere/x/{i}"), Device = "cpu" }, _store.Context(), default));

        Assert.Contains("8 have none", error.Message);
    }

    [Fact]
    public async Task Classes_that_only_the_test_split_has_are_warned_about()
    {
        await SmallCorpora.WriteAsync(_store, "small", Modality.Text, 8);
        await TrainRun.ExecuteAsync(new() { Corpus = "small", Encoder = "e", Steps = 2, Device = "cpu" }, _store.Context(), default);
        await ExtractRun.ExecuteAsync(new() { Corpus = "small", Encoder = "e", Set = "s", Grains = [Grain.Item], Device = "cpu" }, _store.Context(), default);
        var labels = Path.Combine(_store.Beside("labels"), "labels.csv");
        File.WriteAllLines(labels, ["path,label,split", .. Enumerable.Range(0, 8).Select(i => $"{i:D4},{(i < 6 ? "seen" : "unseen")},{(i is < 6 and > 1 ? "train" : "test")}")]);
        var reporter = new RecordingReporter();

        await EvaluateRun.ExecuteAsync(new() { Set = "s", LabelsPath = labels, Device = "cpu" }, _store.Context(reporter: reporter), default);

        Assert.Contains(reporter.LogLines, line => line.Level == "warning" && line.Message.Contains("1 of 2 classes", StringComparison.Ordinal) && line.Message.Contains("'unseen'", StringComparison.Ordinal));
    }

    [Fact]
    public void Linear_probe_finds_the_optimum_that_plain_gradient_descent_finds()
    {
        using var scope = NewDisposeScope();
        var random = new StepRandom(1, 0, DrawPurpose.Sample);
        var values = Enumerable.Range(0, 300 * 4).Select(_ => random.Normal()).ToArray();
        var labels = Enumerable.Range(0, 300).Select(row => values[row * 4] + 0.5 * values[row * 4 + 1] + 0.3 * random.Normal() > 0 ? 1 : 0).ToArray();
        var rows = cat([HostCopies.ToTensor(values, [300, 4], CPU), ones(300, 1)], 1);

        var accuracy = LinearProbe.Accuracy(rows[..200], labels[..200], rows[200..], labels[200..], 2, strength: 1);

        Assert.Equal(Reference(rows, labels), accuracy, 0.011); // one item of the hundred may fall on the other side
        Assert.True(accuracy > 0.85);
    }

    [Fact]
    public void The_strength_follows_what_the_training_rows_can_bear()
    {
        using var scope = NewDisposeScope();
        var random = new StepRandom(1, 0, DrawPurpose.Sample);
        double Chosen(int width, float shift)
        {
            // A tenth of the dimensions knows a little; the others are noise that a weak penalty learns by heart.
            var labels = Enumerable.Range(0, 1000).Select(row => row / 2 % 2).ToArray();
            var values = Enumerable.Range(0, 1000 * width).Select(i => random.Normal() + (i % width <= width / 10 ? shift * (2 * labels[i / width] - 1) : 0)).ToArray();
            var rows = cat([HostCopies.ToTensor(values, [1000, width], CPU), ones(1000, 1)], 1);
            return LinearProbe.ChooseStrength(items => rows.index_select(0, HostCopies.ToTensor(items.Select(item => (long)item).ToArray(), [items.Count], CPU)), labels, 2);
        }

        Assert.Equal(1, Chosen(width: 1, shift: 3));
        Assert.True(Chosen(width: 700, shift: 0.2f) >= 10);
    }

    [Fact]
    public void Few_rows_keep_the_usual_strength() =>
        Assert.Equal(1, LinearProbe.ChooseStrength(_ => throw new InvalidOperationException("not asked for"), Enumerable.Range(0, 50).Select(i => i % 2).ToArray(), 2));

    private static double Reference(Tensor rows, int[] labels)
    {
        var host = HostCopies.ToArray<float>(rows);
        var weights = new double[5];
        for (var pass = 0; pass < 3000; pass++)
        {
            var gradient = new double[5];
            for (var row = 0; row < 200; row++)
            {
                var logit = Enumerable.Range(0, 5).Sum(d => weights[d] * host[row * 5 + d]);
                for (var d = 0; d < 5; d++) gradient[d] += (1 / (1 + Math.Exp(-logit)) - labels[row]) * host[row * 5 + d] / 200;
            }
            // Two-class softmax with a penalty on both weight vectors is a sigmoid with half the penalty on their difference.
            for (var d = 0; d < 5; d++) weights[d] -= 0.5 * (gradient[d] + (d < 4 ? weights[d] / 400 : 0));
        }
        return Enumerable.Range(200, 100).Count(row => Enumerable.Range(0, 5).Sum(d => weights[d] * host[row * 5 + d]) > 0 == (labels[row] == 1)) / 100.0;
    }

    [Fact]
    public void Neighbours_vote_with_their_similarity()
    {
        Assert.Equal(1, NeighbourVote.Winner([(0, 0.2f), (0, 0.2f), (1, 0.9f)], 2));
        Assert.Equal(0, NeighbourVote.Winner([(0, 0.5f), (0, 0.5f), (1, 0.9f)], 2));
    }

    [Fact]
    public void Effective_rank_counts_the_directions_that_are_used()
    {
        using var scope = NewDisposeScope();
        var points = zeros(400, 10);
        points[.., ..3] = randn(400, 3, generator: new Generator(1));

        Assert.Equal(3, QualityProbe.EffectiveRank(points), 0.2);
    }
}
