// The computation of a propagation, free of store and log: labels of items and of nodes in, a distribution per item out. Labels of nodes are
// weak starting values of every item below them, the nearest labelled ancestor's alone; labels of items are full ones. Spreading over the graph
// then weighs both: deeper labels and labelled neighbours contradict an ancestor, and confidence falls where they do.
using FeatureForge.Tensors;

namespace FeatureForge.Labelling;

/// <summary>Distribution per item, and what the tree alone says (-1: nothing).</summary>
internal sealed record PropagationAnswer(Spread Spread, int[] ByTree, double? HeldOutAccuracy, double? ErrorBefore, double? ErrorAfter);

internal static class Propagation
{
    /// <summary>Items one graph holds; the others take the mean of their nearest among these.</summary>
    internal const int GraphRows = 100_000;
    private const int SampleRows = 30_000;
    private const float NodeWeight = 0.3f;
    private const int CalibrateFrom = 20;
    // Fewer labels a class, and holding a fold out leaves a problem much harder than the one that is answered: with two a class, half of what is
    // known of a class goes, and confidences fall to a quarter of what they are worth.
    private const int CalibratePerClass = 5;
    private const int Folds = 5;

    internal static PropagationAnswer Run(LabelVectors vectors, LabelTree? tree, IReadOnlyDictionary<int, int> items, IReadOnlyDictionary<string, int> nodes, int classes, PropagateSpec spec, CancellationToken stop)
    {
        var byTree = ByTree(vectors, tree, nodes);
        if (spec.Method == "tree") return Calibrated(TreeAlone(vectors, items, byTree, classes), byTree, items, classes, held => TreeAlone(vectors, held, byTree, classes));

        var pool = PoolOf(vectors.Rows, items.Keys, spec.Seed);
        var values = pool.Length == vectors.Rows ? vectors.Values : vectors.Gather(pool);
        var graph = AffinityGraph.Of(values, pool.Length, vectors.Dimension, vectors.Metric, spec.Neighbours, spec.Device, stop);
        var place = new Dictionary<int, int>(pool.Length);
        for (var i = 0; i < pool.Length; i++) place[pool[i]] = i;
        Spread Over(IReadOnlyDictionary<int, int> some)
        {
            var labels = new Dictionary<int, (int, float)>();
            if (spec.Method == "both")
                for (var i = 0; i < pool.Length; i++)
                    if (byTree[pool[i]] >= 0) labels[i] = (byTree[pool[i]], NodeWeight);
            foreach (var (row, label) in some) labels[place[row]] = (label, 1);
            return TaughtHead.Answer(values, vectors.Dimension, vectors.Metric, LabelSpreading.Run(graph, labels, classes, new((float)spec.Alpha), stop), labels, spec.Seed, spec.Device, stop);
        }
        // Held-out rows are asked at their place in the pool; all rows only once.
        Spread InPool(IReadOnlyDictionary<int, int> some) => Scatter(Over(some), pool, vectors.Rows, classes);
        var answer = Calibrated(InPool(items), byTree, items, classes, InPool);
        return pool.Length == vectors.Rows ? answer : answer with { Spread = Extended(vectors, pool, place, answer.Spread, spec, stop) };
    }

    private static int[] ByTree(LabelVectors vectors, LabelTree? tree, IReadOnlyDictionary<string, int> nodes)
    {
        var byTree = new int[vectors.Rows];
        Array.Fill(byTree, -1);
        if (tree is null || nodes.Count == 0) return byTree;
        for (var row = 0; row < vectors.Rows; row++)
            if (tree.Paths.TryGetValue(vectors.ItemIds[row], out var path) && path.LastOrDefault(nodes.ContainsKey) is { } nearest) byTree[row] = nodes[nearest];
        return byTree;
    }

    // The share of labelled items that agree with their ancestor's label, a prior of four in five included, is how far such a label is believed.
    private static Spread TreeAlone(LabelVectors vectors, IReadOnlyDictionary<int, int> items, int[] byTree, int classes)
    {
        var probability = new float[(long)vectors.Rows * classes];
        var checkedItems = items.Where(pair => byTree[pair.Key] >= 0).ToList();
        var belief = (checkedItems.Count(pair => byTree[pair.Key] == pair.Value) + 4f) / (checkedItems.Count + 5f);
        for (var row = 0; row < vectors.Rows; row++)
        {
            if (byTree[row] < 0) continue;
            var values = probability.AsSpan(row * classes, classes);
            if (classes > 1) values.Fill((1 - belief) / (classes - 1));
            values[byTree[row]] = classes > 1 ? belief : 1;
        }
        return new(probability, classes);
    }

    private static PropagationAnswer Calibrated(Spread spread, int[] byTree, IReadOnlyDictionary<int, int> items, int classes, Func<IReadOnlyDictionary<int, int>, Spread> over)
    {
        if (items.Count < Math.Max(CalibrateFrom, CalibratePerClass * classes) || classes < 2) return new(spread, byTree, null, null, null);
        // Every class keeps a label in every fold that it has two labels for: folds go round within classes.
        var ordered = items.OrderBy(pair => pair.Value).ThenBy(pair => pair.Key).ToList();
        var (logs, truth, fold) = (new List<float>(), new List<int>(), new List<int>());
        for (var f = 0; f < Folds; f++)
        {
            var kept = ordered.Where((_, i) => i % Folds != f).ToDictionary(pair => pair.Key, pair => pair.Value);
            var held = over(kept);
            foreach (var (row, label) in ordered.Where((_, i) => i % Folds == f))
            {
                if (held.Best(row).Class < 0) continue;
                foreach (var value in held[row]) logs.Add(MathF.Log(value + 1e-6f));
                truth.Add(label);
                fold.Add(f);
            }
        }
        if (truth.Count < CalibrateFrom / 2) return new(spread, byTree, null, null, null);
        var temperature = Calibration.Temperature([.. logs], classes, truth);
        var before = Answers([.. logs], truth, classes, _ => 1);
        // What is reported was scaled by a temperature of the other folds.
        var others = Enumerable.Range(0, Folds).Select(f => TemperatureOf(logs, truth, classes, i => fold[i] != f)).ToArray();
        var after = Answers([.. logs], truth, classes, i => others[fold[i]]);
        var scaled = spread.Probability.ToArray();
        for (var row = 0; row < scaled.Length; row += classes)
        {
            var values = scaled.AsSpan(row, classes);
            var none = values.IndexOfAnyExcept(0f) < 0;
            for (var c = 0; c < classes; c++) values[c] = none ? float.NegativeInfinity : MathF.Log(values[c] + 1e-6f);
        }
        Calibration.Scale(scaled, classes, temperature);
        return new(new(scaled, classes), byTree, before.Count(answer => answer.Right) / (double)before.Count, Calibration.Error(before), Calibration.Error(after));
    }

    private static double TemperatureOf(List<float> logs, List<int> truth, int classes, Func<int, bool> use)
    {
        var rows = Enumerable.Range(0, truth.Count).Where(use).ToList();
        return Calibration.Temperature([.. rows.SelectMany(row => logs.Skip(row * classes).Take(classes))], classes, [.. rows.Select(row => truth[row])]);
    }

    private static List<(float Confidence, bool Right)> Answers(float[] logs, List<int> truth, int classes, Func<int, double> temperature)
    {
        var answers = new List<(float, bool)>();
        for (var row = 0; row < truth.Count; row++)
        {
            var values = logs[(row * classes)..((row + 1) * classes)];
            Calibration.Scale(values, classes, temperature(row));
            var best = Array.IndexOf(values, values.Max());
            answers.Add((values[best], best == truth[row]));
        }
        return answers;
    }

    private static int[] PoolOf(int rows, IEnumerable<int> labelled, int seed) => rows <= GraphRows ? [.. Enumerable.Range(0, rows)]
        : [.. labelled.Concat(new CounterRandom(seed).Stream(11).Sample(SampleRows, rows)).Distinct().Order()];

    private static Spread Scatter(Spread spread, int[] pool, int rows, int classes)
    {
        if (pool.Length == rows) return spread;
        var all = new float[(long)rows * classes];
        for (var i = 0; i < pool.Length; i++) spread[i].CopyTo(all.AsSpan(pool[i] * classes, classes));
        return new(all, classes);
    }

    private static Spread Extended(LabelVectors vectors, int[] pool, Dictionary<int, int> place, Spread known, PropagateSpec spec, CancellationToken stop)
    {
        const int block = 50_000;
        using var scope = TorchSharp.torch.NewDisposeScope();
        var device = DeviceChoice.Select(spec.Device);
        var targets = HostCopies.ToTensor(vectors.Gather(pool), [pool.Length, vectors.Dimension], device);
        var all = known.Probability;
        var rest = Enumerable.Range(0, vectors.Rows).Where(row => !place.ContainsKey(row)).ToArray();
        foreach (var rows in rest.Chunk(block))
        {
            using var step = TorchSharp.torch.NewDisposeScope();
            var table = Tensors.Neighbours.Of(HostCopies.ToTensor(vectors.Gather(rows), [rows.Length, vectors.Dimension], device), targets, Math.Min(spec.Neighbours, pool.Length), vectors.Metric, null, stop);
            for (var i = 0; i < rows.Length; i++)
            {
                var target = all.AsSpan(rows[i] * known.Classes, known.Classes);
                for (var n = 0; n < table.K; n++)
                {
                    var from = known[pool[table.Index[i * table.K + n]]];
                    for (var c = 0; c < from.Length; c++) target[c] += from[c] / table.K;
                }
            }
        }
        return new(all, known.Classes);
    }
}
