// `infer` (hidden): embeds items for a server, over its standard streams.
using System.CommandLine;
using FeatureForge.Jobs;

namespace FeatureForge.Cli;

internal static class InferCommand
{
    internal static Command Create()
    {
        var batch = new Option<int>("--batch") { Description = "Items in one batch.", DefaultValueFactory = _ => 64 };
        var memory = new Option<long>("--memory") { Description = "Bytes of weights that are kept loaded.", DefaultValueFactory = _ => 2L << 30 };
        var device = SharedOptions.Device();
        var command = new Command("infer", "Embed items for a server.") { Hidden = true }.With(batch, memory, device);
        // Not through Verb.Does: standard output carries frames, and the process ends with its input, not by Ctrl-C.
        command.SetAction(async (parsed, _) =>
        {
            Console.CancelKeyPress += (_, pressed) => pressed.Cancel = true;
            var options = GlobalOptions.From(parsed);
            return await InferenceProgram.RunAsync(options.OpenStore(), Console.OpenStandardInput(), Console.OpenStandardOutput(), parsed.GetValue(batch), parsed.GetValue(memory), parsed.GetValue(device)!);
        });
        return command;
    }
}
