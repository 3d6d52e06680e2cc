// Heads, calibration, and wrong labels found with held-out predictions.
using FeatureForge.Data;

namespace FeatureForge.Labelling.Tests;

public sealed class HeadTests
{
    private static readonly HeadSpec _spec = new() { LabelSet = "labels", Set = "set", Device = "cpu" };

    private static async Task GiveAsync(Shelf shelf, int perClass, Func<int, int>? wrong = null)
    {
        for (var i = 0; i < 3 * perClass; i++) await shelf.GiveAsync(Shelf.Names[wrong?.Invoke(i) ?? Shelf.ClassOf(i)], i);
    }

    [Theory]
    [InlineData("knn")]
    [InlineData("linear")]
    [InlineData("mlp")]
    [InlineData("auto")]
    public async Task Every_kind_learns_separate_classes_and_predicts_the_rest(string kind)
    {
        using var shelf = new Shelf();
        await GiveAsync(shelf, 6);

        var head = await HeadRun.ExecuteAsync(_spec with { Kind = kind }, shelf.Context(), default);
        var result = await PredictRun.ExecuteAsync(new() { Head = "labels", Set = "set", Device = "cpu" }, shelf.Context(), default);

        var written = (await shelf.StateAsync()).Active.Where(row => row.Source == LabelSource.Model).ToList();
        Assert.True(head.Scores.Max(score => score.Accuracy) > 0.9);
        Assert.Equal((132, 18, 132), (result.Predicted, result.Given, written.Count));
        Assert.True(written.Count(row => row.Name == Shelf.NameOf(row.TargetId)) > 125);
        Assert.All(written, row => Assert.Equal((Shelf.Encoder, "head:labels"), (row.EncoderId, row.Author)));
    }

    [Fact]
    public async Task Propagated_labels_do_not_tell_the_answers_that_are_held_out()
    {
        using var shelf = new Shelf(noise: 5); // the vectors know little of the classes
        await GiveAsync(shelf, 10);
        await PropagateRun.ExecuteAsync(new() { LabelSet = "labels", Set = "set", Device = "cpu", Threshold = 0 }, shelf.Context(), default);

        var alone = await HeadRun.ExecuteAsync(_spec with { Kind = "knn", Head = "alone" }, shelf.Context(), default);
        var helped = await HeadRun.ExecuteAsync(_spec with { Kind = "knn", Head = "helped", WithPropagated = true }, shelf.Context(), default);

        Assert.Equal((30, 30), (alone.Labels, helped.Labels));
        Assert.Equal(alone.Scores, helped.Scores);
        Assert.NotEqual(new FileInfo(Weights("alone")).Length, new FileInfo(Weights("helped")).Length); // it did learn from them

        string Weights(string head) => Directory.GetFiles(HeadManifest.Folder(shelf.Store, head), "*.safetensors").Single();
    }

    [Fact]
    public async Task Predicting_again_changes_nothing()
    {
        using var shelf = new Shelf();
        await GiveAsync(shelf, 4);
        await HeadRun.ExecuteAsync(_spec with { Kind = "linear" }, shelf.Context(), default);
        await PredictRun.ExecuteAsync(new() { Head = "labels", Set = "set", Device = "cpu" }, shelf.Context(), default);

        var again = await PredictRun.ExecuteAsync(new() { Head = "labels", Set = "set", Device = "cpu" }, shelf.Context(), default);

        Assert.Equal((0, 0), (again.Added, again.Replaced));
    }

    [Fact]
    public async Task A_head_refuses_vectors_of_another_encoder_and_names_both()
    {
        using var shelf = new Shelf();
        await GiveAsync(shelf, 2);
        await HeadRun.ExecuteAsync(_spec with { Kind = "knn" }, shelf.Context(), default);
        shelf.WriteSet("other", new float[shelf.Items * Shelf.Dimension], new string('e', 32));

        var error = await Assert.ThrowsAsync<BadRequestException>(() => PredictRun.ExecuteAsync(new() { Head = "labels", Set = "other", Device = "cpu" }, shelf.Context(), default));

        Assert.Contains(Shelf.Encoder, error.Message);
        Assert.Contains(new string('e', 32), error.Message);
    }

    [Fact]
    public void Temperature_scaling_finds_the_temperature_that_was_planted()
    {
        // Answers of confidence 0.9 that are right in two of three: the temperature must be well above one and the error fall.
        var logs = Enumerable.Range(0, 600).SelectMany(_ => new[] { MathF.Log(0.9f), MathF.Log(0.1f) }).ToArray();
        int[] labels = [.. Enumerable.Range(0, 600).Select(i => i % 3 == 0 ? 1 : 0)];

        var temperature = Calibration.Temperature(logs, 2, labels);
        var scaled = (float[])logs.Clone();
        Calibration.Scale(scaled, 2, temperature);

        // log(9) / T = log(2); the pull towards one takes a little of it.
        Assert.Equal(Math.Log(9) / Math.Log(2), temperature, 0.1);
        Assert.Equal(0.9 - 2.0 / 3, Calibration.Error([.. labels.Select(label => (0.9f, label == 0))]), 3);
        Assert.InRange(Calibration.Error([.. labels.Select(label => (scaled[0], label == 0))]), 0, 0.01);
    }

    [Fact]
    public async Task Labels_that_were_flipped_are_found_and_the_right_class_is_suggested()
    {
        using var shelf = new Shelf();
        int[] flipped = [10, 25, 40];
        await GiveAsync(shelf, 20, item => flipped.Contains(item) ? (Shelf.ClassOf(item) + 1) % 3 : Shelf.ClassOf(item));

        var found = await LabelCheck.RunAsync(shelf.Store, new() { LabelSet = "labels", Set = "set", Device = "cpu" }, default);

        Assert.Equal(flipped.Select(Shelf.Id), found.Suspicious.Select(row => row.ItemId).Order());
        Assert.All(found.Suspicious, row => Assert.Equal(Shelf.NameOf(row.ItemId), row.Suggested));
    }

    [Fact]
    public async Task Near_duplicates_labelled_differently_and_across_splits_are_found()
    {
        using var shelf = new Shelf();
        await shelf.GiveAsync("car", 4);
        await shelf.GiveAsync("dog", 7);
        await shelf.GiveAsync("anna", "bird", 0);
        await shelf.GiveAsync("ben", "dog", 0);
        var splits = shelf.Beside("splits.csv");
        File.WriteAllLines(splits, ["path,split", "pictures/0004.jpg,train", "0007.jpg,test", "pictures/0008.jpg,test"]);

        var found = await LabelCheck.RunAsync(shelf.Store, new() { LabelSet = "labels", Set = "set", SplitsPath = splits, Device = "cpu" }, default);

        Assert.Equal([(Shelf.Id(0), Shelf.Id(0)), (Shelf.Id(7), Shelf.Id(4))], found.Conflicts.Select(conflict => (conflict.ItemId, conflict.OtherId)));
        Assert.Equal((Shelf.Id(4), Shelf.Id(7)), (found.Leaks.Single().ItemId, found.Leaks.Single().OtherId));
    }
}
