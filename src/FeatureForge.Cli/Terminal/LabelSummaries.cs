// What a person reads after labels were spread, a head was fitted or items were predicted.
using System.Globalization;
using FeatureForge.Labelling;

namespace FeatureForge.Cli;

internal static class LabelSummaries
{
    internal static string Of(PropagateResult result)
    {
        var judged = result.HeldOutAccuracy is { } accuracy
            ? string.Create(CultureInfo.InvariantCulture, $"On labels held out it is right in {100 * accuracy:0.0} %; calibration error {result.CalibrationErrorBefore:0.000} before scaling, {result.CalibrationErrorAfter:0.000} after.")
            : "Too few labelled items to hold any out (under 20, or under 5 a class): confidences are not calibrated yet.";
        var review = result.Review.Count == 0 ? "" : "\nLook at these first:\n" + TextTable.Format(["ITEM", "LABEL", "CONFIDENCE", "OR", "WHY"], result.Review.Take(10).Select(row => (IReadOnlyList<string>)
            [row.ItemId, row.Name, row.Confidence.ToString("0.00", CultureInfo.InvariantCulture), row.Second ?? "", row.Reason.Replace('_', ' ')]));
        return string.Create(CultureInfo.InvariantCulture, $"""
            Label set {result.LabelSet}: {result.LabelledItems:N0} labelled items and {result.LabelledClusters:N0} labelled clusters of {result.Classes.Count} classes gave {result.Propagated:N0} items a label ({result.Added:N0} new, {result.Replaced:N0} taken back); {result.Abstained:N0} were left without one. Coverage {100 * result.Coverage:0.0} %.
            {judged}{review}
            Take it back: featureforge label undo --label-set {result.LabelSet} --batch {result.Batch}
            """);
    }

    internal static string Of(HeadResult result) => string.Create(CultureInfo.InvariantCulture, $"""
        Head {result.Head}: {result.Kind} on {result.Set}/{result.Level}, {result.Labels:N0} labels of {result.Classes.Count} classes, temperature {result.Temperature:0.00}.
        {(result.Folds == 0 ? "Too few labels to hold any out: nothing was measured." : TextTable.Format(["KIND", "SETTINGS", "ACCURACY", "MACRO F1", "ECE BEFORE", "ECE AFTER"], result.Scores.Select(score => (IReadOnlyList<string>)
        [
            score.Kind, score.Settings, Number(score.Accuracy), Number(score.MacroF1), Number(score.CalibrationErrorBefore), Number(score.CalibrationErrorAfter),
        ])))}
        Next: featureforge classify predict --head {result.Head} --set {result.Set}
        """);

    internal static string Of(PredictResult result) => string.Create(CultureInfo.InvariantCulture, $"""
        Head {result.Head} labelled {result.Predicted:N0} items of {result.Set} in label set {result.LabelSet} (mean confidence {result.MeanConfidence:0.00}); {result.Abstained:N0} were not sure enough, {result.Given:N0} have a person's label.
        {string.Join(", ", result.ByName.OrderByDescending(pair => pair.Value).Take(20).Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Key} {pair.Value:N0}")))}
        """);

    private static string Number(double value) => value.ToString("0.000", CultureInfo.InvariantCulture);
}
