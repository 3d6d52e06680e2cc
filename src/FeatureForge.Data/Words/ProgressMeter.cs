// Turns "n of m done" into rate and time left, at most a few reports a second.
namespace FeatureForge.Data;

/// <summary>Counts units of one phase and reports rate and ETA, at most every 200 ms and once at the end.</summary>
public sealed class ProgressMeter(RunContext context, string phase, string unit, long total, long alreadyDone = 0)
{
    private readonly long _start = context.Time.GetTimestamp();
    private readonly long _before = alreadyDone;
    private long _done = alreadyDone;
    private TimeSpan _nextReport = TimeSpan.Zero;

    public long Done => _done;

    public void Add(long count)
    {
        _done += count;
        var elapsed = context.Time.GetElapsedTime(_start);
        if (elapsed < _nextReport && _done != total) return;
        _nextReport = elapsed + TimeSpan.FromMilliseconds(200);
        var rate = elapsed.TotalSeconds > 0 ? (_done - _before) / elapsed.TotalSeconds : 0;
        double? eta = total > 0 && rate > 0 ? Math.Max(0, total - _done) / rate : null;
        context.Reporter.Progress(new(phase, _done, total, unit, rate, eta));
    }
}
