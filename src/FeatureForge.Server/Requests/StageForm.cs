// The stages one can schedule from a page, each with its fields. The closed list: a new stage is one entry here.
using System.Text.Json;
using System.Text.Json.Nodes;
using FeatureForge.Data;
using Microsoft.Extensions.Primitives;

namespace FeatureForge.Server;

/// <summary>The form of one stage.</summary>
public sealed record StageForm(RunKind Kind, string Title, string Explanation, IReadOnlyList<StageField> Fields)
{
    private static readonly IReadOnlyList<string> _devices = ["auto", "cpu", "cuda"];

    /// <summary>All stages, in the order of the flow, with the choices this store offers now.</summary>
    public static IReadOnlyList<StageForm> All(Store store)
    {
        string[] corpora = [.. store.Corpora().Select(corpus => corpus.Name)];
        string[] encoders = [.. store.Encoders().Select(encoder => encoder.Name)];
        string[] sets = [.. store.Sets().Select(set => set.Name)];
        string[] labelSets = [.. store.LabelSets()];
        string[] clusterings = [.. store.Clusterings().Select(clustering => clustering.Name)];
        var device = new StageField("device", "Device", FieldKind.Choice) { Options = _devices, Default = "auto", Advanced = true };
        var seed = new StageField("seed", "Seed", FieldKind.WholeNumber, "Same seed, same result.") { Default = "0", Advanced = true };
        return
        [
            new(RunKind.Ingest, "Ingest", "raw files to items",
            [
                new("sources", "Sources", FieldKind.Lines, "One per line: a folder, an archive or a table on the server.") { Required = true },
                new("corpus", "Corpus", FieldKind.Text, "A new one, or one that grows.") { Required = true, Options = corpora },
                new("modality", "Modality", FieldKind.Choice, "Empty: told from each file.") { Options = ["", "audio", "image", "text"] },
                new("text_columns", "Text columns", FieldKind.List, "Tables only; separated by commas.") { Advanced = true },
                new("id_column", "Id column", FieldKind.Text, "Tables only.") { Advanced = true },
                new("reference", "Keep only references", FieldKind.Switch, "Leave the bytes where they are.") { Advanced = true },
                new("max_quarantine", "Most in quarantine", FieldKind.Number, "A fraction; more fails the run.") { Default = "1", Advanced = true },
            ]),
            new(RunKind.Train, "Train", "items to an encoder",
            [
                new("corpus", "Corpus", FieldKind.Choice) { Required = true, Options = corpora },
                new("encoder", "Encoder", FieldKind.Text, "The name it gets.") { Required = true, Options = encoders },
                new("minutes", "Minutes", FieldKind.Number, "How long at most; or steps, or epochs."),
                new("steps", "Steps", FieldKind.WholeNumber) { Advanced = true },
                new("epochs", "Epochs", FieldKind.Number) { Advanced = true },
                new("recipe", "Recipe", FieldKind.Text, "Empty: the default of the modality.") { Advanced = true },
                new("modality", "Modality", FieldKind.Choice, "For a corpus with several.") { Options = ["", "audio", "image", "text"], Advanced = true },
                new("from", "Continue from", FieldKind.Text, "An encoder to start with.") { Options = encoders, Advanced = true },
                seed, device,
            ]),
            new(RunKind.Extract, "Extract", "items to vectors",
            [
                new("corpus", "Corpus", FieldKind.Choice) { Required = true, Options = corpora },
                new("encoder", "Encoder", FieldKind.Choice) { Required = true, Options = encoders },
                new("set", "Embedding set", FieldKind.Text, "A new one, or one to bring up to date.") { Required = true, Options = sets },
                new("levels", "Levels", FieldKind.Choices) { Options = Level.All, Default = string.Join(',', Level.All), Advanced = true },
                new("grains", "Grains", FieldKind.Choices) { Options = ["item", "segment"], Default = "item,segment", Advanced = true },
                new("dtype", "Number format", FieldKind.Choice) { Options = ["float32", "float16"], Default = "float32", Advanced = true },
                device,
            ]),
            new(RunKind.Cluster, "Cluster", "vectors to a tree",
            [
                new("set", "Embedding set", FieldKind.Choice) { Required = true, Options = sets },
                new("clustering", "Clustering", FieldKind.Text, "Empty: named after the set.") { Options = clusterings },
                new("method", "Method", FieldKind.Choice) { Options = ["tree", "kmeans", "hdbscan"], Default = "tree" },
                new("k", "Clusters", FieldKind.WholeNumber, "k-means only.") { Advanced = true },
                new("level", "Level", FieldKind.Choice) { Options = Level.All, Default = Level.High, Advanced = true },
                new("grain", "Grain", FieldKind.Choice) { Options = ["item", "segment", "patch"], Default = "item", Advanced = true },
                seed, device,
            ]),
            new(RunKind.Map, "Map", "vectors to a picture",
            [
                new("set", "Embedding set", FieldKind.Choice) { Required = true, Options = sets },
                new("clustering", "Clustering", FieldKind.Choice, "Empty: named after the set.") { Options = ["", .. clusterings] },
                seed, device,
            ]),
            new(RunKind.Propagate, "Propagate", "labels to the other items",
            [
                new("label_set", "Label set", FieldKind.Choice) { Required = true, Options = labelSets },
                new("set", "Embedding set", FieldKind.Choice) { Required = true, Options = sets },
                new("threshold", "Threshold", FieldKind.Number, "0 to 1: less sure items get no label.") { Default = "0.5" },
                new("clustering", "Clustering", FieldKind.Choice, "Whose labelled clusters count.") { Options = ["", .. clusterings], Advanced = true },
                new("level", "Level", FieldKind.Choice) { Options = Level.All, Default = Level.High, Advanced = true },
                new("method", "Method", FieldKind.Choice) { Options = ["both", "tree", "graph"], Default = "both", Advanced = true },
                seed, device,
            ]),
            new(RunKind.Fit, "Fit a head", "labels to a classifier",
            [
                new("label_set", "Label set", FieldKind.Choice) { Required = true, Options = labelSets },
                new("set", "Embedding set", FieldKind.Choice) { Required = true, Options = sets },
                new("head", "Head", FieldKind.Text, "Empty: named after the label set."),
                new("with_propagated", "Learn from propagated labels as well", FieldKind.Switch),
                new("kind", "Kind", FieldKind.Choice) { Options = ["auto", "knn", "linear", "mlp"], Default = "auto", Advanced = true },
                new("level", "Level", FieldKind.Choice) { Options = Level.All, Default = Level.High, Advanced = true },
                seed, device,
            ]),
            new(RunKind.Predict, "Predict", "a classifier's labels",
            [
                new("head", "Head", FieldKind.Text) { Required = true },
                new("set", "Embedding set", FieldKind.Choice) { Required = true, Options = sets },
                new("threshold", "Threshold", FieldKind.Number, "0 to 1: less sure items get no label.") { Default = "0" },
                new("label_set", "Label set", FieldKind.Choice, "Empty: the one that the head learned from.") { Options = ["", .. labelSets], Advanced = true },
                device,
            ]),
        ];
    }

    /// <summary>The spec from what was entered; unreadable values are added to the problems.</summary>
    public JsonElement ToSpec(Func<string, StringValues> entered, List<string> problems)
    {
        var spec = new JsonObject();
        foreach (var field in Fields)
            if (field.ToJson(entered(field.Name), problems) is { } value) spec[field.Name] = value;
        return JsonSerializer.SerializeToElement(spec);
    }
}
