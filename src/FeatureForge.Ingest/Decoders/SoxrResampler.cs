// libsoxr (Debian package libsoxr0), high quality, mono float in and out.
using System.Runtime.InteropServices;

namespace FeatureForge.Ingest;

internal sealed partial class SoxrResampler : IResampler
{
    private const string Library = "libsoxr.so.0";
    private readonly double _ratio;
    private nint _handle;
    private float[] _output = [];

    public SoxrResampler(int from, int to)
    {
        _handle = Create(from, to, 1, out var error, 0, 0, 0);
        if (_handle == 0) throw new InvalidOperationException($"libsoxr cannot resample from {from} to {to} Hz: {Marshal.PtrToStringUTF8(error)}");
        _ratio = (double)to / from;
    }

    /// <summary>Whether the library is installed.</summary>
    public static bool IsPresent { get; } = NativeLibrary.TryLoad(Library, out _);

    public ReadOnlySpan<float> Process(ReadOnlySpan<float> samples) => Run(samples, isLast: false);

    public ReadOnlySpan<float> Finish() => Run([], isLast: true);

    public void Dispose()
    {
        if (_handle != 0) Delete(_handle);
        _handle = 0;
    }

    private unsafe ReadOnlySpan<float> Run(ReadOnlySpan<float> samples, bool isLast)
    {
        var (used, made) = (0, 0);
        while (true)
        {
            var room = made + (int)((samples.Length - used) * _ratio) + 4096;
            if (_output.Length < room) Array.Resize(ref _output, room);
            nuint usedNow, madeNow;
            nint error;
            fixed (float* input = samples, output = _output)
            {
                error = Process(_handle, isLast ? null : input + used, (nuint)(samples.Length - used), &usedNow, output + made, (nuint)(_output.Length - made), &madeNow);
            }
            if (error != 0) throw new InvalidOperationException($"libsoxr failed: {Marshal.PtrToStringUTF8(error)}");
            used += (int)usedNow;
            made += (int)madeNow;
            var isDone = isLast ? madeNow == 0 : used == samples.Length && made < _output.Length;
            if (isDone) return _output.AsSpan(0, made);
        }
    }

    [LibraryImport(Library, EntryPoint = "soxr_create")]
    private static partial nint Create(double inputRate, double outputRate, uint channels, out nint error, nint ioSpec, nint qualitySpec, nint runtimeSpec);

    [LibraryImport(Library, EntryPoint = "soxr_process")]
    private static unsafe partial nint Process(nint handle, float* input, nuint inputLength, nuint* inputDone, float* output, nuint outputLength, nuint* outputDone);

    [LibraryImport(Library, EntryPoint = "soxr_delete")]
    private static partial void Delete(nint handle);
}
