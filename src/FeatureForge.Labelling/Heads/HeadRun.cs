// `classify train`: labels of people and imports -> the kind of head that cross-validation likes best -> heads/HEAD, calibrated and stamped.
using System.Text.Json;
using FeatureForge.Data;
using FeatureForge.Tensors;
using static TorchSharp.torch;

namespace FeatureForge.Labelling;

/// <summary>Runs a <see cref="HeadSpec"/>.</summary>
public static class HeadRun
{
    /// <summary>Makes or replaces the head.</summary>
    /// <exception cref="BadRequestException">The spec is wrong, or there are labels of fewer than two classes.</exception>
    public static async Task<HeadResult> ExecuteAsync(HeadSpec spec, RunContext context, CancellationToken stop)
    {
        BadRequestException.ThrowIfAny(spec.Problems());
        var started = context.Time.GetTimestamp();
        var log = LabelLog.Existing(context.Store, spec.LabelSet);
        var state = await (spec.WithPropagated ? log.ReadAsync(stop) : log.ReadGivenAsync(stop));
        var vectors = LabelVectors.Read(context.Store, spec.Set, spec.Level, stop);
        var (rows, judged, classes) = RowsOf(state, vectors, spec.WithPropagated);
        if (classes.Count < 2)
            throw new BadRequestException($"Label set '{spec.LabelSet}' holds labels of {classes.Count} classes about items of embedding set '{spec.Set}'; a head needs at least two. `featureforge label queue` says what to label.");
        var fitted = await Task.Factory.StartNew(() => Fit(spec, rows, judged, vectors.Metric, context, stop), stop, TaskCreationOptions.LongRunning, TaskScheduler.Default);

        Directory.CreateDirectory(context.StagingFolder);
        var staged = Path.Combine(context.StagingFolder, "head.safetensors");
        Write(staged, fitted.Arrays);
        var folder = HeadManifest.Folder(context.Store, spec.HeadName());
        var publication = new Publication(context);
        publication.Commit(Path.Combine(folder, "head.json"), new HeadManifest
        {
            Name = spec.HeadName(),
            EncoderId = vectors.EncoderId,
            Level = spec.Level,
            Grain = Grain.Item,
            Dimension = vectors.Dimension,
            Metric = vectors.Metric == VectorMetric.Cosine ? "cosine" : "l2",
            LabelSet = spec.LabelSet,
            Set = spec.Set,
            Kind = fitted.Shape.Kind,
            Neighbours = fitted.Shape.Neighbours,
            Decay = fitted.Shape.Decay,
            Hidden = fitted.Shape.Hidden,
            Classes = classes,
            Temperature = fitted.Temperature,
            Scores = fitted.Scores,
            Labels = judged.Count,
            Weights = publication.Add(staged, folder, $"head-{context.RunId}.safetensors", 1),
            RunId = context.RunId,
            CreatedAt = context.Time.GetUtcNow(),
        });
        foreach (var old in context.Store.FilesBelow(folder).Where(path => Path.GetExtension(path) == ".safetensors" && Path.GetFileName(path) != $"head-{context.RunId}.safetensors")) context.Store.Remove(old);
        publication.Finish();
        context.Information($"Head '{spec.HeadName()}': {fitted.Shape.Kind} ({fitted.Shape.Settings}) from {judged.Count} labels of {classes.Count} classes.");
        return new(spec.HeadName(), spec.LabelSet, spec.Set, vectors.EncoderId, spec.Level, fitted.Shape.Kind, classes, judged.Count, fitted.Folds, fitted.Scores, fitted.Temperature, context.Time.GetElapsedTime(started).TotalSeconds);
    }

    /// <summary>Rows to learn from, which of them people or imports judged, and the classes in order.</summary>
    internal static (HeadRows Rows, IReadOnlyList<int> Judged, IReadOnlyList<string> Classes) RowsOf(LabelState state, LabelVectors vectors, bool withPropagated)
    {
        var given = LabelDecisions.OfItemsGiven(state);
        var used = (withPropagated ? LabelDecisions.OfItems(state) : given).Values
            .Where(decision => vectors.RowOf(decision.TargetId) >= 0 && (given.ContainsKey(decision.TargetId) || decision.Source == LabelSource.Propagated))
            .OrderBy(decision => decision.TargetId, StringComparer.Ordinal).ToList();
        List<string> classes = [.. used.Select(decision => decision.Name).Distinct().Order(StringComparer.Ordinal)];
        var number = classes.Select((name, i) => (name, i)).ToDictionary(pair => pair.name, pair => pair.i, StringComparer.Ordinal);
        var rows = new HeadRows(vectors.Gather([.. used.Select(decision => vectors.RowOf(decision.TargetId))]), vectors.Dimension, [.. used.Select(decision => number[decision.Name])],
            [.. used.Select(decision => given.ContainsKey(decision.TargetId) ? 1f : Math.Clamp(decision.Confidence, 0.01f, 1f))], classes.Count);
        return (rows, [.. Enumerable.Range(0, used.Count).Where(i => given.ContainsKey(used[i].TargetId))], classes);
    }

    internal sealed record Fitted(HeadShape Shape, HeadArrays Arrays, double Temperature, IReadOnlyList<HeadScore> Scores, int Folds);

    internal static Fitted Fit(HeadSpec spec, HeadRows rows, IReadOnlyList<int> judged, VectorMetric metric, RunContext context, CancellationToken stop)
    {
        using var scope = NewDisposeScope();
        var device = DeviceChoice.Select(spec.Device);
        var labels = judged.Select(row => rows.Labels[row]).ToList();
        var folds = CrossValidation.FoldsOf(labels);
        var shapes = HeadShape.Of(spec.Kind);
        if (folds == 0)
        {
            context.Warning("Every class has one label: nothing can be held out, so kinds are not compared and the head is not calibrated.");
            var only = spec.Kind == "auto" ? HeadShape.Of("linear")[1] : shapes[0];
            return new(only, only.Fit(rows, spec.Seed, device, stop), 1, [], 0);
        }
        if (rows.Rows > judged.Count)
            context.Information($"Kinds are compared and calibrated on the {judged.Count} labels of people and imports alone, because the {rows.Rows - judged.Count} propagated ones descend from them; the head then learns from all.");
        var fold = CrossValidation.Deal(labels, folds, spec.Seed);
        var meter = new ProgressMeter(context, "cross-validate", "kinds", shapes.Count);
        var tried = new List<(HeadScore Score, HeldOut Held)>();
        foreach (var shape in shapes)
        {
            var held = CrossValidation.Run(shape, rows, judged, fold, folds, metric, spec.Seed, device, stop);
            tried.Add((CrossValidation.Score(held, rows), held));
            meter.Add(1);
        }
        // The simplest of those that are as good: shapes are listed from the one with least to learn.
        var best = tried.MaxBy(pair => Math.Round(pair.Score.Accuracy, 6))!;
        var temperature = Calibration.Temperature(best.Held.LogProbability, rows.Classes, [.. best.Held.Rows.Select(row => rows.Labels[row])]);
        var kinds = tried.GroupBy(pair => pair.Score.Kind).Select(kind => kind.MaxBy(pair => Math.Round(pair.Score.Accuracy, 6)).Score).ToList();
        return new(best.Held.Shape, best.Held.Shape.Fit(rows, spec.Seed, device, stop), temperature, kinds, folds);
    }

    private static void Write(string path, HeadArrays arrays)
    {
        using var scope = NewDisposeScope();
        Safetensors.Write(path, arrays.ByName.Keys.ToDictionary(name => name, name => arrays.Tensor(name, CPU)), new Dictionary<string, string> { ["format"] = "featureforge-head/1" });
    }
}
