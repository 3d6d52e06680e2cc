// `selftest [SPEC]` (hidden): a run that misbehaves as asked, to see supervision work on a machine.
using System.CommandLine;
using System.Text.Json;
using FeatureForge.Data;
using FeatureForge.Jobs;

namespace FeatureForge.Cli;

internal static class SelftestCommand
{
    internal static Command Create()
    {
        var spec = new Argument<string>("SPEC") { Description = "A selftest spec as JSON.", DefaultValueFactory = _ => "{}" };
        return new Command("selftest", "A run that sleeps, fails or dies as asked.") { Hidden = true }.With(spec)
            .Does((parsed, options, stop) =>
            {
                try
                {
                    var request = JsonSerializer.Deserialize<SelftestSpec>(parsed.GetRequiredValue(spec), SpecJson.Strict)!;
                    return SharedOptions.ExecuteAsync(RunKind.Selftest, request, options.OpenOrCreateStore, options, stop);
                }
                catch (JsonException error) { throw new BadRequestException($"This is no selftest spec: {error.Message}"); }
            });
    }
}
