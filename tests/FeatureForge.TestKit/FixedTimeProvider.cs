// A clock that moves only when a test moves it.
namespace FeatureForge.TestKit;

/// <summary>Starts at 2026-01-01 00:00 UTC and stands still until <see cref="Advance"/>.</summary>
public sealed class FixedTimeProvider : TimeProvider
{
    private DateTimeOffset _now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public override DateTimeOffset GetUtcNow() => _now;

    public override long GetTimestamp() => _now.Ticks;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public void Advance(TimeSpan by) => _now += by;
}
