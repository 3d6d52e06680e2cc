// Learning with local and global consistency (Zhou, Bousquet, Lal, Weston, Schoelkopf 2004): F = alpha S F + (1 - alpha) Y until it stands
// still, then class mass normalisation (Zhu, Ghahramani, Lafferty 2003) so that a class that happens to lie in a dense region does not win
// everywhere. Deviation: the mass that a class should have is a smoothed share of the given labels, halfway to uniform.
namespace FeatureForge.Labelling;

/// <summary>How labels spread.</summary>
/// <param name="Alpha">In [0,1): how much of a vector's answer comes from its neighbours.</param>
/// <param name="NormaliseMass">Scale classes to the mass they should have.</param>
/// <param name="Steps">At most this many rounds.</param>
internal sealed record SpreadingOptions(float Alpha = 0.9f, bool NormaliseMass = true, int Steps = 100);

/// <summary>Probabilities [rows, classes], zero where no label reaches.</summary>
internal sealed record Spread(float[] Probability, int Classes)
{
    internal ReadOnlySpan<float> this[int row] => Probability.AsSpan(row * Classes, Classes);

    /// <summary>The likeliest class of a row with its probability, and the distance to the next; -1 where no label reaches.</summary>
    internal (int Class, float Probability, float Margin) Best(int row)
    {
        var (best, first, second) = (-1, 0f, 0f);
        var values = this[row];
        for (var c = 0; c < values.Length; c++)
        {
            if (values[c] > first) (best, second, first) = (c, first, values[c]);
            else if (values[c] > second) second = values[c];
        }
        return (best, first, first - second);
    }
}

internal static class LabelSpreading
{
    /// <summary>Spreads the labels of some rows over all.</summary>
    /// <param name="labels">Row to class number, with a weight in (0,1].</param>
    internal static Spread Run(AffinityGraph graph, IReadOnlyDictionary<int, (int Class, float Weight)> labels, int classes, SpreadingOptions options, CancellationToken stop)
    {
        var start = new float[(long)graph.Rows * classes];
        foreach (var (row, (label, weight)) in labels) start[(long)row * classes + label] = weight;
        var (current, next) = ((float[])start.Clone(), new float[start.Length]);
        for (var step = 0; step < options.Steps; step++)
        {
            stop.ThrowIfCancellationRequested();
            graph.Step(current, start, next, classes, options.Alpha);
            var moved = step % 5 == 4 ? Moved(current, next) : double.PositiveInfinity;
            (current, next) = (next, current);
            if (moved < 1e-4) break;
        }
        if (options.NormaliseMass) NormaliseMass(current, labels, classes);
        Normalise(current, classes);
        return new(current, classes);
    }

    private static double Moved(float[] before, float[] after)
    {
        double moved = 0, total = 1e-30;
        for (var i = 0; i < before.Length; i++)
        {
            moved += Math.Abs(after[i] - before[i]);
            total += after[i];
        }
        return moved / total;
    }

    private static void NormaliseMass(float[] values, IReadOnlyDictionary<int, (int Class, float Weight)> labels, int classes)
    {
        var mass = new double[classes];
        for (var i = 0; i < values.Length; i++) mass[i % classes] += values[i];
        var given = new double[classes];
        foreach (var (label, _) in labels.Values) given[label]++;
        var scale = new double[classes];
        for (var c = 0; c < classes; c++)
            scale[c] = mass[c] <= 0 ? 0 : (0.5 * given[c] / Math.Max(1, labels.Count) + 0.5 / classes) / mass[c];
        for (var i = 0; i < values.Length; i++) values[i] = (float)(values[i] * scale[i % classes]);
    }

    private static void Normalise(float[] values, int classes)
    {
        for (var row = 0; row < values.Length; row += classes)
        {
            var span = values.AsSpan(row, classes);
            float sum = 0;
            foreach (var value in span) sum += value;
            if (sum <= 0) continue;
            for (var c = 0; c < classes; c++) span[c] /= sum;
        }
    }
}
