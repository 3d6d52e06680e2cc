// Keeps the weights with the best label-free score. The score is a mean of two that run from 0 to 1: how often a view finds the
// other view of its item, and how alike the neighbours of the two views are, both at `high`.
using FeatureForge.Data;
using FeatureForge.Tensors;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

internal sealed class BestWeights(string path)
{
    /// <summary>Where they are, once there are any.</summary>
    public string Path => path;

    // Probes differ by about this much from one set of items to another: less is no reason to go back.
    private const double Noise = 0.01;

    /// <summary>The score of a level at a step.</summary>
    public static double Score(MetricLog metrics, long step, string level) =>
        metrics.Rows.Where(row => row.Step == step && (row.Name == $"retrieval.{level}" || row.Name == $"neighbours.{level}")).Average(row => row.Value);

    /// <summary>Keeps the weights when they are the best so far; a step's score is in the metrics already.</summary>
    public void Offer(Encoder encoder, long step, MetricLog metrics)
    {
        if (BestStep(metrics) != step) return;
        using var scope = NewDisposeScope();
        Safetensors.Write(path + ".tmp", encoder.State());
        DurableFile.MoveInto(path + ".tmp", path);
    }

    /// <summary>True when that many probes passed since the best one.</summary>
    public bool IsStale(MetricLog metrics, int patience) =>
        patience > 0 && ProbedSteps(metrics) is { Count: > 0 } steps && steps.Count(step => step > BestStep(metrics)) >= patience;

    /// <summary>Puts the best weights into the encoder unless the last ones are as good.</summary>
    /// <returns>The step whose weights the encoder holds.</returns>
    public long Restore(Encoder encoder, MetricLog metrics)
    {
        var last = ProbedSteps(metrics)[^1];
        var best = BestStep(metrics);
        if (best == last || Score(metrics, best, Level.High) - Score(metrics, last, Level.High) < Noise) return last;
        using var scope = NewDisposeScope();
        encoder.LoadState(Safetensors.Read(path).Tensors, path);
        return best;
    }

    private static List<long> ProbedSteps(MetricLog metrics) =>
        [.. metrics.Rows.Where(row => row.Step > 0 && row.Name == $"retrieval.{Level.High}").Select(row => row.Step)];

    private static long BestStep(MetricLog metrics) => ProbedSteps(metrics).MaxBy(step => Score(metrics, step, Level.High));
}
