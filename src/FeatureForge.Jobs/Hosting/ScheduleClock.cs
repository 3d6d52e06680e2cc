// When schedules fire: cron expressions read in their time zone. A time that passed while no host ran fires once.
using Cronos;
using FeatureForge.Data;
using Microsoft.Extensions.Logging;

namespace FeatureForge.Jobs;

/// <summary>Reads the times of schedules.</summary>
public static class ScheduleClock
{
    /// <summary>What is wrong with the times of a schedule; empty when it can be kept.</summary>
    public static IReadOnlyList<string> Problems(ScheduleRequest request)
    {
        var problems = new List<string>();
        if (string.IsNullOrWhiteSpace(request.Name)) problems.Add("The schedule needs a name.");
        if (request.Cron is null == request.OnceAt is null) problems.Add($"Schedule '{request.Name}' needs either a time or a cron expression, not both.");
        if (request.Cron is { } cron && !CronExpression.TryParse(cron, out _))
            problems.Add($"'{cron}' is no cron expression; expected five fields (minute hour day month weekday), for instance \"0 3 * * *\" for every day at 3:00.");
        if (!TimeZoneInfo.TryFindSystemTimeZoneById(request.TimeZone, out _))
            problems.Add($"Time zone '{request.TimeZone}' is unknown here; expected a name like Europe/Rome or UTC.");
        return problems;
    }

    /// <summary>The first time after <paramref name="after"/>, or null when there is none.</summary>
    public static DateTimeOffset? Next(string cron, string timeZone, DateTimeOffset after) =>
        CronExpression.Parse(cron).GetNextOccurrence(after, TimeZoneInfo.FindSystemTimeZoneById(timeZone));

    /// <summary>Starts the pipelines of all schedules whose time has come.</summary>
    internal static void FireDue(RunLedger ledger, TimeProvider time, ILogger log)
    {
        foreach (var schedule in ledger.Schedules.Due())
        {
            var next = schedule.Cron is { } cron ? Next(cron, schedule.TimeZone, time.GetUtcNow()) : null;
            if (ledger.Schedules.TryFire(schedule, next) is { } pipelineId)
                Log.ScheduleFired(log, schedule.ScheduleId, schedule.Name, pipelineId, next);
        }
    }
}
