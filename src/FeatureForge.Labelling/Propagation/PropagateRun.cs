// The propagation stage: labels of people -> distribution per item -> labels with source=propagated. One append holds both what takes earlier
// propagated labels back and the new ones, so a run killed anywhere has done all or nothing, and doing it again changes nothing.
using FeatureForge.Data;

namespace FeatureForge.Labelling;

/// <summary>Runs a <see cref="PropagateSpec"/>.</summary>
public static class PropagateRun
{
    /// <summary>Author of the labels it writes.</summary>
    public const string Author = "propagate";
    private const int ReviewRows = 100;

    /// <summary>Labels what is sure enough; whatever a person or an import has labelled stays untouched.</summary>
    /// <exception cref="BadRequestException">The spec is wrong, or nothing is labelled yet; nothing was changed.</exception>
    public static async Task<PropagateResult> ExecuteAsync(PropagateSpec spec, RunContext context, CancellationToken stop)
    {
        BadRequestException.ThrowIfAny(spec.Problems());
        var started = context.Time.GetTimestamp();
        var log = LabelLog.Existing(context.Store, spec.LabelSet);
        var state = await log.ReadAsync(stop);
        var vectors = LabelVectors.Read(context.Store, spec.Set, spec.Level, stop);
        var tree = await LabelQueue.TreeOf(context.Store, spec.Set, spec.Level, spec.Clustering, vectors.EncoderId, stop);
        if (spec.Method == "tree" && tree is null)
            throw new BadRequestException($"Method tree needs a clustering of embedding set '{spec.Set}', level {spec.Level}; name one with --clustering, or run `featureforge cluster --set {spec.Set}`.");

        var given = LabelDecisions.OfItemsGiven(state);
        var seeds = given.Values.Where(decision => vectors.RowOf(decision.TargetId) >= 0).ToList();
        var nodeDecisions = tree is null || spec.Method == "graph" ? new Dictionary<string, LabelDecision>() : LabelDecisions.OfClusters(state, tree.Clustering);
        if (seeds.Count + nodeDecisions.Count == 0)
            throw new BadRequestException($"Label set '{spec.LabelSet}' holds no label of a person or an import about items of embedding set '{spec.Set}'{(tree is null ? "" : $" or clusters of '{tree.Clustering}'")}; `featureforge label queue` says what to label first.");
        List<string> classes = [.. seeds.Select(seed => seed.Name).Concat(nodeDecisions.Values.Select(node => node.Name)).Distinct().Order(StringComparer.Ordinal)];
        var number = classes.Select((name, i) => (name, i)).ToDictionary(pair => pair.name, pair => pair.i, StringComparer.Ordinal);

        context.Information($"Spreading {seeds.Count} labelled items and {nodeDecisions.Count} labelled clusters of {classes.Count} classes over {vectors.Rows} items.");
        var answer = await Task.Factory.StartNew(() => Propagation.Run(vectors, tree, seeds.ToDictionary(seed => vectors.RowOf(seed.TargetId), seed => number[seed.Name]),
            nodeDecisions.ToDictionary(pair => pair.Key, pair => number[pair.Value.Name], StringComparer.Ordinal), classes.Count, spec, stop), stop, TaskCreationOptions.LongRunning, TaskScheduler.Default);

        var batch = LabelLog.NewId();
        var at = context.Time.GetUtcNow();
        var earlier = state.Active.Where(row => row.Source == LabelSource.Propagated && row.Author == Author && row.Target == LabelTarget.Item)
            .GroupBy(row => row.TargetId, StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.ToList(), StringComparer.Ordinal);
        var (append, added, kept, abstained) = (new List<LabelRow>(), 0, 0, 0);
        for (var row = 0; row < vectors.Rows; row++)
        {
            var id = vectors.ItemIds[row];
            if (given.ContainsKey(id)) continue;
            var best = answer.Spread.Best(row);
            if (best.Class < 0 || best.Probability < spec.Threshold) { abstained++; continue; }
            var (name, confidence) = (classes[best.Class], Math.Clamp(best.Probability, 0, 1));
            kept++;
            // What stands already stays: the log grows by what changed alone.
            if (earlier.TryGetValue(id, out var old) && old is [var same] && same.Name == name && same.Confidence == confidence && same.EncoderId == vectors.EncoderId) { earlier.Remove(id); continue; }
            append.Add(new()
            {
                LabelId = LabelLog.NewId(),
                Target = LabelTarget.Item,
                TargetId = id,
                Clustering = tree?.Clustering,
                Name = name,
                Source = LabelSource.Propagated,
                Author = Author,
                Confidence = confidence,
                At = at,
                Batch = batch,
                EncoderId = vectors.EncoderId,
            });
            added++;
        }
        var undone = LabelLog.UndoRows(earlier.Values.SelectMany(rows => rows), Author, batch, at);
        context.CheckFence();
        await log.AppendAsync([.. undone, .. append], stop);

        var withLabel = kept + seeds.Count;
        context.Information($"{kept} items carry a propagated label, {abstained} were left without one.");
        return new()
        {
            LabelSet = spec.LabelSet,
            Set = spec.Set,
            EncoderId = vectors.EncoderId,
            LabelledItems = seeds.Count,
            LabelledClusters = nodeDecisions.Count,
            Classes = classes,
            Propagated = kept,
            Abstained = abstained,
            Coverage = withLabel / (double)vectors.Rows,
            Replaced = undone.Count,
            Added = added,
            HeldOutAccuracy = answer.HeldOutAccuracy,
            CalibrationErrorBefore = answer.ErrorBefore,
            CalibrationErrorAfter = answer.ErrorAfter,
            Review = Review(vectors, answer, given, classes),
            Batch = batch,
            Seconds = context.Time.GetElapsedTime(started).TotalSeconds,
        };
    }

    private static List<DoubtfulLabel> Review(LabelVectors vectors, PropagationAnswer answer, IReadOnlyDictionary<string, LabelDecision> given, List<string> classes)
    {
        var doubtful = new List<(float Worth, DoubtfulLabel Label)>();
        for (var row = 0; row < vectors.Rows; row++)
        {
            var best = answer.Spread.Best(row);
            if (best.Class < 0 || given.ContainsKey(vectors.ItemIds[row])) continue;
            var against = answer.ByTree[row] >= 0 && answer.ByTree[row] != best.Class;
            if (best.Margin > 0.3f && !against) continue;
            var second = Enumerable.Range(0, classes.Count).Where(c => c != best.Class).OrderByDescending(c => answer.Spread[row][c]).Select(c => (int?)c).FirstOrDefault();
            doubtful.Add((against ? best.Margin - 1 : best.Margin, new(vectors.ItemIds[row], classes[best.Class], best.Probability, second is { } s ? classes[s] : null, second is { } o ? answer.Spread[row][o] : 0,
                against ? "against_cluster" : best.Probability < 0.5f ? "low_confidence" : "between_classes")));
        }
        return [.. doubtful.OrderBy(pair => pair.Worth).ThenBy(pair => pair.Label.ItemId, StringComparer.Ordinal).Take(ReviewRows).Select(pair => pair.Label)];
    }
}
