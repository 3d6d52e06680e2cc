// A file of numbers mapped into memory, of any length: read without copying, and shared by all processes that search.
using System.IO.MemoryMappedFiles;

namespace FeatureForge.Clustering;

internal sealed unsafe class IndexFile<T> : IDisposable where T : unmanaged
{
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _start;

    private IndexFile(MemoryMappedFile file, long count, MemoryMappedFileAccess access)
    {
        (_file, Count) = (file, count);
        _view = file.CreateViewAccessor(0, 0, access);
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
        _start += _view.PointerOffset;
    }

    internal long Count { get; }

    /// <exception cref="InvalidDataException">The file does not hold <paramref name="count"/> numbers.</exception>
    internal static IndexFile<T> Open(string path, long count)
    {
        var length = new FileInfo(path).Length;
        if (length != count * sizeof(T)) throw new InvalidDataException($"{path} has {length} bytes; expected {count * sizeof(T)}. Build the index again: featureforge index --set SET.");
        return new(MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read), count, MemoryMappedFileAccess.Read);
    }

    internal static IndexFile<T> Create(string path, long count) =>
        new(MemoryMappedFile.CreateFromFile(path, FileMode.Create, null, count * sizeof(T), MemoryMappedFileAccess.ReadWrite), count, MemoryMappedFileAccess.ReadWrite);

    internal Span<T> this[long first, int count] => new(_start + first * sizeof(T), count);

    public void Dispose()
    {
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
    }
}
