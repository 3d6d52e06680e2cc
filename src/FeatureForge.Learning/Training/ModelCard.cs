// encoders/NAME/README.md: what a person should know before using an encoder.
using System.Globalization;
using System.Text;
using FeatureForge.Data;

namespace FeatureForge.Learning;

internal static class ModelCard
{
    public static string Write(EncoderManifest manifest, Recipe recipe, int items, double finalLoss)
    {
        var culture = CultureInfo.InvariantCulture;
        var text = new StringBuilder();
        text.AppendLine(culture, $"# {manifest.Name}").AppendLine();
        text.AppendLine(culture, $"An encoder for {manifest.Modality.ToString().ToLowerInvariant()}, trained without labels on corpus `{manifest.Corpus}` (version {manifest.CorpusVersion}, {items} items)");
        text.AppendLine(culture, $"by recipe `{manifest.Recipe}`: {manifest.Steps} steps of {Math.Min(recipe.BatchSize, items)} items, objective {string.Join(" + ", recipe.Objectives.Select(objective => objective.Describe()))}, final loss {finalLoss:0.000}.").AppendLine();
        text.AppendLine(culture, $"- encoder_id: `{manifest.EncoderId}`");
        text.AppendLine(culture, $"- parameters: {manifest.Parameters}");
        text.AppendLine(culture, $"- device: {manifest.Device}").AppendLine();
        text.AppendLine("| level | dimensions | compare by |").AppendLine("| --- | ---: | --- |");
        foreach (var level in manifest.Levels) text.AppendLine(culture, $"| {level.Name} | {level.Dimension} | {level.Metric} |");
        text.AppendLine().AppendLine("Vectors are centred (and scaled, where the level asks for it) by the statistics of the training corpus.").AppendLine();
        text.AppendLine("Label-free quality at the end of training (`raw` is the closed-form baseline; retrieval = how often a view finds the other view of its item):").AppendLine();
        text.AppendLine("| measure | value |").AppendLine("| --- | ---: |");
        foreach (var (name, value) in manifest.Probes) text.AppendLine(culture, $"| {name} | {value:0.000} |");
        text.AppendLine().AppendLine("Limits: it knows only what its corpus shows. Do not expect it to work on items of another kind; `featureforge evaluate` measures it on labelled items.");
        return text.ToString();
    }
}
