// A file mapped read-only into memory, as Memory<byte> so that Arrow reads it without copying.
using System.Buffers;
using System.IO.MemoryMappedFiles;

namespace FeatureForge.Data;

/// <summary>A read-only mapping; a Memory is limited to 2 GiB, and so is the file.</summary>
internal sealed unsafe class MappedFile : MemoryManager<byte>
{
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _start;
    private readonly int _length;

    internal MappedFile(string path)
    {
        var length = new FileInfo(path).Length;
        if (length > int.MaxValue) throw new InvalidDataException($"{path} has {length} bytes; a mapped part holds at most {int.MaxValue}.");
        _length = (int)length;
        _file = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        _view = _file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
        _start += _view.PointerOffset;
    }

    /// <summary>Gives the pages back; what is read again comes from the system's cache, or the disk.</summary>
    internal void LetGo()
    {
        // Elsewhere the system takes them when it needs them.
        if (OperatingSystem.IsLinux()) _ = Advise(_start, (nuint)_length, NotNeeded);
    }

    private const int NotNeeded = 4;

    [System.Runtime.InteropServices.DllImport("libc", EntryPoint = "madvise")]
    private static extern int Advise(byte* start, nuint length, int advice);

    public override Span<byte> GetSpan() => new(_start, _length);

    public override MemoryHandle Pin(int elementIndex = 0) => new(_start + elementIndex);

    public override void Unpin() { }

    protected override void Dispose(bool disposing)
    {
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
    }
}
