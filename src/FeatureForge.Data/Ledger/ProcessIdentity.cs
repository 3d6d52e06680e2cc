// Who a process is, so that a lease of a dead one can be broken at once and a process id that was reused is not mistaken for it.
using System.Diagnostics;
using System.Globalization;

namespace FeatureForge.Data;

/// <summary>A process on a host. <paramref name="Start"/> tells apart processes that had the same id: boot, pid namespace and start tick.</summary>
public sealed record ProcessIdentity(string Host, int ProcessId, string Start)
{
    // Boot and pid namespace. Stands first: static members are made in order, and Current needs it.
    private static string Realm { get; } = OperatingSystem.IsLinux()
        ? $"{File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim()}/{File.ResolveLinkTarget("/proc/self/ns/pid", false)?.Name}"
        : "local";

    /// <summary>This process.</summary>
    public static ProcessIdentity Current { get; } = Find(Environment.ProcessId)
        ?? new(Environment.MachineName, Environment.ProcessId, "unknown");

    /// <summary>The live process with that id on this host, or null.</summary>
    public static ProcessIdentity? Find(int processId) =>
        StartOf(processId) is { } start ? new(Environment.MachineName, processId, $"{Realm}/{start}") : null;

    /// <summary>True only when it ran here, under this boot and in this pid namespace, and is no more. False when it cannot be known.</summary>
    public bool IsKnownDead =>
        Host == Environment.MachineName
        && Start.StartsWith(Realm + "/", StringComparison.Ordinal)
        && $"{Realm}/{StartOf(ProcessId)}" != Start;

    public override string ToString() => $"process {ProcessId} on {Host}";

    // Field 22 of /proc/PID/stat; the command name before it may hold spaces and brackets. A zombie counts as gone.
    private static string? StartOf(int processId)
    {
        if (!OperatingSystem.IsLinux()) return StartTimeOf(processId);
        try
        {
            var stat = File.ReadAllText($"/proc/{processId}/stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return fields[0] is "Z" or "X" ? null : fields[19];
        }
        catch (IOException) { return null; }
    }

    private static string? StartTimeOf(int processId)
    {
        try
        {
            using var process = Process.GetProcessById(processId);
            return process.StartTime.ToUniversalTime().Ticks.ToString(CultureInfo.InvariantCulture);
        }
        catch (Exception error) when (error is ArgumentException or InvalidOperationException) { return null; }
    }
}
