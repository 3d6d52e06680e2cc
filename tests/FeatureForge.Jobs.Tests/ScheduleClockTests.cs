// Cron expressions are meant in the schedule's own time zone, through changes of the clock.
using FeatureForge.Data;
using FeatureForge.TestKit;

namespace FeatureForge.Jobs.Tests;

public sealed class ScheduleClockTests
{
    [Theory]
    [InlineData("2026-01-10T12:00:00Z", "2026-01-11T02:00:00Z")]
    [InlineData("2026-07-10T12:00:00Z", "2026-07-11T01:00:00Z")]
    public void Three_in_the_morning_in_Rome_moves_with_summer_time(string after, string expected)
    {
        var next = ScheduleClock.Next("0 3 * * *", "Europe/Rome", DateTimeOffset.Parse(after, System.Globalization.CultureInfo.InvariantCulture));

        Assert.Equal(DateTimeOffset.Parse(expected, System.Globalization.CultureInfo.InvariantCulture), next!.Value.ToUniversalTime());
    }

    [Fact]
    public void Every_problem_of_a_schedule_is_told_at_once()
    {
        var problems = ScheduleClock.Problems(new ScheduleRequest { Name = "", Cron = "every day", TimeZone = "Mars/Olympus", OnceAt = DateTimeOffset.UnixEpoch, Pipeline = new() { Stages = [] } });

        Assert.Equal(4, problems.Count);
    }

    [Fact]
    public void Times_at_which_a_schedule_did_not_run_are_told_and_one_run_makes_up_for_them()
    {
        using var place = new TemporaryStore();
        var time = new FixedTimeProvider(); // 1 January, midnight
        using var ledger = RunLedger.Open(place.Store, time);
        var desk = new RunDesk(place.Store, ledger, time);
        using var spec = System.Text.Json.JsonDocument.Parse("""{"units":1}""");
        var schedule = desk.Schedule(new() { Name = "nightly", Cron = "0 3 * * *", Pipeline = RunDesk.Single(RunKind.Selftest, spec.RootElement) });

        time.Advance(TimeSpan.FromHours(4)); // the first time is met, an hour late
        Assert.NotNull(ledger.Schedules.TryFire(schedule, ScheduleClock.Next("0 3 * * *", "UTC", time.GetUtcNow())));
        var none = desk.Missed(schedule.ScheduleId, null);
        desk.SetScheduleEnabled(schedule.ScheduleId, enabled: false);
        time.Advance(TimeSpan.FromHours(80)); // 4 January, noon
        var three = desk.Missed(schedule.ScheduleId, null);
        var later = desk.Missed(schedule.ScheduleId, new(2026, 1, 3, 12, 0, 0, TimeSpan.Zero));
        foreach (var run in ledger.List(new()).Runs) ledger.Succeed(ledger.TryAcquire(run.RunId, ProcessIdentity.Current, TimeSpan.FromMinutes(1))!, "{}");
        var ticket = desk.RunSchedule(schedule.ScheduleId);
        var made = desk.Missed(schedule.ScheduleId, null);

        Assert.Equal((0, 3, 1), (none.Count, three.Count, later.Count));
        Assert.Equal([4, 3, 2], three.Newest.Select(at => at.Day));
        Assert.Equal((schedule.CreatedAt, "selftest"), (three.Since, three.Stages.Single().Name));
        Assert.Equal((schedule.ScheduleId, RunOrigin.Created), (ticket.Pipeline.ScheduleId, ticket.Origin));
        Assert.Equal(2, made.Count); // the newest was met by that run
    }
}
