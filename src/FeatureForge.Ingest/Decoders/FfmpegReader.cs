// Everything no library here decodes, by an ffmpeg child process (Debian package ffmpeg) that may read this one file and
// nothing else, writes float samples to a pipe, and dies with us: when the pipe breaks, or by its own limits of CPU seconds and memory.
using System.Diagnostics;
using FeatureForge.Data;

namespace FeatureForge.Ingest;

internal static partial class FfmpegReader
{
    private const int LongestMessage = 2000;

    private const long MemoryBytes = 512 << 20;

    /// <summary>The program, or null when it is not installed.</summary>
    public static string? Program { get; } = Find("ffmpeg");

    // Of util-linux, which every Debian has.
    private static string? Limiter { get; } = OperatingSystem.IsLinux() ? Find("prlimit") : null;

    private static string? Find(string name) => (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
        .Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);

    /// <summary>Pours the first audio stream into the sink.</summary>
    /// <exception cref="MediaRejectedException">The file is bad, or ffmpeg is missing.</exception>
    public static void Decode(MediaContent content, MediaFormat format, SoundSink sink, IngestLimits limits, string scratchFolder, CancellationToken stop)
    {
        if (Program == null) throw new MediaRejectedException(RejectionCode.MissingDecoder, $"A {format.Name} file needs ffmpeg, which is not installed. Install the Debian package ffmpeg and ingest again.");
        if (content.FilePath is { } path)
        {
            Run(path, format, sink, limits, stop);
            return;
        }
        // Containers keep their index at either end: they need a file, not a pipe.
        Directory.CreateDirectory(scratchFolder);
        var scratch = Path.Combine(scratchFolder, $"{Guid.NewGuid():N}.media");
        try
        {
            File.WriteAllBytes(scratch, content.Bytes!);
            Run(scratch, format, sink, limits, stop);
        }
        finally
        {
            File.Delete(scratch);
        }
    }

    private static void Run(string path, MediaFormat format, SoundSink sink, IngestLimits limits, CancellationToken stop)
    {
        using var process = Start(path, limits);
        using var kill = stop.Register(() => Kill(process));
        var messages = new System.Text.StringBuilder();
        process.ErrorDataReceived += (_, line) => { lock (messages) { if (line.Data != null && messages.Length < LongestMessage) messages.AppendLine(line.Data); } };
        process.BeginErrorReadLine();
        try
        {
            process.StandardInput.Close();
            var isEmpty = !TryPour(process.StandardOutput.BaseStream, sink, stop);
            process.WaitForExit();
            stop.ThrowIfCancellationRequested();
            string said;
            lock (messages) said = Address().Replace(messages.ToString().Replace(path, "the file"), "").Trim();
            Judge(process.ExitCode, isEmpty || sink.Frames == 0, said, format);
        }
        finally
        {
            Kill(process);
            process.WaitForExit();
        }
    }

    // "[mp3 @ 0x55f9c6557ac0]": where it lay in memory says nothing, and is another place in every process.
    [System.Text.RegularExpressions.GeneratedRegex(" @ 0x[0-9a-f]+")]
    private static partial System.Text.RegularExpressions.Regex Address();

    private static Process Start(string path, IngestLimits limits)
    {
        var start = new ProcessStartInfo(Limiter ?? Program!) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        string[] arguments =
        [
            "-nostdin", "-v", "error", "-threads", "1", "-timelimit", $"{Math.Ceiling(limits.SecondsPerFile):0}",
            "-protocol_whitelist", "file,pipe", "-i", $"file:{path}",
            "-map", "0:a:0", "-t", FormattableString.Invariant($"{limits.AudioSeconds + 1:0}"), "-threads", "1", "-c:a", "pcm_f32le", "-f", "wav", "pipe:1",
        ];
        // prlimit becomes the program that it starts: same process, but it cannot take more memory than this.
        if (Limiter != null) foreach (var argument in (string[])[$"--data={MemoryBytes}", "--core=0", Program!]) start.ArgumentList.Add(argument);
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        return Process.Start(start) ?? throw new InvalidOperationException("ffmpeg did not start.");
    }

    private static bool TryPour(Stream output, SoundSink sink, CancellationToken stop)
    {
        try
        {
            return WavReader.Decode(output, sink, stop);
        }
        // No header came: ffmpeg's own message says why.
        catch (MediaRejectedException error) when (error.Code == RejectionCode.Truncated)
        {
            return false;
        }
    }

    private static void Judge(int exitCode, bool isEmpty, string said, MediaFormat format)
    {
        var firstLine = said.Split('\n')[0].Trim();
        if (said.Contains("matches no streams", StringComparison.Ordinal)) throw new MediaRejectedException(RejectionCode.UnsupportedFormat, $"The {format.Name} file holds no audio.");
        if (said.Contains("partial file", StringComparison.OrdinalIgnoreCase) || said.Contains("truncat", StringComparison.OrdinalIgnoreCase) || said.Contains("moov atom not found", StringComparison.Ordinal))
            throw new MediaRejectedException(RejectionCode.Truncated, $"The {format.Name} file is cut off: {firstLine}");
        if (exitCode != 0 || isEmpty) throw new MediaRejectedException(RejectionCode.Malformed, firstLine.Length > 0 ? $"The {format.Name} file cannot be decoded: {firstLine}" : $"The {format.Name} file cannot be decoded (ffmpeg ended with {exitCode}).");
    }

    private static void Kill(Process process)
    {
        try { process.Kill(entireProcessTree: true); }
        catch (InvalidOperationException) { } // It has ended already.
    }
}
