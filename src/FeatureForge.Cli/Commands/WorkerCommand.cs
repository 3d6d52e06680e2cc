// `worker RUN` (hidden): one attempt at one run, started by a supervisor.
using System.CommandLine;
using FeatureForge.Jobs;

namespace FeatureForge.Cli;

internal static class WorkerCommand
{
    internal static Command Create()
    {
        var run = new Argument<string>("RUN") { Description = "The run's id." };
        var token = new Option<long>("--token") { Description = "The attempt's fencing token.", Required = true };
        var command = new Command("worker", "Execute one attempt at a run, for a supervisor.") { Hidden = true }.With(run, token);
        // Not through Verb.Does: the worker answers signals and exceptions in its own way.
        command.SetAction((parsed, _) => WorkerProgram.RunAsync(GlobalOptions.From(parsed).StorePath, parsed.GetRequiredValue(run), parsed.GetRequiredValue(token), TimeProvider.System));
        return command;
    }
}
