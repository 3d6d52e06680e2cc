// Values of one leaf column to Parquet as it stores them. Texts and bytes lie one after the other in one array, which stays where it is while they are written.
using System.Buffers;
using System.Runtime.InteropServices;
using ParquetSharp;
using Encoding = System.Text.Encoding;

namespace FeatureForge.Data;

internal static class PhysicalWriter
{
    private static readonly long _epochTicks = DateTime.UnixEpoch.Ticks;

    internal static PhysicalType TypeOf<T>() where T : unmanaged =>
        typeof(T) == typeof(int) ? PhysicalType.Int32 : typeof(T) == typeof(float) ? PhysicalType.Float : typeof(T) == typeof(double) ? PhysicalType.Double : typeof(T) == typeof(bool) ? PhysicalType.Boolean
        : typeof(T) == typeof(long) || typeof(T) == typeof(DateTime) ? PhysicalType.Int64 : throw new NotSupportedException(typeof(T).Name);

    /// <param name="values">Those that are there.</param>
    /// <param name="present">Per row whether it has one; null: all have.</param>
    internal static void Write<T>(RowGroupWriter group, ReadOnlySpan<T> values, bool[]? present, int rows) where T : unmanaged =>
        Write(group, values, present is null ? null : Levels(present), default, rows);

    internal static void Write<T>(RowGroupWriter group, ReadOnlySpan<T> values, ListLevels levels) where T : unmanaged =>
        Write(group, values, Shorts(levels.Definition), Shorts(levels.Repetition), levels.Definition.Length);

    /// <param name="present">Per value whether it is there; null: all are, and the column is required.</param>
    internal static void Write(RowGroupWriter group, string?[] values, bool[]? present)
    {
        using var bytes = new Pinned(values.Sum(value => value is null ? 0L : Encoding.UTF8.GetByteCount(value)));
        foreach (var value in values)
            if (value is not null) bytes.Add(value);
        WriteBytes(group, bytes, present is null ? null : Levels(present), null, values.Length);
    }

    internal static void Write(RowGroupWriter group, string[] values, ListLevels levels)
    {
        using var bytes = new Pinned(values.Sum(value => (long)Encoding.UTF8.GetByteCount(value)));
        foreach (var value in values) bytes.Add(value);
        WriteBytes(group, bytes, Shorts(levels.Definition), Shorts(levels.Repetition), levels.Definition.Length);
    }

    /// <summary>An optional column.</summary>
    internal static void Write(RowGroupWriter group, byte[]?[] values)
    {
        var handles = new List<GCHandle>();
        try
        {
            // Large as they are, they are not copied.
            var places = new List<ByteArray>();
            foreach (var value in values.OfType<byte[]>())
            {
                var handle = GCHandle.Alloc(value, GCHandleType.Pinned);
                handles.Add(handle);
                places.Add(new(handle.AddrOfPinnedObject(), value.Length));
            }
            using var column = (ColumnWriter<ByteArray>)group.NextColumn();
            column.WriteBatch(values.Length, Levels(Array.ConvertAll(values, value => value is not null)), default, CollectionsMarshal.AsSpan(places));
        }
        finally
        {
            foreach (var handle in handles) handle.Free();
        }
    }

    private static void Write<T>(RowGroupWriter group, ReadOnlySpan<T> values, short[]? definition, short[]? repetition, int count) where T : unmanaged
    {
        using var column = group.NextColumn();
        if (typeof(T) == typeof(DateTime))
        {
            var micros = new long[values.Length];
            for (var i = 0; i < micros.Length; i++) micros[i] = (MemoryMarshal.Cast<T, DateTime>(values)[i].Ticks - _epochTicks) / TimeSpan.TicksPerMicrosecond;
            ((ColumnWriter<long>)column).WriteBatch(count, definition, repetition, micros);
        }
        else ((ColumnWriter<T>)column).WriteBatch(count, definition, repetition, values);
    }

    private static void WriteBytes(RowGroupWriter group, Pinned bytes, short[]? definition, short[]? repetition, int count)
    {
        using var column = (ColumnWriter<ByteArray>)group.NextColumn();
        column.WriteBatch(count, definition, repetition, bytes.Places);
    }

    private static short[] Levels(bool[] present) => Array.ConvertAll(present, isThere => isThere ? (short)1 : (short)0);

    private static short[] Shorts(int[] levels) => Array.ConvertAll(levels, level => (short)level);

    private sealed class Pinned : IDisposable
    {
        private readonly byte[] _bytes;
        private readonly GCHandle _handle;
        private readonly List<ByteArray> _places = [];
        private int _used;

        internal Pinned(long bytes)
        {
            _bytes = ArrayPool<byte>.Shared.Rent(checked((int)bytes));
            _handle = GCHandle.Alloc(_bytes, GCHandleType.Pinned);
        }

        internal ReadOnlySpan<ByteArray> Places => CollectionsMarshal.AsSpan(_places);

        internal void Add(string value)
        {
            var length = Encoding.UTF8.GetBytes(value, _bytes.AsSpan(_used));
            _places.Add(new(_handle.AddrOfPinnedObject() + _used, length));
            _used += length;
        }

        public void Dispose()
        {
            _handle.Free();
            ArrayPool<byte>.Shared.Return(_bytes);
        }
    }
}
