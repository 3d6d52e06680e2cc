// Rows of float32 values, in memory or in a file that is mapped: of a set larger than memory only the pages that are looked at are there,
// and the system takes them back when it needs them.
using System.IO.MemoryMappedFiles;
using FeatureForge.Data;

namespace FeatureForge.Clustering;

/// <summary>[rows, dimension] float32, read-only once made. Any number of threads may read.</summary>
internal sealed unsafe class VectorRows
{
    private readonly float[] _values;
    private readonly MemoryMappedViewAccessor? _view;
    private readonly float* _mapped;
    // Row to place; null: as they lie.
    private readonly int[]? _order;

    private VectorRows(float[] values, MemoryMappedViewAccessor? view, float* mapped, int[]? order, int rows, int dimension)
    {
        (_values, _view, _order, Count, Dimension) = (values, view, order, rows, dimension);
        _mapped = mapped;
    }

    /// <summary>Rows that are in memory; the array is not copied.</summary>
    internal VectorRows(float[] values, int dimension) : this(values, null, null, null, values.Length / dimension, dimension) { }

    internal int Count { get; }
    internal int Dimension { get; }
    internal bool IsMapped => _mapped is not null;

    internal ReadOnlySpan<float> this[int row]
    {
        get
        {
            var place = (long)(_order?[row] ?? row) * Dimension;
            return _mapped is null ? _values.AsSpan((int)place, Dimension) : new(_mapped + place, Dimension);
        }
    }

    /// <summary>The same values, row by row as <paramref name="order"/> names them; nothing is copied.</summary>
    internal VectorRows InOrder(int[] order)
    {
        var isAsItIs = order.Length == Count;
        for (var row = 0; isAsItIs && row < order.Length; row++) isAsItIs = order[row] == row;
        return isAsItIs ? this : new(_values, _view, _mapped, _order is null ? order : Array.ConvertAll(order, row => _order[row]), order.Length, Dimension);
    }

    /// <summary>Some rows, one after the other, as [rows, dimension].</summary>
    internal float[] Gather(ReadOnlySpan<int> rows)
    {
        var values = new float[rows.Length * (long)Dimension];
        for (var i = 0; i < rows.Length; i++) this[rows[i]].CopyTo(values.AsSpan(i * Dimension, Dimension));
        return values;
    }

    /// <summary>Rows [first, first + count).</summary>
    internal ReadOnlySpan<float> Block(int first, int count)
    {
        if (_order is null) return _mapped is null ? _values.AsSpan(first * Dimension, count * Dimension) : new(_mapped + (long)first * Dimension, count * Dimension);
        var values = new float[count * Dimension];
        for (var i = 0; i < count; i++) this[first + i].CopyTo(values.AsSpan(i * Dimension, Dimension));
        return values;
    }

    /// <summary>All rows in memory: their array, where they lie in one in this order.</summary>
    internal float[] ToArray() => _mapped is null && _order is null && _values.Length == Count * Dimension ? _values : Gather([.. Enumerable.Range(0, Count)]);

    /// <summary>All rows in blocks for passes over them.</summary>
    internal IEnumerable<(float[] Values, int Count)> Blocks(int rows)
    {
        var values = new float[Math.Min(rows, Count) * Dimension];
        for (var first = 0; first < Count; first += rows)
        {
            var count = Math.Min(rows, Count - first);
            for (var i = 0; i < count; i++) this[first + i].CopyTo(values.AsSpan(i * Dimension, Dimension));
            yield return (values, count);
        }
    }

    /// <summary>Takes rows one by one and keeps them where there is room.</summary>
    internal sealed class Writer : IDisposable
    {
        private readonly int _dimension;
        private readonly float[] _values = [];
        private readonly FileStream? _file;

        /// <param name="rows">At most this many come.</param>
        /// <param name="scratch">A folder for the file; null: they must fit into memory.</param>
        internal Writer(long rows, int dimension, string? scratch)
        {
            _dimension = dimension;
            if (scratch is null || rows * dimension * sizeof(float) <= MostBytesInMemory)
            {
                _values = new float[rows * dimension];
                return;
            }
            Directory.CreateDirectory(scratch);
            DiskFullException.ThrowIfLess(scratch, rows * dimension * sizeof(float));
            _file = new(Path.Combine(scratch, $"vectors-{Guid.NewGuid():N}"), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete, 1 << 20);
            // Without a name it is gone when the process ends, however it ends.
            if (!OperatingSystem.IsWindows()) File.Delete(_file.Name);
        }

        internal int Count { get; private set; }

        internal void Add(ReadOnlySpan<float> row)
        {
            if (_file is null) row.CopyTo(_values.AsSpan(Count * _dimension));
            else _file.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes(row));
            Count++;
        }

        /// <summary>The rows; the writer takes no more.</summary>
        internal VectorRows ToRows()
        {
            if (_file is null || Count == 0) return new(_values, null, null, null, Count, _dimension);
            _file.Flush();
            var map = MemoryMappedFile.CreateFromFile(_file, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
            // The mapping goes when the rows go.
            var view = map.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
            byte* start = null;
            view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
            return new([], view, (float*)(start + view.PointerOffset), null, Count, _dimension);
        }

        public void Dispose() => _file?.Dispose();
    }

    /// <summary>Environment variable: more bytes of vectors than this are mapped instead of held; default: a quarter of the memory that the process may use.</summary>
    internal const string LimitVariable = "FEATUREFORGE_VECTORS_IN_MEMORY";

    private static long MostBytesInMemory => long.TryParse(Environment.GetEnvironmentVariable(LimitVariable), out var given) && given >= 0 ? given
        : Math.Min(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4, (long)Array.MaxLength * sizeof(float));
}
