// Are confidences worth their word? Temperature scaling and the expected calibration error (Guo, Pleiss, Sun, Weinberger 2017).
namespace FeatureForge.Labelling;

internal static class Calibration
{
    private const int Bins = 15;

    /// <summary>The temperature that makes log probabilities [rows, classes] most likely for the given classes: golden section over its logarithm.</summary>
    internal static double Temperature(float[] logProbability, int classes, IReadOnlyList<int> labels)
    {
        if (labels.Count == 0) return 1;
        double Loss(double logTemperature)
        {
            var scale = Math.Exp(-logTemperature);
            double loss = 0;
            for (var row = 0; row < labels.Count; row++)
            {
                var values = logProbability.AsSpan(row * classes, classes);
                double largest = double.NegativeInfinity, sum = 0;
                foreach (var value in values) largest = Math.Max(largest, value * scale);
                foreach (var value in values) sum += Math.Exp(value * scale - largest);
                loss -= values[labels[row]] * scale - largest - Math.Log(sum);
            }
            // A weak pull towards 1: with few labels, all of them right, no temperature is too low.
            return loss + 0.5 * logTemperature * logTemperature;
        }
        var (low, high) = (Math.Log(0.05), Math.Log(20));
        var golden = (Math.Sqrt(5) - 1) / 2;
        for (var i = 0; i < 60; i++)
        {
            var (left, right) = (high - golden * (high - low), low + golden * (high - low));
            if (Loss(left) < Loss(right)) high = right;
            else low = left;
        }
        return Math.Exp((low + high) / 2);
    }

    /// <summary>Softmax of log probabilities over a temperature, in place; rows of nothing but minus infinity stay zero.</summary>
    internal static void Scale(float[] logProbability, int classes, double temperature)
    {
        for (var row = 0; row < logProbability.Length; row += classes)
        {
            var values = logProbability.AsSpan(row, classes);
            var largest = float.NegativeInfinity;
            foreach (var value in values) largest = Math.Max(largest, value);
            double sum = 0;
            if (!float.IsNegativeInfinity(largest))
                foreach (var value in values) sum += Math.Exp((value - largest) / temperature);
            for (var c = 0; c < classes; c++) values[c] = sum == 0 ? 0 : (float)(Math.Exp((values[c] - largest) / temperature) / sum);
        }
    }

    /// <summary>Mean distance between confidence and accuracy over 15 bins of equal width, weighed by their rows.</summary>
    internal static double Error(IReadOnlyList<(float Confidence, bool Right)> answers)
    {
        if (answers.Count == 0) return 0;
        return answers.GroupBy(answer => Math.Min(Bins - 1, (int)(answer.Confidence * Bins)))
            .Sum(bin => Math.Abs(bin.Sum(answer => answer.Confidence) - bin.Count(answer => answer.Right))) / answers.Count;
    }
}
