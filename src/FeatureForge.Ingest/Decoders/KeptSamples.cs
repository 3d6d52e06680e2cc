// The prepared samples of one recording on their way to a prepared part: in memory while they are few, else in a scratch file.
using System.Runtime.InteropServices;
using FeatureForge.Data;

namespace FeatureForge.Ingest;

/// <summary>Mono 16-bit samples; written once, then read. Disposal removes the scratch file.</summary>
internal sealed class KeptSamples(string scratchFolder) : IDisposable
{
    // Four minutes at 16 kHz.
    private const int MostInMemory = 4 << 20;

    private short[] _few = [];
    private string? _path;
    private FileStream? _file;

    public long Count { get; private set; }

    /// <summary>What of it is in memory, in bytes.</summary>
    public long MemoryBytes => 2L * _few.Length;

    public void Add(ReadOnlySpan<short> samples)
    {
        if (_file == null && Count + samples.Length > MostInMemory) Spill();
        if (_file != null) _file.Write(MemoryMarshal.AsBytes(samples));
        else
        {
            if (_few.Length < Count + samples.Length) Array.Resize(ref _few, (int)Math.Max(Count + samples.Length, Math.Min(2L * _few.Length, MostInMemory)));
            samples.CopyTo(_few.AsSpan((int)Count));
        }
        Count += samples.Length;
    }

    /// <summary>Nothing follows.</summary>
    public void Complete()
    {
        _file?.Dispose();
        _file = null;
        if (_path == null && _few.Length != Count) Array.Resize(ref _few, (int)Count);
    }

    public void AddTo(PreparedPartWriter writer, string itemId, int durationMs)
    {
        if (_path == null)
        {
            writer.AddAudio(itemId, durationMs, _few);
            return;
        }
        using var stream = new FileStream(_path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        writer.AddAudio(itemId, durationMs, stream);
    }

    /// <summary>All samples, as they lie in memory.</summary>
    public void CopyTo(Stream target)
    {
        if (_path == null)
        {
            target.Write(MemoryMarshal.AsBytes(_few.AsSpan(0, (int)Count)));
            return;
        }
        using var stream = new FileStream(_path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        stream.CopyTo(target);
    }

    /// <summary>The next so many samples of a stream that <see cref="CopyTo"/> has written; complete.</summary>
    public static KeptSamples From(Stream source, long count, string scratchFolder)
    {
        var samples = new KeptSamples(scratchFolder);
        var some = new short[(int)Math.Min(count, 1 << 16)];
        for (long left = count; left > 0;)
        {
            var next = some.AsSpan(0, (int)Math.Min(left, some.Length));
            source.ReadExactly(MemoryMarshal.AsBytes(next));
            samples.Add(next);
            left -= next.Length;
        }
        samples.Complete();
        return samples;
    }

    /// <summary>The first samples, copied.</summary>
    public short[] First(long most)
    {
        if (_path == null) return _few[..(int)Math.Min(Count, most)];
        var samples = new short[Math.Min(Count, most)];
        using var stream = File.OpenRead(_path);
        stream.ReadExactly(MemoryMarshal.AsBytes(samples.AsSpan()));
        return samples;
    }

    public void Dispose()
    {
        _file?.Dispose();
        _file = null;
        if (_path != null) File.Delete(_path);
    }

    private void Spill()
    {
        Directory.CreateDirectory(scratchFolder);
        _path = Path.Combine(scratchFolder, $"{Guid.NewGuid():N}.samples");
        _file = new FileStream(_path, FileMode.CreateNew, FileAccess.Write, FileShare.Read, 1 << 18);
        _file.Write(MemoryMarshal.AsBytes(_few.AsSpan(0, (int)Count)));
        _few = [];
    }
}
