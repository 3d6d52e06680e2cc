// Stratified folds over the given labels: which kind and settings to take, what accuracy and calibration to expect, and held-out
// probabilities for finding wrong labels. Propagated labels take no part: they descend from the very labels that are held out, so that
// learning from them would be learning the answers.
using FeatureForge.Tensors;
using static TorchSharp.torch;

namespace FeatureForge.Labelling;

/// <summary>Held-out log probabilities of the judged rows. <paramref name="Fold"/> is each one's fold.</summary>
internal sealed record HeldOut(HeadShape Shape, int[] Rows, int[] Fold, float[] LogProbability);

internal static class CrossValidation
{
    private const int MostFolds = 5;

    /// <summary>How many folds the labels allow: the second smallest thing is a class of two; 0 when no class has two.</summary>
    internal static int FoldsOf(IReadOnlyList<int> labels)
    {
        var counts = labels.CountBy(label => label).Select(pair => pair.Value).ToList();
        if (counts.Count < 2 || counts.Max() < 2) return 0;
        return Math.Clamp(counts.Where(count => count > 1).Min(), 2, MostFolds);
    }

    /// <summary>A fold per label, each class dealt round; a class of one label is -1: always learned from, never asked.</summary>
    internal static int[] Deal(IReadOnlyList<int> labels, int folds, int seed)
    {
        var fold = new int[labels.Count];
        foreach (var members in Enumerable.Range(0, labels.Count).GroupBy(row => labels[row]))
        {
            var random = new CounterRandom(seed).Stream(members.Key);
            var order = members.OrderBy(row => random.Bits(row)).ToList();
            for (var i = 0; i < order.Count; i++) fold[order[i]] = order.Count == 1 ? -1 : i % folds;
        }
        return fold;
    }

    internal static HeldOut Run(HeadShape shape, HeadRows rows, IReadOnlyList<int> judged, int[] fold, int folds, VectorMetric metric, int seed, Device device, CancellationToken stop)
    {
        var asked = new List<int>();
        var (askedFold, logs) = (new List<int>(), new List<float>());
        var foldOf = judged.Select((row, i) => (row, i)).ToDictionary(pair => pair.row, pair => fold[pair.i]);
        for (var f = 0; f < folds; f++)
        {
            var held = judged.Where(row => foldOf[row] == f).ToList();
            if (held.Count == 0) continue;
            var learn = rows.Only([.. judged.Where(row => foldOf[row] != f)]);
            var ask = rows.Only(held);
            logs.AddRange(shape.Predict(shape.Fit(learn, seed, device, stop), ask.Vectors, ask.Rows, ask.Dimension, rows.Classes, metric, device, stop));
            asked.AddRange(held);
            askedFold.AddRange(held.Select(_ => f));
        }
        return new(shape, [.. asked], [.. askedFold], [.. logs]);
    }

    internal static HeadScore Score(HeldOut held, HeadRows rows)
    {
        var truth = held.Rows.Select(row => rows.Labels[row]).ToArray();
        var temperatures = held.Fold.Distinct().ToDictionary(f => f, f =>
        {
            var others = Enumerable.Range(0, truth.Length).Where(i => held.Fold[i] != f).ToArray();
            return Calibration.Temperature(Gather(held.LogProbability, others, rows.Classes), rows.Classes, [.. others.Select(i => truth[i])]);
        });
        var before = Answers(held.LogProbability, truth, rows.Classes, _ => 1);
        var after = Answers(held.LogProbability, truth, rows.Classes, i => temperatures[held.Fold[i]]);
        return new(held.Shape.Kind, held.Shape.Settings, before.Count(answer => answer.Class == truth[answer.Row]) / (double)Math.Max(1, truth.Length),
            MacroF1([.. before.Select(answer => answer.Class)], truth, rows.Classes),
            Calibration.Error([.. before.Select(answer => (answer.Confidence, answer.Class == truth[answer.Row]))]), Calibration.Error([.. after.Select(answer => (answer.Confidence, answer.Class == truth[answer.Row]))]));
    }

    /// <summary>Mean F1 of the classes that occur in the truth.</summary>
    internal static double MacroF1(IReadOnlyList<int> predicted, IReadOnlyList<int> truth, int classes)
    {
        var scores = new List<double>();
        for (var c = 0; c < classes; c++)
        {
            var (right, said, are) = (0, 0, 0);
            for (var i = 0; i < truth.Count; i++)
            {
                if (predicted[i] == c) said++;
                if (truth[i] == c) are++;
                if (predicted[i] == c && truth[i] == c) right++;
            }
            if (are > 0) scores.Add(2.0 * right / (said + are));
        }
        return scores.Count == 0 ? 0 : scores.Average();
    }

    internal static float[] Gather(float[] values, IReadOnlyList<int> rows, int width)
    {
        var some = new float[rows.Count * width];
        for (var i = 0; i < rows.Count; i++) values.AsSpan(rows[i] * width, width).CopyTo(some.AsSpan(i * width));
        return some;
    }

    private static List<(int Row, int Class, float Confidence)> Answers(float[] logs, int[] truth, int classes, Func<int, double> temperature)
    {
        var answers = new List<(int, int, float)>();
        for (var i = 0; i < truth.Length; i++)
        {
            var values = logs[(i * classes)..((i + 1) * classes)];
            Calibration.Scale(values, classes, temperature(i));
            var best = Array.IndexOf(values, values.Max());
            answers.Add((i, best, values[best]));
        }
        return answers;
    }
}
