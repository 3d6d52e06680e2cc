// Finds the step whose loss became non-finite, by repeating steps from the last checkpoint, and keeps the batch for inspection.
using FeatureForge.Data;
using FeatureForge.Tensors;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

/// <summary>Steps (Good, Bad] hold the one that broke.</summary>
internal sealed record BrokenRange(string Checkpoint, long Good, long Bad, long Steps, int BatchSize, int Seed);

internal static class BrokenStep
{
    private const int ItemsNamed = 5;

    /// <returns>A sentence: which step and items, and where the batch is kept; or that it did not happen again.</returns>
    public static string Find(TrainingStep step, RunContext context, PreparedCorpus corpus, Encoder encoder, BrokenRange range)
    {
        Checkpoint.Load(range.Checkpoint, step.State(), new MetricLog(new SilentReporter()));
        using var reader = new BatchReader(corpus, encoder, range.BatchSize, range.Seed, range.Good, range.Bad - 1);
        for (var number = range.Good; number < range.Bad; number++)
        {
            var batch = reader.Next(default);
            var rate = LearningRate.At(number + 1, range.Steps, encoder.Recipe.LearningRate, encoder.Recipe.Warmup);
            step.Run(number, range.Steps, batch, rate);
            if (float.IsFinite(step.PeekLoss())) continue;
            using var scope = NewDisposeScope();
            var path = Path.Combine(context.StagingFolder, "non-finite-batch.safetensors");
            Safetensors.Write(path, step.ViewsOf(number, batch).Select((views, group) => (views, group)).ToDictionary(pair => $"views.{pair.group}", pair => pair.views));
            var order = default((long, int[]));
            var items = BatchReader.Items(corpus.Count, range.BatchSize, range.Seed, number, ref order).ToArray().Select(corpus.ItemId).ToList();
            File.WriteAllLines(Path.Combine(context.StagingFolder, "non-finite-batch.txt"), items);
            return $"Repeated step by step it broke at step {number + 1}; its views are in {path}, its items, from {string.Join(", ", items.Take(ItemsNamed))} on, in non-finite-batch.txt beside it.";
        }
        return "Repeated from the checkpoint it did not happen again, so the device may have failed.";
    }
}
