// Options that several stage verbs have, and the last line of all of them: execute, then say how it ended.
using System.CommandLine;
using FeatureForge.Data;
using FeatureForge.Jobs;

namespace FeatureForge.Cli;

internal static class SharedOptions
{
    internal static Option<string> Device() => new("--device") { Description = "auto, cpu or cuda.", DefaultValueFactory = _ => "auto" };

    internal static Option<string> Author(string description) => new("--author") { Description = description, DefaultValueFactory = _ => Environment.UserName is { Length: > 0 } user ? user : "person" };

    internal static Option<int?> Shards() => new("--shards") { Description = "Split the work into that many runs, which several servers share." };

    /// <summary>Null for nothing and for auto.</summary>
    internal static Modality? ModalityOf(string? word) => word is null or "auto" ? null : Verb.Words<Modality>("--modality", [word]) is [var modality]
        ? modality
        : throw new BadRequestException($"--modality '{word}': expected one modality.");

    internal static async Task<int> ExecuteAsync(PipelineSpec pipeline, Func<Store> open, GlobalOptions options, CancellationToken stop)
    {
        // For each of its runs that says nothing else.
        if (options.Budget is { } budget) pipeline = pipeline with { Stages = [.. pipeline.Stages.Select(stage => stage with { Budget = stage.Budget ?? budget })] };
        return await ExecuteAsync("pipelines", pipeline, desk => desk.Submit(pipeline), open, options, stop);
    }

    /// <summary>The same for a pipeline that is asked for in another way.</summary>
    /// <param name="askAt">Where a server is asked, and with what.</param>
    internal static async Task<int> ExecuteAsync(string askAt, object? body, Func<RunDesk, PipelineTicket> ask, Func<Store> open, GlobalOptions options, CancellationToken stop)
    {
        if (options.Server is { } address)
        {
            using var server = new RemoteServer(address, ProgressDisplay.OfConsole(options.Quiet));
            return RunSummary.PrintRemote(await server.ExecuteAsync(askAt, body, stop), options);
        }
        var store = open();
        return RunSummary.Print(await new RunFollower(store, options, ProgressDisplay.OfConsole(options.Quiet)).ExecuteAsync(ask, stop), store, options);
    }

    /// <param name="open">Gives the store; not asked when a server performs the run.</param>
    internal static async Task<int> ExecuteAsync<TSpec>(RunKind kind, TSpec spec, Func<Store> open, GlobalOptions options, CancellationToken stop) where TSpec : notnull
    {
        if (options.Server is { } address)
        {
            using var server = new RemoteServer(address, ProgressDisplay.OfConsole(options.Quiet));
            return RunSummary.PrintRemote(await server.ExecuteAsync(kind, spec, options.Budget, stop), options);
        }
        var store = open();
        var (run, origin) = await new RunFollower(store, options, ProgressDisplay.OfConsole(options.Quiet)).ExecuteAsync(kind, spec, stop);
        return RunSummary.Print(run, store, options, origin);
    }
}
