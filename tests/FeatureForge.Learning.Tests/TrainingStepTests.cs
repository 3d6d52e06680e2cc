// What a step promises: precision, parts of a batch, clipping, teachers, and weights chosen without labels.
using FeatureForge.Data;
using FeatureForge.Tensors;
using FeatureForge.TestKit;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FeatureForge.Learning.Tests;

public sealed class TrainingStepTests : IDisposable
{
    private readonly TemporaryStore _store = new();

    public void Dispose() => _store.Dispose();

    private string WriteRecipe(string name, Recipe recipe) => SmallCorpora.WriteRecipe(_store.Beside("recipes"), recipe, name);

    private static Recipe Small => Recipe.DefaultFor(Modality.Image) with
    {
        Encoder = new() { Widths = [8, 16], Strides = [2, 2], Low = [1], Mid = [2], High = [1, 2], ImageSize = 16, Residual = [false, true] },
        BatchSize = 12,
    };

    private async Task<TrainResult> TrainAsync(string encoder, Recipe recipe, long steps = 12, RecordingReporter? reporter = null) => await TrainRun.ExecuteAsync(
        new() { Corpus = "small", Encoder = encoder, Recipe = WriteRecipe(encoder, recipe), Steps = steps, Device = "cpu", Seed = 3 }, _store.Context(reporter: reporter), default);

    private static FlatParameters Flat(out Parameter parameter, float gradient)
    {
        parameter = nn.Parameter(ones(2, 2));
        var flat = new FlatParameters([parameter]);
        flat.Gradients.fill_(gradient);
        return flat;
    }

    [Fact]
    public void Clipping_scales_long_gradients_to_the_norm_and_leaves_short_ones()
    {
        using var scope = NewDisposeScope();
        using var longer = Flat(out _, 3);
        using var shorter = Flat(out _, 0.1f);

        longer.ClipGradients(1);
        shorter.ClipGradients(1);

        Assert.Equal(1, longer.Gradients.norm().item<float>(), 1e-4);
        Assert.Equal(0.2, shorter.Gradients.norm().item<float>(), 1e-6);
    }

    [Fact]
    public void Lars_moves_a_layer_by_its_trust_ratio_whatever_the_gradients_size()
    {
        using var scope = NewDisposeScope();
        using var small = Flat(out var first, 1e-3f);
        using var large = Flat(out var second, 1e3f);
        using var one = new Lars(small, weightDecay: 0);
        using var other = new Lars(large, weightDecay: 0);

        one.Step(1, learningRate: 10);
        other.Step(1, learningRate: 10);

        // |w| = 2 and |g| = 4 c / 2: the step is rate x 0.001 x |w| / |g| x g = 10 x 0.001 x 2 / 2 per value.
        Assert.Equal(0.99, first[0, 0].item<float>(), 1e-4);
        Assert.Equal(0.99, second[0, 0].item<float>(), 1e-4);
    }

    [Fact]
    public void The_teachers_share_rises_from_its_start_to_one()
    {
        var shares = Enumerable.Range(0, 11).Select(step => Teacher.DecayAt(0.9, step, 10)).ToList();

        Assert.Equal(0.9, shares[0], 1e-9);
        Assert.Equal(1, shares[^1], 1e-9);
        Assert.Equal(shares.Order(), shares);
    }

    [Theory]
    [InlineData("bfloat16")]
    [InlineData("float32")]
    public async Task Every_precision_learns_and_repeats_itself(string precision)
    {
        await SmallCorpora.WriteAsync(_store, "small", Modality.Image, 24);

        var first = await TrainAsync("a", Small with { Precision = precision });
        var again = await TrainAsync("b", Small with { Precision = precision });

        Assert.Equal(first.EncoderId, again.EncoderId);
        Assert.True(double.IsFinite(first.FinalLoss));
    }

    [Fact]
    public async Task A_batch_in_parts_counts_every_item_once()
    {
        await SmallCorpora.WriteAsync(_store, "small", Modality.Image, 12);
        // Barlow-like objectives see parts; a loss that is a mean over items must not depend on them. NT-Xent of two parts of six
        // has 11 other views instead of 23: its loss at the start is about ln 11, not half of ln 23.
        var whole = await TrainAsync("whole", Small with { Precision = "float32", LearningRate = 1e-12 }, steps: 1);
        var parts = await TrainAsync("parts", Small with { Precision = "float32", LearningRate = 1e-12, Accumulate = 2 }, steps: 1);

        Assert.InRange(whole.FinalLoss, Math.Log(23) - 1.5, Math.Log(23) + 0.5);
        Assert.InRange(parts.FinalLoss, Math.Log(11) - 1.5, Math.Log(11) + 0.5);
    }

    [Fact]
    public async Task A_published_teacher_differs_from_its_student_and_resumes_to_the_same_bits()
    {
        await SmallCorpora.WriteAsync(_store, "small", Modality.Image, 24);
        var taught = Small with { Precision = "float32", TeacherDecay = 0.9, PublishTeacher = true };
        var student = await TrainAsync("student", taught with { PublishTeacher = false });
        var whole = await TrainAsync("whole", taught);
        var recipe = WriteRecipe("resumed", taught);
        var spec = new TrainSpec { Corpus = "small", Encoder = "resumed", Recipe = recipe, Steps = 12, Device = "cpu", Seed = 3 };
        using var stop = new CancellationTokenSource();
        var stopping = new RecordingReporter { OnMetric = metric => { if (metric is { Step: 10, Name: "loss" }) stop.Cancel(); } };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => TrainRun.ExecuteAsync(spec, _store.Context("r", stopping), stop.Token));

        var resumed = await TrainRun.ExecuteAsync(spec, _store.Context("r"), default);

        Assert.NotEqual(student.EncoderId, whole.EncoderId);
        Assert.Equal(whole.EncoderId, resumed.EncoderId);
    }

    [Fact]
    public async Task Training_ends_early_when_probes_bring_nothing_better()
    {
        await SmallCorpora.WriteAsync(_store, "small", Modality.Image, 24);

        // A rate of nothing: no probe can be better than the first.
        var result = await TrainAsync("e", Small with { LearningRate = 1e-12, Patience = 2, Probes = 10 }, steps: 40);

        Assert.Equal(12, result.Steps); // probes at 4, 8 and 12
    }

    [Fact]
    public async Task A_broken_batch_is_found_again_and_kept()
    {
        await SmallCorpora.WriteAsync(_store, "small", Modality.Image, 24);

        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => TrainAsync("e", Small with { Precision = "float32", LearningRate = 1e30 }, steps: 30));

        Assert.Contains("it broke at step", error.Message);
        var kept = Directory.GetFiles(_store.Store.Root, "non-finite-batch.safetensors", SearchOption.AllDirectories);
        using var scope = NewDisposeScope();
        Assert.Equal([24, 3, 16, 16], Safetensors.Read(Assert.Single(kept)).Tensors["views.0"].shape);
        Assert.Equal(12, File.ReadAllLines(Path.ChangeExtension(kept[0], ".txt")).Length);
    }

    [Theory]
    [InlineData(0.05, 0.5, false)]
    [InlineData(0.9, 0.001, false)]
    [InlineData(double.NaN, 0.5, false)]
    [InlineData(0.5, 0.3, true)]
    public void Scores_of_vectors_that_are_all_alike_mean_collapse(double spread, double rank, bool fine) =>
        Assert.Equal(fine, TrainingLoop.Collapse(new Dictionary<string, double> { ["spread.high"] = spread, ["rankme_ratio.high"] = rank }) is null);

    [Fact]
    public async Task A_level_of_several_blocks_is_as_wide_as_all_of_them()
    {
        await SmallCorpora.WriteAsync(_store, "small", Modality.Image, 12);

        await TrainAsync("e", Small, steps: 1);

        var levels = _store.Store.Encoder("e").Levels.ToDictionary(level => level.Name, level => level.Dimension);
        Assert.Equal((16, 32, 48), (levels["low"], levels["mid"], levels["high"]));
    }
}
