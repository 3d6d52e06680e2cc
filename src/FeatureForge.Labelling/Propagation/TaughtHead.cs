// After labels have spread over the graph, a strongly penalised linear head learns what was spread, weighed by its confidence, and answers instead: neighbours carry
// a label along paths, the head evens out where such paths strayed. The idea of pseudo-labels (Lee 2013; Iscen, Tolias, Avrithis, Chum 2019, arXiv 1904.04717), on frozen vectors.
using FeatureForge.Tensors;
using TorchSharp;

namespace FeatureForge.Labelling;

internal static class TaughtHead
{
    private const double Decay = 0.3;
    // More rows teach a linear map of some hundred values nothing new.
    private const int MostRows = 5_000;

    /// <summary>Distributions of the rows that labels reach, as sure on average as before; rows that none reaches stay zero.</summary>
    /// <param name="values">[rows, dimension], row-major; row i of <paramref name="spread"/> is row i here.</param>
    /// <param name="labels">Rows whose class is known, with their weights.</param>
    internal static Spread Answer(float[] values, int dimension, VectorMetric metric, Spread spread, IReadOnlyDictionary<int, (int Class, float Weight)> labels, int seed, string device, CancellationToken stop)
    {
        var reached = Enumerable.Range(0, spread.Probability.Length / spread.Classes).Where(row => spread.Best(row).Class >= 0).ToArray();
        if (spread.Classes < 2 || reached.All(row => labels.TryGetValue(row, out var own) && own.Weight == 1)) return spread;
        var rows = reached.Length <= MostRows ? reached
            : [.. new CounterRandom(seed).Stream(13).Sample(MostRows, reached.Length).Select(place => reached[place]).Concat(labels.Where(pair => pair.Value.Weight == 1).Select(pair => pair.Key)).Distinct().Order()];
        var taught = rows.Select(row => labels.TryGetValue(row, out var own) && own.Weight == 1 ? own : (spread.Best(row).Class, Weight: spread.Best(row).Probability)).ToList();
        var vectors = new float[(long)rows.Length * dimension];
        for (var i = 0; i < rows.Length; i++) values.AsSpan(rows[i] * dimension, dimension).CopyTo(vectors.AsSpan(i * dimension));

        var on = DeviceChoice.Select(device);
        var shape = new HeadShape("linear", Decay: Decay);
        var head = shape.Fit(new(vectors, dimension, [.. taught.Select(one => one.Class)], [.. taught.Select(one => one.Weight)], spread.Classes), seed, on, stop);
        var answers = shape.Predict(head, values, values.Length / dimension, dimension, spread.Classes, metric, on, stop);
        foreach (var row in Enumerable.Range(0, answers.Length / spread.Classes).Except(reached)) answers.AsSpan(row * spread.Classes, spread.Classes).Fill(float.NegativeInfinity);
        return new(Matched(answers, spread.Classes, reached, reached.Average(row => spread.Best(row).Probability)), spread.Classes);
    }

    // The penalty makes the head timid: a temperature gives it back the confidence that the spreading had, so that a threshold keeps its meaning.
    private static float[] Matched(float[] logs, int classes, int[] reached, double confidence)
    {
        var some = reached.Length <= MostRows ? reached : [.. Enumerable.Range(0, MostRows).Select(i => reached[(long)i * reached.Length / MostRows])];
        var sample = some.SelectMany(row => logs[(row * classes)..((row + 1) * classes)]).ToArray();
        double MeanAt(double temperature)
        {
            var scaled = sample.ToArray();
            Calibration.Scale(scaled, classes, temperature);
            return scaled.Chunk(classes).Average(row => row.Max());
        }
        var (low, high) = (Math.Log(0.01), Math.Log(20));
        for (var i = 0; i < 25; i++)
        {
            var middle = (low + high) / 2;
            if (MeanAt(Math.Exp(middle)) > confidence) low = middle; // too sure: a higher temperature
            else high = middle;
        }
        Calibration.Scale(logs, classes, Math.Exp((low + high) / 2));
        return logs;
    }
}
