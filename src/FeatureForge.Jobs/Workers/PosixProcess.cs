// The few calls about processes that .NET lacks: signals by number, an own session, and leaving without clean-up code.
using System.Runtime.InteropServices;

namespace FeatureForge.Jobs;

internal static partial class PosixProcess
{
    internal const int SigKill = 9;
    internal const int SigTerm = 15;

    /// <summary>Sends a signal; a negative id means a process group. False when there is nobody.</summary>
    internal static bool Signal(int processId, int signal) => !OperatingSystem.IsWindows() && Kill(processId, signal) == 0;

    /// <summary>
    /// Leaves the terminal's process group, so that Ctrl-C there reaches the supervisor alone, and makes this process the
    /// leader of a group that its own children (ffmpeg) belong to and can be ended with.
    /// </summary>
    internal static void StartOwnSession()
    {
        if (!OperatingSystem.IsWindows()) _ = SetSession();
    }

    /// <summary>Keeps standard output for the protocol and sends what anybody prints to standard error.</summary>
    /// <returns>The descriptor to write the protocol to.</returns>
    internal static int TakeStandardOutput()
    {
        var own = Duplicate(1);
        _ = DuplicateTo(2, 1);
        return own;
    }

    /// <summary>Ends this process and its group at once; native code that is running cannot delay it.</summary>
    internal static void EndNow()
    {
        Signal(-Environment.ProcessId, SigKill);
        Signal(Environment.ProcessId, SigKill);
    }

    /// <summary>SIGKILL for 9 and so on; null when the number is no signal of Linux.</summary>
    internal static string? NameOf(int signal) => signal switch
    {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        5 => "SIGTRAP",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        10 => "SIGUSR1",
        11 => "SIGSEGV",
        12 => "SIGUSR2",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        24 => "SIGXCPU",
        25 => "SIGXFSZ",
        31 => "SIGSYS",
        _ => null,
    };

    /// <summary>A signal that code brings upon itself, not one that is sent.</summary>
    /// <summary>How many processes this machine has killed for want of memory since it started; null where it does not say.</summary>
    internal static long? OutOfMemoryKills()
    {
        try
        {
            var line = File.ReadLines("/proc/vmstat").FirstOrDefault(line => line.StartsWith("oom_kill ", StringComparison.Ordinal));
            return line is null ? null : long.Parse(line["oom_kill ".Length..], System.Globalization.CultureInfo.InvariantCulture);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException) { return null; }
    }

    internal static bool IsCrash(string name) => name is "SIGILL" or "SIGTRAP" or "SIGABRT" or "SIGBUS" or "SIGFPE" or "SIGSEGV";

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int processId, int signal);

    [LibraryImport("libc", EntryPoint = "setsid")]
    private static partial int SetSession();

    [LibraryImport("libc", EntryPoint = "dup")]
    private static partial int Duplicate(int descriptor);

    [LibraryImport("libc", EntryPoint = "dup2")]
    private static partial int DuplicateTo(int from, int to);
}
