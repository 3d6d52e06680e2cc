// An encoder of the store as a folder that stands alone: weights, encoder.json (all that import needs), config.json (the
// architecture, for people and other tools), README.md (the model card).
using System.Text.Json;
using FeatureForge.Data;

namespace FeatureForge.Learning;

/// <summary>What an export wrote.</summary>
public sealed record ExportResult(string Encoder, string EncoderId, string Folder, IReadOnlyList<string> Files);

/// <summary>Writes encoders out of a store.</summary>
public static class EncoderExport
{
    /// <summary>Writes the files; the weights are the store's, byte for byte.</summary>
    /// <exception cref="BadRequestException">There is no such encoder, or the folder is in use.</exception>
    public static ExportResult Write(Store store, string name, string folder)
    {
        var manifest = store.Encoder(name);
        folder = Path.GetFullPath(folder);
        if (File.Exists(folder) || (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any()))
            throw new BadRequestException($"{folder} is not empty; name a new folder, so that nothing is written over.");
        Directory.CreateDirectory(folder);
        var recipe = EncoderFile.RecipeOf(manifest);
        File.Copy(store.FileOf(store.EncoderFolder(name), manifest.Weights), Path.Combine(folder, "model.safetensors"));
        DurableFile.Flush(Path.Combine(folder, "model.safetensors"));
        DurableFile.WriteAllText(Path.Combine(folder, "config.json"), JsonSerializer.Serialize(new
        {
            format = EncoderFile.Format,
            manifest.EncoderId,
            manifest.Modality,
            manifest.Preparation,
            manifest.Levels,
            recipe.Encoder,
        }, SpecJson.Readable));
        DurableFile.WriteAllText(Path.Combine(folder, "README.md"), ExportCard.Write(manifest, recipe, store.FindCorpus(manifest.Corpus)?.Items.GetValueOrDefault(manifest.Modality)));
        // Last, as in a store: what has no manifest is not whole.
        DurableFile.WriteAllText(Path.Combine(folder, "encoder.json"), JsonSerializer.Serialize(manifest, SpecJson.Readable));
        return new(name, manifest.EncoderId, folder, ["model.safetensors", "config.json", "README.md", "encoder.json"]);
    }
}
