// What a worker process has used since it began: told every second, so that little is lost when it is killed.
using System.Globalization;
using FeatureForge.Data;

namespace FeatureForge.Jobs;

/// <param name="CpuSeconds">Of all threads, and of the programs it started that have ended.</param>
/// <param name="DeviceSeconds">Since an accelerator was first chosen.</param>
internal sealed record WorkerUsage(double CpuSeconds, double DeviceSeconds, string? Device)
{
    private const double TicksPerSecond = 100; // USER_HZ, on every architecture that .NET runs on

    internal static WorkerUsage Now(TimeProvider time) =>
        new(CpuTime(), AcceleratorInUse.Since is { } since ? time.GetElapsedTime(since).TotalSeconds : 0, AcceleratorInUse.Name);

    /// <summary>Tells it every second until disposed, and once more then.</summary>
    internal static IDisposable Report(LineReporter reporter, TimeProvider time) => new Reporting(reporter, time);

    // Fields 14 to 17 of /proc/self/stat, counted behind the name in brackets.
    private static double CpuTime()
    {
        if (!OperatingSystem.IsLinux()) return Environment.CpuUsage.TotalTime.TotalSeconds;
        var stat = File.ReadAllText("/proc/self/stat");
        return stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[11..15].Sum(ticks => double.Parse(ticks, CultureInfo.InvariantCulture)) / TicksPerSecond;
    }

    private sealed class Reporting : IDisposable
    {
        private readonly LineReporter _reporter;
        private readonly TimeProvider _time;
        private readonly ITimer _timer;

        internal Reporting(LineReporter reporter, TimeProvider time)
        {
            (_reporter, _time) = (reporter, time);
            _timer = time.CreateTimer(_ => Tell(), null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
        }

        public void Dispose()
        {
            _timer.Dispose();
            Tell();
        }

        private void Tell()
        {
            try { _reporter.Write(new() { Type = WorkerLineType.Usage, Usage = Now(_time) }); }
            catch (IOException) { } // The supervisor is gone, and this process will be.
        }
    }
}
