// `schedules`: pipelines that a server starts at a time, or again and again.
using System.CommandLine;
using System.Globalization;
using FeatureForge.Data;
using FeatureForge.Jobs;

namespace FeatureForge.Cli;

internal static class SchedulesCommand
{
    private static readonly Argument<string> _schedule = new("SCHEDULE") { Description = "The schedule's id." };

    internal static Command Create() => new Command("schedules", "Let a server start pipelines at a time, or again and again: list, add, pause, continue, missed, run, rm.")
        .With(List(), Add(), Enable("pause", "Keep a schedule from firing.", enabled: false), Enable("continue", "Let a paused schedule fire again, from its next time on.", enabled: true), Missed(), Run(), Remove());

    private static Command List() => new Command("list", "List the schedules.").Does(async (_, options, stop) =>
    {
        var schedules = await AskAsync(options, server => server.GetAsync<IReadOnlyList<ScheduleRow>>("schedules", stop), (_, ledger) => ledger.Schedules.List());
        if (options.Json) Verb.PrintJson(new { Schedules = schedules });
        else Console.Out.WriteLine(TextTable.Format(["SCHEDULE", "NAME", "WHEN", "ZONE", "FIRES NEXT", "FIRED LAST", "STAGES"], schedules.Select(one => (IReadOnlyList<string>)
            [one.ScheduleId, one.Name, one.Cron ?? "once", one.TimeZone, one.Enabled ? Minute(one.NextAt) : "paused", Minute(one.LastFiredAt), string.Join(", ", one.Pipeline.Stages.Select(stage => stage.NameOrKind))])));
        return ExitCode.Done;
    });

    private static Command Add()
    {
        var file = RunCommand.File();
        var name = new Option<string?>("--name") { Description = "Name of the schedule. Default: the pipeline's." };
        var cron = new Option<string?>("--cron") { Description = "Again and again: minute hour day month weekday, for instance \"0 3 * * *\" for every day at 3:00." };
        var at = new Option<DateTimeOffset?>("--at") { Description = "Once, at a time: 2031-02-03T04:05Z." };
        var zone = new Option<string>("--time-zone") { Description = "Time zone in which --cron is meant, for instance Europe/Rome.", DefaultValueFactory = _ => "UTC" };
        return new Command("add", "Keep a schedule for a pipeline.").With(file, name, cron, at, zone).Does(async (parsed, options, stop) =>
        {
            var pipeline = RunCommand.Read(parsed.GetRequiredValue(file));
            var request = new ScheduleRequest { Name = parsed.GetValue(name) ?? pipeline.Name, Pipeline = pipeline, Cron = parsed.GetValue(cron), OnceAt = parsed.GetValue(at), TimeZone = parsed.GetValue(zone)! };
            Print(await AskAsync(options, server => server.PostAsync<ScheduleRow>("schedules", request, stop), (desk, _) => desk.Schedule(request), options.OpenOrCreateStore), options);
            return ExitCode.Done;
        });
    }

    private static Command Enable(string verb, string description, bool enabled) => new Command(verb, description).With(_schedule).Does(async (parsed, options, stop) =>
    {
        var id = parsed.GetRequiredValue(_schedule);
        Print(await AskAsync(options, server => server.PostAsync<ScheduleRow>($"schedules/{id}/enabled", enabled, stop), (desk, ledger) =>
        {
            desk.SetScheduleEnabled(id, enabled);
            return ledger.Schedules.Get(id);
        }), options);
        return ExitCode.Done;
    });

    private static Command Missed()
    {
        var since = new Option<DateTimeOffset?>("--since") { Description = "From this time on. Default: 30 days ago." };
        return new Command("missed", "Show at which times a schedule did not run, and what a run now would do.").With(_schedule, since).Does(async (parsed, options, stop) =>
        {
            var (id, from) = (parsed.GetRequiredValue(_schedule), parsed.GetValue(since));
            var query = from is { } time ? $"?since={Uri.EscapeDataString(time.ToString("O", CultureInfo.InvariantCulture))}" : "";
            var missed = await AskAsync(options, server => server.GetAsync<MissedFirings>($"schedules/{id}/missed{query}", stop), (desk, _) => desk.Missed(id, from));
            if (options.Json) Verb.PrintJson(missed);
            else Console.Out.WriteLine(missed.Count == 0 ? $"It has run at every time since {Minute(missed.Since)}."
                : string.Create(CultureInfo.InvariantCulture, $"Since {Minute(missed.Since)} it did not run at {missed.Count:N0} of its times; the last ones: {string.Join(", ", missed.Newest.Take(5).Select(at => Minute(at)))}.\n`schedules run {id}` makes up for all of them, and does what is missing of: {string.Join(", ", missed.Stages.Select(stage => stage.Name))}."));
            return ExitCode.Done;
        });
    }

    private static Command Run() => new Command("run", "Let a schedule run now: here, or on a server.").With(_schedule).Does(async (parsed, options, stop) =>
    {
        var id = parsed.GetRequiredValue(_schedule);
        if (options.Budget is not null) throw new BadRequestException("The runs of a schedule have the budgets of its pipeline's stages; leave --budget away.");
        return await SharedOptions.ExecuteAsync($"schedules/{id}/run", null, desk => desk.RunSchedule(id), options.OpenStore, options, stop);
    });

    private static Command Remove() => new Command("rm", "Remove a schedule. Its past runs stay.").With(_schedule).Does(async (parsed, options, stop) =>
    {
        var id = parsed.GetRequiredValue(_schedule);
        await AskAsync(options, server => server.DeleteAsync($"schedules/{id}", stop), (_, ledger) =>
        {
            ledger.Schedules.Delete(ledger.Schedules.Get(id).ScheduleId);
            return true;
        });
        if (options.Json) Verb.PrintJson(new { ScheduleId = id, Removed = true });
        else Console.Out.WriteLine($"Schedule {id} is removed.");
        return ExitCode.Done;
    });

    private static async Task<T> AskAsync<T>(GlobalOptions options, Func<RemoteServer, Task<T>> there, Func<RunDesk, RunLedger, T> here, Func<Store>? open = null)
    {
        if (options.Server is { } address)
        {
            using var server = new RemoteServer(address, ProgressDisplay.OfConsole(options.Quiet));
            return await there(server);
        }
        var store = (open ?? options.OpenStore)();
        using var ledger = RunLedger.Open(store, TimeProvider.System);
        return here(new(store, ledger, TimeProvider.System), ledger);
    }

    private static void Print(ScheduleRow schedule, GlobalOptions options)
    {
        if (options.Json) Verb.PrintJson(schedule);
        else Console.Out.WriteLine($"Schedule {schedule.ScheduleId} ({schedule.Name}): {(schedule.Enabled ? $"fires next at {Minute(schedule.NextAt)}, while a server runs" : "paused")}.");
    }

    private static string Minute(DateTimeOffset? time) => time?.UtcDateTime.ToString("yyyy-MM-dd HH:mm'Z'", CultureInfo.InvariantCulture) ?? "-";
}
