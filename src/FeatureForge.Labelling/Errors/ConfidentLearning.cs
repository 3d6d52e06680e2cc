// Confident learning (Northcutt, Jiang, Chuang 2021): a class's threshold is the mean probability that items labelled with it get for it; an
// item is counted under the likeliest class whose threshold it reaches. Those counted under another class than their own are suspicious.
namespace FeatureForge.Labelling;

internal static class ConfidentLearning
{
    internal sealed record Finding(int Row, int Given, int Suggested, float Quality, float Probability);

    /// <summary>Rows off the diagonal of the confident joint, least probable label first.</summary>
    /// <param name="probability">[rows, classes], held out.</param>
    internal static IReadOnlyList<Finding> Find(float[] probability, IReadOnlyList<int> labels, int classes)
    {
        var (threshold, count) = (new double[classes], new int[classes]);
        for (var row = 0; row < labels.Count; row++)
        {
            threshold[labels[row]] += probability[row * classes + labels[row]];
            count[labels[row]]++;
        }
        for (var c = 0; c < classes; c++) threshold[c] = count[c] == 0 ? double.PositiveInfinity : threshold[c] / count[c];
        var findings = new List<Finding>();
        for (var row = 0; row < labels.Count; row++)
        {
            var (best, given) = (-1, labels[row]);
            for (var c = 0; c < classes; c++)
                if (probability[row * classes + c] >= threshold[c] && (best < 0 || probability[row * classes + c] > probability[row * classes + best])) best = c;
            if (best >= 0 && best != given) findings.Add(new(row, given, best, probability[row * classes + given], probability[row * classes + best]));
        }
        return [.. findings.OrderBy(finding => finding.Quality).ThenBy(finding => finding.Row)];
    }
}
