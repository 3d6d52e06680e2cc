// `run PIPELINE.json`: several stages as one pipeline. The same file again goes on where it stopped.
using System.CommandLine;
using System.Text.Json;
using FeatureForge.Data;

namespace FeatureForge.Cli;

internal static class RunCommand
{
    internal static Command Create()
    {
        var file = File();
        return new Command("run", "Run several stages as one pipeline.").With(file)
            .Does(async (parsed, options, stop) =>
            {
                var pipeline = Read(parsed.GetRequiredValue(file));
                return await SharedOptions.ExecuteAsync(pipeline, options.OpenOrCreateStore, options, stop);
            });
    }

    internal static Argument<string> File() => new("PIPELINE.json") { Description = "A JSON file: { \"name\", \"stages\": [{ \"kind\", \"spec\", \"name\"?, \"needs\"? }] }." };

    internal static PipelineSpec Read(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<PipelineSpec>(System.IO.File.ReadAllText(path), SpecJson.Strict) ?? throw new BadRequestException($"{path} holds no pipeline.");
        }
        catch (Exception error) when (error is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new BadRequestException($"Pipeline file {path} cannot be read: {error.Message}");
        }
    }
}
