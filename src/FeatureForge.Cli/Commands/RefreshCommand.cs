// `refresh`: brings sets, clusterings and maps up to date with what they were made from.
using System.CommandLine;
using FeatureForge.Data;
using FeatureForge.Jobs;

namespace FeatureForge.Cli;

internal static class RefreshCommand
{
    internal static Command Create()
    {
        var dryRun = new Option<bool>("--dry-run") { Description = "Say what would run; run nothing." };
        return new Command("refresh", "Bring sets, clusterings and maps up to date: run what is missing, and nothing else.").With(dryRun).Does(async (parsed, options, stop) =>
        {
            var plan = await PlanAsync(options, stop);
            if (parsed.GetValue(dryRun) || plan.Stages.Count == 0)
            {
                if (options.Json) Verb.PrintJson(plan);
                else
                {
                    foreach (var stage in plan.Stages) Console.Out.WriteLine($"{stage.Name}{(stage.Needs is { Count: > 0 } needs ? $", after {string.Join(", ", needs)}" : "")}: {stage.Spec.GetRawText()}");
                    if (plan.Stages.Count == 0) Console.Out.WriteLine(plan.Left.Count == 0 ? "Everything is up to date." : "Nothing can be brought up to date by itself.");
                }
                Tell(plan, options);
                return ExitCode.Done;
            }
            Tell(plan, options);
            return await SharedOptions.ExecuteAsync(plan.ToPipeline()!, options.OpenStore, options, stop);
        });
    }

    private static async Task<RefreshPlan> PlanAsync(GlobalOptions options, CancellationToken stop)
    {
        if (options.Server is null) return RefreshPlan.Of(options.OpenStore());
        using var server = new RemoteServer(options.Server, ProgressDisplay.OfConsole(options.Quiet));
        return await server.GetAsync<RefreshPlan>("stale/plan", stop);
    }

    private static void Tell(RefreshPlan plan, GlobalOptions options)
    {
        if (!options.Quiet) foreach (var thing in plan.Left) Console.Error.WriteLine($"{thing.Kind} {thing.Name} stays as it is: {thing.Reason}");
    }
}
