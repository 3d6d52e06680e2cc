// Which labels are probably wrong? Confident learning (Northcutt, Jiang, Chuang 2021): from held-out probabilities, an item whose probability
// for another class exceeds that class's usual one is counted against its label. Beside it: duplicates labelled differently, people who
// disagree, and items whose near duplicates lie on the other side of a split.
using FeatureForge.Data;
using FeatureForge.Tensors;
using static TorchSharp.torch;

namespace FeatureForge.Labelling;

/// <summary>What to check.</summary>
public sealed record LabelCheckSpec
{
    public required string LabelSet { get; init; }
    public required string Set { get; init; }
    public string Level { get; init; } = Data.Level.High;
    public int Seed { get; init; }
    /// <summary>CSV with path and split, to find leakage; null = not looked for.</summary>
    public string? SplitsPath { get; init; }
    public string Device { get; init; } = "auto";
}

/// <summary>A label that held-out predictions contradict.</summary>
/// <param name="Quality">Probability of the given label, held out; low is suspicious.</param>
public sealed record SuspiciousLabel(string ItemId, string Path, string Given, string Suggested, float Quality, float SuggestedProbability);

/// <summary>Two items that are near duplicates and carry different labels, or one item with labels that people disagree about (then both ids are equal).</summary>
public sealed record ConflictingLabels(string ItemId, string OtherId, string Path, IReadOnlyList<string> Names);

/// <summary>Near duplicates on different sides of a split.</summary>
public sealed record SplitLeak(string ItemId, string OtherId, string Path, string OtherPath, string Split, string OtherSplit);

/// <summary>What the check found, most suspicious first.</summary>
/// <param name="EstimatedErrors">How many labels are wrong by the confident joint; null when labels are too few to hold any out.</param>
public sealed record LabelCheckResult(string LabelSet, int Labels, int? EstimatedErrors, IReadOnlyList<SuspiciousLabel> Suspicious, IReadOnlyList<ConflictingLabels> Conflicts, IReadOnlyList<SplitLeak> Leaks);

/// <summary>Finds wrong labels, conflicts and leakage; writes nothing.</summary>
public static class LabelCheck
{
    private const float SameVector = 1e-3f;

    /// <exception cref="BadRequestException">No such label set or embedding set.</exception>
    public static async Task<LabelCheckResult> RunAsync(Store store, LabelCheckSpec spec, CancellationToken stop)
    {
        var state = await LabelLog.Existing(store, spec.LabelSet).ReadGivenAsync(stop);
        var vectors = LabelVectors.Read(store, spec.Set, spec.Level, stop);
        var items = await KnownItems.ReadAsync(store, store.Set(spec.Set).Corpus, null, stop);
        var given = LabelDecisions.OfItemsGiven(state);
        var (rows, judged, classes) = HeadRun.RowsOf(state, vectors, withPropagated: false);
        var ids = given.Keys.Where(id => vectors.RowOf(id) >= 0).Order(StringComparer.Ordinal).ToList();
        var (suspicious, errors) = classes.Count < 2 ? ([], null) : await Task.Factory.StartNew(() => Suspicious(rows, judged, classes, ids, items, vectors.Metric, spec, stop), stop, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        return new(spec.LabelSet, given.Count, errors, suspicious, Conflicts(state, given, items), spec.SplitsPath is null ? [] : Leaks(items, vectors, spec.SplitsPath, stop));
    }

    private static (List<SuspiciousLabel> Found, int? Errors) Suspicious(HeadRows rows, IReadOnlyList<int> judged, IReadOnlyList<string> classes, List<string> ids, Dictionary<string, KnownItem> items, VectorMetric metric, LabelCheckSpec spec, CancellationToken stop)
    {
        using var scope = NewDisposeScope();
        var labels = judged.Select(row => rows.Labels[row]).ToList();
        var folds = CrossValidation.FoldsOf(labels);
        if (folds == 0) return ([], null);
        var held = CrossValidation.Run(HeadShape.Of("linear")[2], rows, judged, CrossValidation.Deal(labels, folds, spec.Seed), folds, metric, spec.Seed, DeviceChoice.Select(spec.Device), stop);
        var probability = (float[])held.LogProbability.Clone();
        Calibration.Scale(probability, classes.Count, Calibration.Temperature(held.LogProbability, classes.Count, [.. held.Rows.Select(row => rows.Labels[row])]));
        var flagged = ConfidentLearning.Find(probability, [.. held.Rows.Select(row => rows.Labels[row])], classes.Count);
        return ([.. flagged.Select(found => new SuspiciousLabel(ids[held.Rows[found.Row]], items.GetValueOrDefault(ids[held.Rows[found.Row]])?.Path ?? "", classes[found.Given], classes[found.Suggested], found.Quality, found.Probability))], flagged.Count);
    }

    private static List<ConflictingLabels> Conflicts(LabelState state, IReadOnlyDictionary<string, LabelDecision> given, Dictionary<string, KnownItem> items)
    {
        var conflicts = new List<ConflictingLabels>();
        foreach (var target in state.Active.Where(row => row.Target == LabelTarget.Item && row.Region is null && row.Source == LabelSource.Person).GroupBy(row => row.TargetId, StringComparer.Ordinal))
        {
            List<string> names = [.. target.OrderBy(row => row.At).GroupBy(row => row.Author).Select(author => author.Last().Name).Distinct().Order(StringComparer.Ordinal)];
            if (names.Count > 1) conflicts.Add(new(target.Key, target.Key, items.GetValueOrDefault(target.Key)?.Path ?? "", names));
        }
        foreach (var item in items.Values)
            if (item.NearDuplicateOf is { } other && given.TryGetValue(item.ItemId, out var mine) && given.TryGetValue(other, out var theirs) && mine.Name != theirs.Name)
                conflicts.Add(new(item.ItemId, other, item.Path, [mine.Name, theirs.Name]));
        return [.. conflicts.OrderBy(conflict => conflict.ItemId, StringComparer.Ordinal).ThenBy(conflict => conflict.OtherId, StringComparer.Ordinal)];
    }

    // Leakage: near duplicates as ingest found them, and items whose vectors all but coincide.
    private static List<SplitLeak> Leaks(Dictionary<string, KnownItem> items, LabelVectors vectors, string splitsPath, CancellationToken stop)
    {
        var splits = SplitsOf(splitsPath, items);
        var leaks = new Dictionary<(string, string), SplitLeak>();
        void Look(string a, string b)
        {
            if (!splits.TryGetValue(a, out var mine) || !splits.TryGetValue(b, out var theirs) || mine == theirs) return;
            var (first, second) = string.CompareOrdinal(a, b) < 0 ? (a, b) : (b, a);
            leaks.TryAdd((first, second), new(first, second, items[first].Path, items[second].Path, splits[first], splits[second]));
        }
        foreach (var item in items.Values)
            if (item.NearDuplicateOf is { } other) Look(item.ItemId, other);
        if (vectors.Rows is > 1 and <= Propagation.GraphRows)
        {
            var table = Neighbours.Among(vectors.Values, vectors.Rows, vectors.Dimension, 1, vectors.Metric, "auto", null, stop);
            for (var row = 0; row < vectors.Rows; row++)
                if (table.Distance[row] < SameVector) Look(vectors.ItemIds[row], vectors.ItemIds[table.Index[row]]);
        }
        return [.. leaks.Values.OrderBy(leak => leak.ItemId, StringComparer.Ordinal).ThenBy(leak => leak.OtherId, StringComparer.Ordinal)];
    }

    private static Dictionary<string, string> SplitsOf(string path, Dictionary<string, KnownItem> items)
    {
        var table = Csv.Read(path);
        if (!table.Has("path") || !table.Has("split")) throw new BadRequestException($"{path} has the columns {string.Join(", ", table.Header)}; expected path and split.");
        var places = new ItemPlaces(items.Values);
        var splits = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var row in table.Rows)
            if (places.Find(row["path"]) is { } id) splits[id] = row["split"];
        return splits;
    }
}
