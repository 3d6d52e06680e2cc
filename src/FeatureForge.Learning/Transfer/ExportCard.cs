// The model card of an encoder that leaves its store or came from elsewhere: data, recipe, scores, cost, licence, limits.
using System.Globalization;
using System.Text;
using FeatureForge.Data;

namespace FeatureForge.Learning;

internal static class ExportCard
{
    private static readonly PriceTable _usual = new();

    /// <param name="items">Items of the corpus now; null when it is not in this store.</param>
    public static string Write(EncoderManifest manifest, Recipe recipe, long? items)
    {
        var culture = CultureInfo.InvariantCulture;
        var text = new StringBuilder();
        text.AppendLine(culture, $"# {manifest.Name}").AppendLine();
        text.AppendLine(culture, $"An encoder for {manifest.Modality.ToString().ToLowerInvariant()}: items to vectors at the levels {string.Join(", ", manifest.Levels.Select(level => level.Name))}.").AppendLine();
        text.AppendLine(culture, $"- encoder_id: `{manifest.EncoderId}`");
        text.AppendLine(culture, $"- parameters: {manifest.Parameters}").AppendLine();
        Origin(text, manifest);
        if (manifest.Steps > 0) Training(text, manifest, recipe, items);
        text.AppendLine("## Levels").AppendLine().AppendLine("| level | dimensions | compare by |").AppendLine("| --- | ---: | --- |");
        foreach (var level in manifest.Levels) text.AppendLine(culture, $"| {level.Name} | {level.Dimension} | {level.Metric} |");
        text.AppendLine();
        if (manifest.RecommendedLevel is { } recommended) text.AppendLine(culture, $"Recommended for clustering by the scores below: `{recommended}`.").AppendLine();
        Scores(text, manifest);
        text.AppendLine("## Limits").AppendLine().AppendLine("It knows only what its training data shows. `featureforge evaluate` measures it on labelled items of your own before you rely on it.");
        return text.ToString();
    }

    private static void Origin(StringBuilder text, EncoderManifest manifest)
    {
        if (manifest.Origin is not { } origin) return;
        var culture = CultureInfo.InvariantCulture;
        text.AppendLine("## Origin and licence").AppendLine();
        text.AppendLine(culture, $"The weights come from `{origin.File}` (SHA-256 {origin.Sha256}), family {origin.Family}.");
        text.AppendLine(origin.Licence is { } licence
            ? string.Create(culture, $"The card beside that file names the licence `{licence}`; it holds for these weights and for what is trained on from them.")
            : "No licence was named beside that file. Ask its source before you pass these weights, or anything trained on from them, to others.").AppendLine();
    }

    private static void Training(StringBuilder text, EncoderManifest manifest, Recipe recipe, long? items)
    {
        var culture = CultureInfo.InvariantCulture;
        text.AppendLine("## Data and recipe").AppendLine();
        text.AppendLine(culture, $"Trained without labels on corpus `{manifest.Corpus}`, version {manifest.CorpusVersion}{(items is null ? "" : $" ({items} items now)")}, by recipe `{manifest.Recipe}`:");
        text.AppendLine(culture, $"{manifest.Steps} steps of at most {recipe.BatchSize} items, objective {string.Join(" + ", recipe.Objectives.Select(objective => objective.Describe()))}.").AppendLine();
        text.AppendLine("## Cost").AppendLine();
        text.AppendLine(culture, $"Device: {manifest.Device}.");
        if (manifest.Seconds is not { } seconds || manifest.CpuSeconds is not { } cpuSeconds)
        {
            text.AppendLine("Seconds were not kept when it was trained, so its energy is unknown.").AppendLine();
            return;
        }
        var accelerator = manifest.Device == "cpu" ? 0 : seconds;
        text.AppendLine(culture, $"{seconds:0} seconds, {cpuSeconds:0} CPU-seconds. Energy, estimated: about {(cpuSeconds * _usual.WattsPerCore + accelerator * _usual.WattsPerDevice) / 3.6e6:0.0000} kWh");
        text.AppendLine(culture, $"= (CPU-seconds x {_usual.WattsPerCore:0} W{(accelerator > 0 ? $" + device seconds x {_usual.WattsPerDevice:0} W" : "")}) / 3,600,000; the watts are assumed, not measured; cooling, memory and idle cores are left out.").AppendLine();
    }

    private static void Scores(StringBuilder text, EncoderManifest manifest)
    {
        text.AppendLine("## Label-free scores").AppendLine();
        if (manifest.Probes.Count == 0)
        {
            text.AppendLine("None: they are measured while training here.").AppendLine();
            return;
        }
        text.AppendLine("At the end of training; `raw` is the closed-form baseline.").AppendLine().AppendLine("| measure | value |").AppendLine("| --- | ---: |");
        foreach (var (name, value) in manifest.Probes) text.AppendLine(CultureInfo.InvariantCulture, $"| {name} | {value:0.000} |");
        text.AppendLine();
    }
}
