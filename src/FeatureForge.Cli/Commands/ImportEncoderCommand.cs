// `import-encoder`: weights that another program trained, as an encoder of the store.
using System.CommandLine;
using FeatureForge.Data;
using FeatureForge.Learning;

namespace FeatureForge.Cli;

internal static class ImportEncoderCommand
{
    internal static Command Create()
    {
        var source = new Argument<string>("SOURCE") { Description = "A .safetensors file, or a folder with one and its config.json (and vocab.txt); also what `export` wrote." };
        var name = new Option<string>("--name") { Description = "Name of the encoder to make.", Required = true };
        var architecture = new Option<string>("--architecture") { Description = "auto, vit, dinov2, wav2vec2, hubert or bert; anything but auto is checked against the file.", DefaultValueFactory = _ => "auto" };
        var config = new Option<string?>("--config") { Description = "The model's config.json. Default: the one beside the file." };
        var vocabulary = new Option<string?>("--vocabulary") { Description = "The model's vocab.txt (text). Default: the one beside the file." };
        var corpus = new Option<string?>("--corpus") { Description = "Fit the raw level and the levels' centring and scaling on this corpus. Default: levels leave as they are, raw is a random projection." };
        return new Command("import-encoder", "Bring an encoder trained elsewhere into the store (ViT, DINOv2, wav2vec2, HuBERT, BERT).").With(source, name, architecture, config, vocabulary, corpus)
            .Does((parsed, options, stop) => SharedOptions.ExecuteAsync(RunKind.Import, new ImportSpec
            {
                Source = parsed.GetRequiredValue(source),
                Encoder = parsed.GetRequiredValue(name),
                Architecture = parsed.GetValue(architecture)!,
                Config = parsed.GetValue(config),
                Vocabulary = parsed.GetValue(vocabulary),
                Corpus = parsed.GetValue(corpus),
            }, options.OpenOrCreateStore, options, stop));
    }
}
