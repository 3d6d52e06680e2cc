// Cron expressions are meant in the schedule's own time zone, through changes of the clock.
using FeatureForge.Data;

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
}
