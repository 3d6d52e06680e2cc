// Training end to end on small corpora: resume, repeat, guards, memory.
using FeatureForge.Data;
using FeatureForge.Tensors;
using FeatureForge.TestKit;
using TorchSharp;

namespace FeatureForge.Learning.Tests;

public sealed class TrainRunTests : IDisposable
{
    private readonly TemporaryStore _store = new();

    public void Dispose() => _store.Dispose();

    private static TrainSpec Spec(string encoder, long steps = 24) => new() { Corpus = "small", Encoder = encoder, Steps = steps, Device = "cpu", Seed = 3 };

    [Theory]
    [InlineData(Modality.Image)]
    [InlineData(Modality.Audio)]
    [InlineData(Modality.Text)]
    public async Task Killed_and_resumed_training_ends_with_the_same_bits_as_uninterrupted_training(Modality modality)
    {
        await SmallCorpora.WriteAsync(_store, "small", modality, 20);
        var whole = await TrainRun.ExecuteAsync(Spec("whole"), _store.Context(), default);
        var time = new FixedTimeProvider();
        var dying = new RecordingReporter
        {
            OnMetric = metric =>
            {
                if (metric is { Step: 10, Name: "loss" }) time.Advance(TimeSpan.FromMinutes(1)); // a checkpoint falls due
                if (metric is { Step: 20, Name: "loss" }) throw new IOException("killed");
            },
        };
        await Assert.ThrowsAsync<IOException>(() => TrainRun.ExecuteAsync(Spec("resumed"), _store.Context("r", dying, time: time), default));
        Assert.Null(_store.Store.FindEncoder("resumed"));

        var reporter = new RecordingReporter();
        var resumed = await TrainRun.ExecuteAsync(Spec("resumed"), _store.Context("r", reporter), default);

        Assert.Equal([10L], reporter.Rewinds);
        Assert.Equal(whole.EncoderId, resumed.EncoderId);
        Assert.Equal(await SmallCorpora.MetricsAsync(_store, "whole"), await SmallCorpora.MetricsAsync(_store, "resumed"));
        Assert.False(Directory.Exists(_store.Store.StagingFolder("r")));
    }

    [Fact]
    public async Task Stopped_training_keeps_its_step_and_continues_there()
    {
        await SmallCorpora.WriteAsync(_store, "small", Modality.Text, 20);
        using var stop = new CancellationTokenSource();
        var stopping = new RecordingReporter { OnMetric = metric => { if (metric is { Step: 10, Name: "loss" }) stop.Cancel(); } };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => TrainRun.ExecuteAsync(Spec("e"), _store.Context("r", stopping), stop.Token));

        var reporter = new RecordingReporter();
        await TrainRun.ExecuteAsync(Spec("e"), _store.Context("r", reporter), default);

        Assert.Equal([10L], reporter.Rewinds);
    }

    [Fact]
    public async Task Another_seed_gives_another_encoder()
    {
        await SmallCorpora.WriteAsync(_store, "small", Modality.Image, 12);

        var first = await TrainRun.ExecuteAsync(Spec("a", 2), _store.Context(), default);
        var second = await TrainRun.ExecuteAsync(Spec("b", 2) with { Seed = 4 }, _store.Context(), default);

        Assert.NotEqual(first.EncoderId, second.EncoderId);
    }

    [Fact]
    public async Task The_same_request_again_is_already_done_and_another_one_is_refused()
    {
        await SmallCorpora.WriteAsync(_store, "small", Modality.Text, 12);
        var first = await TrainRun.ExecuteAsync(Spec("e", 2), _store.Context(), default);

        var again = await TrainRun.ExecuteAsync(Spec("e", 2), _store.Context(), default);
        var refused = await Assert.ThrowsAsync<BadRequestException>(() => TrainRun.ExecuteAsync(Spec("e", 3), _store.Context(), default));

        Assert.True(again.AlreadyDone);
        Assert.Equal(first.EncoderId, again.EncoderId);
        Assert.Contains("--from e", refused.Message);
    }

    [Fact]
    public async Task Training_continues_from_another_encoders_weights()
    {
        await SmallCorpora.WriteAsync(_store, "small", Modality.Text, 20);
        await TrainRun.ExecuteAsync(Spec("first", 20), _store.Context(), default);

        var fresh = await TrainRun.ExecuteAsync(Spec("fresh", 2) with { Seed = 4 }, _store.Context(), default);
        var continued = await TrainRun.ExecuteAsync(Spec("second", 2) with { From = "first" }, _store.Context(), default);

        // The head of "second" is that of "first" but for two small steps; that of "fresh" started elsewhere.
        Assert.True(Distance("second", "first") < 0.5 * Distance("fresh", "first"));
        Assert.NotEqual(fresh.EncoderId, continued.EncoderId);
    }

    private double Distance(string one, string other)
    {
        using var scope = torch.NewDisposeScope();
        torch.Tensor Words(string encoder) => Safetensors.Read(Path.Combine(_store.Store.EncoderFolder(encoder), "model.safetensors")).Tensors["network.inner.weight"];
        return (Words(one) - Words(other)).pow(2).sum().sqrt().item<float>();
    }

    [Fact]
    public async Task A_loss_that_is_not_finite_stops_the_run_and_says_where()
    {
        await SmallCorpora.WriteAsync(_store, "small", Modality.Text, 20);
        var recipe = SmallCorpora.WriteRecipe(_store.Beside("recipes"), Recipe.DefaultFor(Modality.Text) with { LearningRate = 1e30 });

        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => TrainRun.ExecuteAsync(Spec("e", 40) with { Recipe = recipe }, _store.Context(), default));

        Assert.Contains("NT-Xent", error.Message);
        Assert.Contains("between steps", error.Message);
        Assert.Contains("last good checkpoint is of step 0", error.Message);
        Assert.Null(_store.Store.FindEncoder("e"));
    }

    [Fact]
    public async Task Steps_leave_no_tensors_behind()
    {
        await SmallCorpora.WriteAsync(_store, "small", Modality.Image, 12);
        var counts = new List<long>();
        var counting = new RecordingReporter { OnMetric = metric => { if (metric.Name == "learning_rate") counts.Add(torch.Tensor.TotalCount); } };

        await TrainRun.ExecuteAsync(Spec("e", 50), _store.Context(reporter: counting), default);

        Assert.True(counts.Count >= 4);
        Assert.All(counts.Skip(1), count => Assert.Equal(counts[1], count));
    }

    [Fact]
    public async Task The_loss_falls_and_probes_are_published_beside_those_of_raw_features()
    {
        await SmallCorpora.WriteAsync(_store, "small", Modality.Text, 40);
        var result = await TrainRun.ExecuteAsync(Spec("e", 60), _store.Context(), default);

        var losses = (await SmallCorpora.MetricsAsync(_store, "e")).Where(row => row.Name == "loss").Select(row => row.Value).ToList();
        Assert.True(losses[^1] < losses[0]);
        string[] measures = ["alignment", "neighbours", "rankme_ratio", "retrieval", "spread", "uniformity"];
        Assert.Equal(measures.SelectMany(measure => Level.All.Select(level => $"{measure}.{level}")).Order(), result.Probes.Keys.Order());
        Assert.Contains(result.RecommendedLevel, Level.All);
        Assert.True(File.Exists(Path.Combine(_store.Store.EncoderFolder("e"), "README.md")));
    }

    [Fact]
    public async Task Minutes_fix_the_number_of_steps_once()
    {
        await SmallCorpora.WriteAsync(_store, "small", Modality.Text, 20);
        var spec = Spec("e") with { Steps = null, Minutes = 0.02 };

        var result = await TrainRun.ExecuteAsync(spec, _store.Context(time: TimeProvider.System), default);

        Assert.True(result.Steps >= 1);
    }

    [Fact]
    public async Task Minutes_that_are_too_few_to_learn_much_are_warned_about()
    {
        await SmallCorpora.WriteAsync(_store, "small", Modality.Text, 20);
        var reporter = new RecordingReporter();

        var result = await TrainRun.ExecuteAsync(Spec("e") with { Steps = null, Minutes = 0.0001 }, _store.Context(reporter: reporter, time: TimeProvider.System), default);

        Assert.Equal(1, result.Steps);
        Assert.Contains(reporter.LogLines, line => line.Level == "warning" && line.Message.Contains("--minutes", StringComparison.Ordinal));
    }

    [Fact]
    public void A_request_lists_every_problem_at_once()
    {
        var problems = new TrainSpec { Corpus = "a/b", Encoder = "", Minutes = 1, Steps = 0, Device = "tpu" }.Problems();

        Assert.Equal(5, problems.Count);
    }

    [Theory]
    [InlineData("image-tiny", Modality.Image)]
    [InlineData("audio-tiny", Modality.Audio)]
    [InlineData("text-tiny", Modality.Text)]
    public void Built_in_recipes_can_be_read(string name, Modality modality) => Assert.Equal(modality, Recipe.Read(name).Modality);
}
