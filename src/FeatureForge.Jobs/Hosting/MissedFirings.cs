// What a schedule would have done and did not: the preview before somebody lets it make up for that.
using FeatureForge.Data;

namespace FeatureForge.Jobs;

/// <summary>Times at which a schedule should have run and did not, because it was paused or no server was there. A run now makes up for all of them: stages do what is missing, however often they were due.</summary>
/// <param name="Since">Looked at from here on, the schedule's beginning at the earliest.</param>
/// <param name="Count">How many times, at most <see cref="MostTimes"/>.</param>
/// <param name="Newest">The last of them, newest first.</param>
/// <param name="Stages">What a run now would do, in order: the stages' names and kinds.</param>
public sealed record MissedFirings(string ScheduleId, DateTimeOffset Since, int Count, IReadOnlyList<DateTimeOffset> Newest, IReadOnlyList<MissedStage> Stages)
{
    /// <summary>Times of a schedule that are looked at: ten weeks of every minute.</summary>
    public const int MostTimes = 100_000;
    private const int Shown = 20;
    private static readonly TimeSpan _usual = TimeSpan.FromDays(30);
    // Servers look every few seconds: a time that has just come is due, not missed.
    private static readonly TimeSpan _stillDue = TimeSpan.FromMinutes(1);

    /// <param name="since">Null: 30 days ago.</param>
    internal static MissedFirings Of(RunLedger ledger, ScheduleRow schedule, DateTimeOffset? since, DateTimeOffset now)
    {
        var from = since ?? now - _usual;
        if (from < schedule.CreatedAt) from = schedule.CreatedAt;
        var missed = Times(schedule, from, now - _stillDue, ledger.Pipelines.TimesOf(schedule.ScheduleId, from));
        return new(schedule.ScheduleId, from, missed.Count, [.. missed.TakeLast(Shown).Reverse()], [.. schedule.Pipeline.Stages.Select(stage => new MissedStage(stage.NameOrKind, stage.Kind))]);
    }

    // A time counts as met when the schedule ran at it or before the next one.
    private static List<DateTimeOffset> Times(ScheduleRow schedule, DateTimeOffset from, DateTimeOffset until, IReadOnlyList<DateTimeOffset> ran)
    {
        if (schedule.Cron is null) return schedule is { LastFiredAt: null, NextAt: { } once } && once <= until && ran.Count == 0 ? [once] : [];
        var missed = new List<DateTimeOffset>();
        var seen = 0;
        var at = ScheduleClock.Next(schedule.Cron, schedule.TimeZone, from);
        for (var looked = 0; at <= until && looked < MostTimes; looked++)
        {
            var next = ScheduleClock.Next(schedule.Cron, schedule.TimeZone, at.Value);
            while (seen < ran.Count && ran[seen] < at) seen++;
            if (seen == ran.Count || ran[seen] >= next) missed.Add(at.Value);
            at = next;
        }
        return missed;
    }
}

/// <summary>A stage that a schedule runs.</summary>
public sealed record MissedStage(string Name, RunKind Kind);
