// Which findings are being decoded right now, kept where the end of the process cannot take it: a mapped file in the staging
// folder. When a decoder takes the worker down, its supervisor asks here who was under way, and starts the worker again; suspects are
// then decoded one at a time, and who brings the worker down alone is quarantined. A decoder that does not return is found here, too.
using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using System.Text.Json;
using FeatureForge.Data;

namespace FeatureForge.Ingest;

/// <summary>What earlier ends of the worker say about a finding.</summary>
internal enum FlightVerdict
{
    Clear,
    /// <summary>It was under way when a worker ended; decode it alone.</summary>
    Suspect,
    /// <summary>It alone was under way when a worker crashed, or was killed again and again.</summary>
    Crashed,
    /// <summary>Its decoder did not return in time, nor when it was asked to stop.</summary>
    Hung,
}

/// <summary>The decoders' slots of one worker, and the suspects of the workers before it. Any number of threads may use it at once.</summary>
public sealed class DecodeFlights : IDisposable
{
    private const string SlotsFile = "flights.bin";
    private const string SuspectsFile = "suspects.json";
    // Whoever kills a worker by hand may hit the same file twice; the kernel that runs out of memory hits it every time.
    private const int KillsThatCount = 3;

    /// <summary>How long a decoder may go on after its time is up and it has been asked to stop.</summary>
    internal static readonly TimeSpan Grace = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private readonly string _folder;
    private readonly TimeProvider _time;
    private readonly Action _endProcess;
    private readonly Dictionary<UInt128, Suspect> _suspects;
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _slots;
    private readonly double[] _secondsLeft; // infinite = a free slot
    private long _lastLook;
    private readonly Lock _gate = new();
    private readonly ITimer _watch;

    /// <summary>Ends by a signal while it was under way: crashes, kills, and whether it was alone as a suspect at the last.</summary>
    private sealed record Suspect(int Crashes, int Kills, bool IsGuilty, bool IsHung);

    private DecodeFlights(string folder, int slots, TimeProvider time, Action endProcess)
    {
        (_folder, _time, _endProcess) = (folder, time, endProcess);
        _suspects = ReadSuspects(folder);
        Directory.CreateDirectory(folder);
        _file = MemoryMappedFile.CreateFromFile(Path.Combine(folder, SlotsFile), FileMode.Create, null, slots * 16L);
        _slots = _file.CreateViewAccessor();
        _secondsLeft = new double[slots];
        Array.Fill(_secondsLeft, double.PositiveInfinity);
        _lastLook = time.GetTimestamp();
        _watch = time.CreateTimer(_ => EndIfHung(), null, LookEvery, LookEvery);
    }

    /// <param name="slots">How many decoders there can be at once.</param>
    /// <param name="endProcess">Ends this process so that nothing can delay it.</param>
    internal static DecodeFlights Open(string stagingFolder, int slots, TimeProvider time, Action endProcess) => new(stagingFolder, slots, time, endProcess);

    internal FlightVerdict VerdictOf(UInt128 key) => !_suspects.TryGetValue(key, out var suspect) ? FlightVerdict.Clear
        : suspect.IsHung ? FlightVerdict.Hung
        : suspect.IsGuilty ? FlightVerdict.Crashed
        : FlightVerdict.Suspect;

    /// <summary>Says that a decoder takes the finding up; dispose when it is done.</summary>
    internal Flight Begin(UInt128 key, TimeSpan limit)
    {
        lock (_gate)
        {
            var slot = Array.IndexOf(_secondsLeft, double.PositiveInfinity);
            if (slot < 0) throw new InvalidOperationException($"More than {_secondsLeft.Length} decoders at once.");
            _secondsLeft[slot] = (limit + Grace).TotalSeconds;
            _slots.Write(slot * 16L, ref key);
            return new(this, slot);
        }
    }

    private void End(int slot)
    {
        lock (_gate)
        {
            _secondsLeft[slot] = double.PositiveInfinity;
            Clear(slot);
        }
    }

    private void Clear(int slot)
    {
        var none = UInt128.Zero;
        _slots.Write(slot * 16L, ref none);
    }

    internal void EndIfHung()
    {
        lock (_gate)
        {
            // A process that was frozen has not used that time.
            var passed = Math.Min(_time.GetElapsedTime(_lastLook).TotalSeconds, 2 * LookEvery.TotalSeconds);
            _lastLook = _time.GetTimestamp();
            var hung = new List<int>();
            for (var slot = 0; slot < _secondsLeft.Length; slot++)
                if ((_secondsLeft[slot] -= passed) < 0) hung.Add(slot);
            if (hung.Count == 0) return;
            foreach (var slot in hung)
            {
                _slots.Read(slot * 16L, out UInt128 key);
                _suspects[key] = (_suspects.GetValueOrDefault(key) ?? new(0, 0, false, false)) with { IsHung = true };
            }
            WriteSuspects(_folder, _suspects);
            // Who else is under way is not to blame.
            for (var slot = 0; slot < _secondsLeft.Length; slot++) Clear(slot);
            _endProcess();
        }
    }

    /// <summary>
    /// After a worker was ended by a signal: remembers who was under way. True when the next worker will get further, because a decoder is to blame and
    /// now known, or under suspicion.
    /// </summary>
    /// <param name="isCrash">A signal that code brings upon itself (SIGSEGV, SIGABRT, SIGBUS, SIGILL, SIGFPE), not one that is sent.</param>
    /// <param name="fromOutside">Somebody ended the process: what was under way is not to blame.</param>
    public static bool NoteEnd(string stagingFolder, bool isCrash, bool fromOutside = false)
    {
        var path = Path.Combine(stagingFolder, SlotsFile);
        if (!File.Exists(path)) return false;
        var suspects = ReadSuspects(stagingFolder);
        var hung = suspects.Values.Any(suspect => suspect.IsHung);
        var flying = MemoryMarshal.Cast<byte, UInt128>(File.ReadAllBytes(path)).ToArray().Where(key => key != 0).Distinct().ToList();
        File.Delete(path);
        // A decoder that hangs has its process end itself, which looks the same; then nothing is under way any more.
        if (fromOutside && flying.Count > 0) return false;
        foreach (var key in flying)
        {
            var before = suspects.GetValueOrDefault(key);
            var now = (before ?? new(0, 0, false, false)) with { Crashes = (before?.Crashes ?? 0) + (isCrash ? 1 : 0), Kills = (before?.Kills ?? 0) + (isCrash ? 0 : 1) };
            var alone = before is not null && flying.Count == 1;
            suspects[key] = now with { IsGuilty = now.IsGuilty || (alone && (isCrash || now.Kills >= KillsThatCount)) };
        }
        if (flying.Count > 0) WriteSuspects(stagingFolder, suspects);
        return isCrash ? flying.Count > 0 : hung && flying.Count == 0;
    }

    private static Dictionary<UInt128, Suspect> ReadSuspects(string folder)
    {
        var path = Path.Combine(folder, SuspectsFile);
        return File.Exists(path)
            ? JsonSerializer.Deserialize<Dictionary<string, Suspect>>(File.ReadAllText(path), SpecJson.Readable)!.ToDictionary(pair => UInt128.Parse(pair.Key, System.Globalization.NumberStyles.HexNumber, null), pair => pair.Value)
            : [];
    }

    private static void WriteSuspects(string folder, Dictionary<UInt128, Suspect> suspects) =>
        DurableFile.WriteAllText(Path.Combine(folder, SuspectsFile), JsonSerializer.Serialize(suspects.ToDictionary(pair => pair.Key.ToString("x32", null), pair => pair.Value), SpecJson.Readable));

    public void Dispose()
    {
        _watch.Dispose();
        _slots.Dispose();
        _file.Dispose();
        File.Delete(Path.Combine(_folder, SlotsFile));
    }

    internal sealed class Flight(DecodeFlights flights, int slot) : IDisposable
    {
        public void Dispose() => flights.End(slot);
    }
}
