// Progress on standard error: one live line on a terminal, a plain line every few seconds elsewhere.
using System.Globalization;
using FeatureForge.Data;

namespace FeatureForge.Cli;

internal sealed class ProgressDisplay(TextWriter output, bool live, bool quiet, TimeProvider time)
{
    private static readonly TimeSpan PlainInterval = TimeSpan.FromSeconds(5);

    private RunProgress? _last;
    private long _lastPlain;
    private bool _lineOpen;

    internal static ProgressDisplay OfConsole(bool quiet) => new(Console.Error, !Console.IsErrorRedirected, quiet, TimeProvider.System);

    /// <summary>Shows how far a run is; cheap to call often.</summary>
    internal void Show(RunProgress? progress)
    {
        if (quiet || progress is null || progress == _last) return;
        if (live)
        {
            output.Write($"\r\u001b[K{Text(progress)}");
            output.Flush();
            _lineOpen = true;
        }
        else if (_last?.Phase != progress.Phase || time.GetElapsedTime(_lastPlain) >= PlainInterval)
        {
            output.WriteLine(Text(progress));
            _lastPlain = time.GetTimestamp();
        }
        _last = progress;
    }

    /// <summary>A line of its own, above the live line. Shown even when quiet.</summary>
    internal void Say(string line)
    {
        Clear();
        output.WriteLine(line);
    }

    /// <summary>Takes the live line away.</summary>
    internal void Clear()
    {
        if (_lineOpen) output.Write("\r\u001b[K");
        _lineOpen = false;
        _last = null;
    }

    /// <summary>"train 1,200/5,000 steps, 310/s, 12 s left"</summary>
    internal static string Text(RunProgress progress)
    {
        var culture = CultureInfo.InvariantCulture;
        var text = progress.Total > 0
            ? string.Create(culture, $"{progress.Phase} {progress.Done:N0}/{progress.Total:N0} {progress.Unit}")
            : string.Create(culture, $"{progress.Phase} {progress.Done:N0} {progress.Unit}");
        if (progress.PerSecond > 0) text += string.Create(culture, $", {(progress.PerSecond >= 10 ? Math.Round(progress.PerSecond) : Math.Round(progress.PerSecond, 2)):#,0.##}/s");
        if (progress.EtaSeconds is { } seconds && progress.Done < progress.Total) text += $", {Duration(seconds)} left";
        return text;
    }

    /// <summary>"12 s", "3 min 05 s", "2 h 10 min".</summary>
    internal static string Duration(double seconds)
    {
        var span = TimeSpan.FromSeconds(Math.Min(seconds, 1e7));
        var culture = CultureInfo.InvariantCulture;
        return span.TotalSeconds < 10 ? string.Create(culture, $"{span.TotalSeconds:0.#} s")
            : span.TotalMinutes < 1 ? string.Create(culture, $"{span.TotalSeconds:0} s")
            : span.TotalHours < 1 ? string.Create(culture, $"{span.Minutes} min {span.Seconds:00} s")
            : string.Create(culture, $"{(int)span.TotalHours} h {span.Minutes:00} min");
    }
}
