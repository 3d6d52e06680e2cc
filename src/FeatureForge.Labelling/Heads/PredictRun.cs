// `classify predict`: a head and an embedding set -> labels with source=model. One append takes the head's earlier predictions back and adds
// the new ones; items that a person or an import has labelled get none.
using FeatureForge.Data;
using FeatureForge.Tensors;
using static TorchSharp.torch;

namespace FeatureForge.Labelling;

/// <summary>Runs a <see cref="PredictSpec"/>.</summary>
public static class PredictRun
{
    /// <exception cref="BadRequestException">No such head or set, or the set's vectors are of another encoder; both are named.</exception>
    public static async Task<PredictResult> ExecuteAsync(PredictSpec spec, RunContext context, CancellationToken stop)
    {
        BadRequestException.ThrowIfAny(spec.Problems());
        var started = context.Time.GetTimestamp();
        var head = HeadManifest.Read(context.Store, spec.Head);
        RequireSameEncoder(head, context.Store.Set(spec.Set));
        var labelSet = spec.LabelSet ?? head.LabelSet;
        var log = LabelLog.Of(context.Store, labelSet);
        var vectors = LabelVectors.Read(context.Store, spec.Set, head.Level, stop);
        var probability = await Task.Factory.StartNew(() => Predict(context.Store, head, vectors, spec.Device, stop), stop, TaskCreationOptions.LongRunning, TaskScheduler.Default);

        var state = await log.ReadAsync(stop);
        var given = LabelDecisions.OfItemsGiven(state);
        var author = $"head:{head.Name}";
        var earlier = state.Active.Where(row => row.Source == LabelSource.Model && row.Author == author && row.Target == LabelTarget.Item && vectors.RowOf(row.TargetId) >= 0)
            .GroupBy(row => row.TargetId, StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.ToList(), StringComparer.Ordinal);
        var (batch, at, spread) = (LabelLog.NewId(), context.Time.GetUtcNow(), new Spread(probability, head.Classes.Count));
        var (append, byName, abstained, known, confidence) = (new List<LabelRow>(), new SortedDictionary<string, int>(StringComparer.Ordinal), 0, 0, 0.0);
        for (var row = 0; row < vectors.Rows; row++)
        {
            var id = vectors.ItemIds[row];
            if (given.ContainsKey(id)) { known++; continue; }
            var best = spread.Best(row);
            if (best.Class < 0 || best.Probability < spec.Threshold) { abstained++; continue; }
            var (name, sure) = (head.Classes[best.Class], Math.Clamp(best.Probability, 0, 1));
            byName[name] = byName.GetValueOrDefault(name) + 1;
            confidence += sure;
            if (earlier.TryGetValue(id, out var old) && old is [var same] && same.Name == name && same.Confidence == sure && same.EncoderId == vectors.EncoderId) { earlier.Remove(id); continue; }
            append.Add(new()
            {
                LabelId = LabelLog.NewId(),
                Target = LabelTarget.Item,
                TargetId = id,
                Name = name,
                Source = LabelSource.Model,
                Author = author,
                Confidence = sure,
                At = at,
                Batch = batch,
                EncoderId = vectors.EncoderId,
            });
        }
        var undone = LabelLog.UndoRows(earlier.Values.SelectMany(rows => rows), author, batch, at);
        context.CheckFence();
        await log.AppendAsync([.. undone, .. append], stop);
        var predicted = byName.Values.Sum();
        context.Information($"{predicted} items carry a label of head '{head.Name}', {abstained} were left without one.");
        return new(head.Name, labelSet, spec.Set, predicted, abstained, known, undone.Count, append.Count, byName, predicted == 0 ? 0 : confidence / predicted, batch, context.Time.GetElapsedTime(started).TotalSeconds);
    }

    /// <summary>A head reads the vectors of one encoder.</summary>
    public static void RequireSameEncoder(HeadManifest head, SetManifest set)
    {
        if (head.EncoderId != set.EncoderId)
            throw new BadRequestException($"Head '{head.Name}' was made on vectors of encoder {head.EncoderId}, embedding set '{set.Name}' is of encoder {set.EncoderId}; they cannot be mixed. Train a head on this set: featureforge classify train --label-set {head.LabelSet} --set {set.Name}.");
    }

    private static float[] Predict(Store store, HeadManifest head, LabelVectors vectors, string device, CancellationToken stop)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var (tensors, _) = Safetensors.Read(store.FileOf(HeadManifest.Folder(store, head.Name), head.Weights));
        var arrays = new HeadArrays(tensors.ToDictionary(pair => pair.Key, pair => (HostCopies.ToArray<float>(pair.Value), pair.Value.shape)));
        var logs = head.Shape().Predict(arrays, vectors.Values, vectors.Rows, vectors.Dimension, head.Classes.Count, vectors.Metric, DeviceChoice.Select(device), stop);
        Calibration.Scale(logs, head.Classes.Count, head.Temperature);
        return logs;
    }
}
