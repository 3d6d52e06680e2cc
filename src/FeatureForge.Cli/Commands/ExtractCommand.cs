// `extract`: vectors of every level and grain; only what is missing.
using System.CommandLine;
using FeatureForge.Data;
using FeatureForge.Learning;

namespace FeatureForge.Cli;

internal static class ExtractCommand
{
    internal static Command Create()
    {
        var corpus = new Option<string>("--corpus") { Description = "The corpus to embed.", Required = true };
        var encoder = new Option<string>("--encoder") { Description = "The encoder to use.", Required = true };
        var set = new Option<string?>("--set") { Description = "Name of the embedding set. Default: the encoder's name." };
        var grains = new Option<string[]>("--grains") { Description = "item, segment, patch. Default: item,segment." };
        var levels = new Option<string[]>("--levels") { Description = "raw, low, mid, high. Default: all." };
        var dtype = new Option<string>("--dtype") { Description = "float32 or float16.", DefaultValueFactory = _ => "float32" };
        var device = SharedOptions.Device();
        var shards = SharedOptions.Shards();
        return new Command("extract", "Turn a corpus into embeddings; makes only what is missing.").With(corpus, encoder, set, grains, levels, dtype, device, shards)
            .Does((parsed, options, stop) =>
            {
                var spec = new ExtractSpec
                {
                    Corpus = parsed.GetRequiredValue(corpus),
                    Encoder = parsed.GetRequiredValue(encoder),
                    Set = parsed.GetValue(set) ?? parsed.GetRequiredValue(encoder),
                    Dtype = parsed.GetValue(dtype)!,
                    Device = parsed.GetValue(device)!,
                };
                if (parsed.GetValue(grains) is { Length: > 0 } wantedGrains) spec = spec with { Grains = Verb.Words<Grain>("--grains", wantedGrains) };
                if (parsed.GetValue(levels) is { Length: > 0 } wantedLevels) spec = spec with { Levels = Verb.List(wantedLevels) };
                if (parsed.GetValue(shards) is { } count) return SharedOptions.ExecuteAsync(spec.InShards(count), options.OpenStore, options, stop);
                return SharedOptions.ExecuteAsync(RunKind.Extract, spec, options.OpenStore, options, stop);
            });
    }
}
