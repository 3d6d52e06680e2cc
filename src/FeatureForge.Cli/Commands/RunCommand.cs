// `run PIPELINE.json`: several stages as one pipeline. The same file again goes on where it stopped.
using System.CommandLine;
using System.Text.Json;
using FeatureForge.Data;

namespace FeatureForge.Cli;

internal static class RunCommand
{
    internal static Command Create()
    {
        var file = new Argument<string>("PIPELINE.json") { Description = "A JSON file: { \"name\", \"stages\": [{ \"kind\", \"spec\", \"name\"?, \"needs\"? }] }." };
        return new Command("run", "Run several stages as one pipeline.").With(file)
            .Does(async (parsed, options, stop) =>
            {
                var pipeline = Read(parsed.GetRequiredValue(file));
                if (options.Server is { } address)
                {
                    using var server = new RemoteServer(address, ProgressDisplay.OfConsole(options.Quiet));
                    return RunSummary.PrintRemote(await server.ExecuteAsync(pipeline, stop), options);
                }
                var store = options.OpenOrCreateStore();
                var row = await new RunFollower(store, options, ProgressDisplay.OfConsole(options.Quiet)).ExecuteAsync(pipeline, stop);
                return RunSummary.Print(row, store, options);
            });
    }

    private static PipelineSpec Read(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<PipelineSpec>(File.ReadAllText(path), SpecJson.Strict) ?? throw new BadRequestException($"{path} holds no pipeline.");
        }
        catch (Exception error) when (error is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new BadRequestException($"Pipeline file {path} cannot be read: {error.Message}");
        }
    }
}
