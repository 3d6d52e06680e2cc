// libsndfile (Debian package libsndfile1): FLAC, Ogg (Vorbis, Opus), MP3, AIFF, AU, CAF and the rarer WAV codings, read
// through callbacks from memory or a file.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FeatureForge.Data;

namespace FeatureForge.Ingest;

internal static unsafe partial class SndFileReader
{
    private const string Library = "libsndfile.so.1";
    private const int ReadMode = 0x10;
    private const int BlockFrames = 4096;

    /// <summary>Whether the library is installed.</summary>
    public static bool IsPresent { get; } = NativeLibrary.TryLoad(Library, out _);

    /// <summary>For instance "libsndfile-1.2.0".</summary>
    public static string Version => Marshal.PtrToStringUTF8(VersionString()) ?? "libsndfile";

    /// <summary>Pours all samples into the sink.</summary>
    /// <returns>False when the library does not know the format or finds its header broken.</returns>
    /// <exception cref="MediaRejectedException">The file is bad.</exception>
    public static bool Decode(Stream stream, MediaFormat format, SoundSink sink, CancellationToken stop)
    {
        var user = GCHandle.Alloc(stream);
        try
        {
            var callbacks = new Callbacks { Length = &Length, Seek = &Seek, Read = &Read, Write = &Write, Tell = &Tell };
            var details = new Details();
            var handle = OpenVirtual(&callbacks, ReadMode, &details, GCHandle.ToIntPtr(user));
            if (handle == 0) return false;
            try { Pour(handle, details, format, sink, stop); }
            finally { _ = Close(handle); }
            return true;
        }
        finally
        {
            user.Free();
        }
    }

    private static void Pour(nint handle, Details details, MediaFormat format, SoundSink sink, CancellationToken stop)
    {
        sink.Start(details.SampleRate, details.Channels);
        var samples = new float[BlockFrames * details.Channels];
        while (true)
        {
            stop.ThrowIfCancellationRequested();
            long frames;
            fixed (float* start = samples) frames = ReadFrames(handle, start, BlockFrames);
            if (frames <= 0) break;
            sink.Add(samples.AsSpan(0, (int)frames * details.Channels));
        }
        var error = ErrorNumber(handle);
        if (error != 0) throw new MediaRejectedException(RejectionCode.Malformed, $"The {format.Name} stream is damaged after {sink.Frames} frames: {Marshal.PtrToStringUTF8(ErrorText(handle))}");
        // MP3 lengths are estimates, within a few frames of 1152 samples. Blocks of Vorbis and Opus overlap, and the first may give fewer samples than its place says
        // (128 to 960 in files by ffmpeg): up to an Opus packet of 120 ms. Whether pages are missing at the end, the pages say.
        var tolerance = format.Name switch { "MP3" => 4 * 1152 + details.Frames / 50, "Ogg" => 5760, _ => 0 };
        if (details.Frames is > 0 and < long.MaxValue && sink.Frames + tolerance < details.Frames)
            throw new MediaRejectedException(RejectionCode.Truncated, $"The {format.Name} header declares {details.Frames} frames; the file holds {sink.Frames}.");
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static long Length(nint user) => StreamOf(user).Length;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static long Seek(long offset, int whence, nint user)
    {
        var stream = StreamOf(user);
        var target = whence switch { 0 => offset, 1 => stream.Position + offset, _ => stream.Length + offset };
        // An exception must not cross into the library.
        if (target < 0) return -1;
        return stream.Position = Math.Min(target, stream.Length);
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static long Read(byte* target, long count, nint user)
    {
        try { return count <= 0 ? 0 : StreamOf(user).ReadAtLeast(new Span<byte>(target, (int)Math.Min(count, int.MaxValue)), (int)Math.Min(count, int.MaxValue), false); }
        catch (IOException) { return 0; }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static long Write(byte* source, long count, nint user) => 0;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static long Tell(nint user) => StreamOf(user).Position;

    private static Stream StreamOf(nint user) => (Stream)GCHandle.FromIntPtr(user).Target!;

    [StructLayout(LayoutKind.Sequential)]
    private struct Details
    {
        public long Frames;
        public int SampleRate;
        public int Channels;
        public int Format;
        public int Sections;
        public int Seekable;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Callbacks
    {
        public delegate* unmanaged[Cdecl]<nint, long> Length;
        public delegate* unmanaged[Cdecl]<long, int, nint, long> Seek;
        public delegate* unmanaged[Cdecl]<byte*, long, nint, long> Read;
        public delegate* unmanaged[Cdecl]<byte*, long, nint, long> Write;
        public delegate* unmanaged[Cdecl]<nint, long> Tell;
    }

    [LibraryImport(Library, EntryPoint = "sf_open_virtual")]
    private static partial nint OpenVirtual(Callbacks* callbacks, int mode, Details* details, nint user);

    [LibraryImport(Library, EntryPoint = "sf_readf_float")]
    private static partial long ReadFrames(nint handle, float* target, long frames);

    [LibraryImport(Library, EntryPoint = "sf_error")]
    private static partial int ErrorNumber(nint handle);

    [LibraryImport(Library, EntryPoint = "sf_strerror")]
    private static partial nint ErrorText(nint handle);

    [LibraryImport(Library, EntryPoint = "sf_version_string")]
    private static partial nint VersionString();

    [LibraryImport(Library, EntryPoint = "sf_close")]
    private static partial int Close(nint handle);
}
