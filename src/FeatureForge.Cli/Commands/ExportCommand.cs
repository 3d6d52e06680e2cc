// `export`: an encoder of the store as a folder that other tools and other stores read.
using System.CommandLine;
using FeatureForge.Learning;

namespace FeatureForge.Cli;

internal static class ExportCommand
{
    internal static Command Create()
    {
        var encoder = new Option<string>("--encoder") { Description = "The encoder.", Required = true };
        var to = new Option<string>("--to") { Description = "The folder to make; new or empty.", Required = true };
        return new Command("export", "Write an encoder as safetensors with its configuration and a model card.").With(encoder, to).Does((parsed, options, _) =>
        {
            var store = options.OpenStore();
            var written = EncoderExport.Write(store, parsed.GetRequiredValue(encoder), parsed.GetRequiredValue(to));
            if (options.Json) Verb.PrintJson(written);
            else Console.Out.WriteLine($"""
                Encoder {written.Encoder} (id {written.EncoderId}) in {written.Folder}: {string.Join(", ", written.Files)}.
                Bring it into a store with: featureforge import-encoder {written.Folder} --name NAME
                """);
            return Task.FromResult(ExitCode.Done);
        });
    }
}
