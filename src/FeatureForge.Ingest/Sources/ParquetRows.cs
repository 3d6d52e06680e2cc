// Rows of a Parquet file, whoever wrote it: every leaf column is read a few values at a time, so that row groups may be
// larger than memory. Structs come as `outer.inner`, lists as lists; what no use is known for is left out.
using System.Globalization;
using FeatureForge.Data;
using ParquetSharp;

namespace FeatureForge.Ingest;

internal sealed class ParquetRows : IDisposable
{
    private const int ValuesAtOnce = 1024;
    // A value may be a picture of megabytes.
    private const int BytesValuesAtOnce = 8;
    private const string StructBytes = ".bytes";

    private readonly ReaderProperties _properties;
    private readonly ParquetFileReader _file;
    private readonly List<(int Index, string Name, ColumnDescriptor Descriptor)> _leaves = [];

    /// <param name="path">The file; not a stream, whose callbacks the native library may still make when the runtime has collected them.</param>
    public ParquetRows(string path)
    {
        _properties = ReaderProperties.GetDefaultReaderProperties();
        _properties.EnableBufferedStream();
        _file = new(path, _properties);
        var schema = _file.FileMetaData.Schema;
        for (var i = 0; i < schema.NumColumns; i++) _leaves.Add((i, NameOf(schema.Column(i)), schema.Column(i)));
    }

    /// <summary>The columns by name; `image` for `image.bytes` with `image.path`.</summary>
    public IReadOnlyList<TableColumn> Columns =>
    [
        .. _leaves.Where(leaf => leaf.Name.EndsWith(StructBytes, StringComparison.Ordinal) && IsBytes(leaf.Descriptor)).Select(leaf => new TableColumn(leaf.Name[..^StructBytes.Length], true)),
        .. _leaves.Select(leaf => new TableColumn(leaf.Name, IsBytes(leaf.Descriptor))),
    ];

    /// <summary>Rows in file order; bytes only of the chosen columns.</summary>
    public IEnumerable<TableRow> Read(ColumnChoice chosen)
    {
        var wanted = _leaves.Where(leaf => !IsBytes(leaf.Descriptor) || chosen.Names.Any(name => leaf.Name == name || leaf.Name == name + StructBytes) || leaf.Name == chosen.Id).ToList();
        for (var group = 0; group < _file.FileMetaData.NumRowGroups; group++)
        {
            using var reader = _file.RowGroup(group);
            var readers = new List<ColumnReader>(wanted.Count);
            try
            {
                // One by one: when a broken column cannot be opened, those before it are closed, not left to the garbage collector.
                foreach (var leaf in wanted) readers.Add(reader.Column(leaf.Index));
                var cursors = readers.ConvertAll(column => column.Apply(new CursorMaker()));
                for (var row = 0L; row < reader.MetaData.NumRows; row++)
                {
                    var fields = new Dictionary<string, object?>(wanted.Count);
                    for (var i = 0; i < wanted.Count; i++) fields[wanted[i].Name] = cursors[i].Next();
                    yield return new(fields, null);
                }
            }
            finally
            {
                foreach (var column in readers) column.Dispose();
            }
        }
    }

    public void Dispose()
    {
        _file.Dispose();
        _properties.Dispose();
    }

    // "tags.list.element" and "tags.bag.array_element" are the column tags.
    private static string NameOf(ColumnDescriptor leaf)
    {
        var parts = leaf.Path.ToDotVector().ToList();
        if (leaf.MaxRepetitionLevel > 0 && parts.Count >= 3 && parts[^2] is "list" or "bag" or "array") parts.RemoveRange(parts.Count - 2, 2);
        return string.Join('.', parts);
    }

    private static bool IsBytes(ColumnDescriptor leaf)
    {
        using var type = leaf.LogicalType;
        return leaf.PhysicalType == PhysicalType.ByteArray && leaf.MaxRepetitionLevel == 0 && type is NoneLogicalType or NullLogicalType;
    }

    private sealed class CursorMaker : IColumnReaderVisitor<Cursor>
    {
        public Cursor OnColumnReader<TValue>(ColumnReader<TValue> reader) where TValue : unmanaged => new Cursor<TValue>(reader);
    }

    private abstract class Cursor
    {
        /// <summary>The value of the next row.</summary>
        public abstract object? Next();
    }

    private sealed class Cursor<T>(ColumnReader<T> reader) : Cursor where T : unmanaged
    {
        private static readonly int AtOnce = typeof(T) == typeof(ByteArray) ? BytesValuesAtOnce : ValuesAtOnce;

        private readonly short _maxDefinition = reader.ColumnDescriptor.MaxDefinitionLevel;
        private readonly short _maxRepetition = reader.ColumnDescriptor.MaxRepetitionLevel;
        private readonly Func<T, object?> _convert = ParquetValues.ConverterOf<T>(reader.ColumnDescriptor);
        private readonly short[] _definitions = new short[AtOnce];
        private readonly short[] _repetitions = new short[AtOnce];
        private readonly T[] _values = new T[AtOnce];
        private readonly object?[] _converted = new object?[AtOnce];
        private int _count;
        private int _at;

        public override object? Next()
        {
            if (_at == _count && !Fill()) throw new InvalidDataException("A column has fewer values than the table has rows.");
            if (_maxRepetition == 0) return _converted[_at++];
            var list = new List<object?>();
            do
            {
                if (_definitions[_at] == _maxDefinition) list.Add(_converted[_at]);
                _at++;
            }
            while ((_at < _count || Fill()) && _repetitions[_at] > 0);
            return list;
        }

        private bool Fill()
        {
            Array.Clear(_converted);
            if (!reader.HasNext) return false;
            var levels = (int)reader.ReadBatch(AtOnce, _definitions, _repetitions, _values, out var valueCount);
            if (levels == 0) return false;
            (_count, _at) = (levels, 0);
            for (int level = 0, value = 0; level < levels; level++)
            {
                if ((_maxDefinition == 0 || _definitions[level] == _maxDefinition) && value < valueCount) _converted[level] = _convert(_values[value++]);
            }
            return true;
        }
    }
}

/// <summary>From Parquet's physical values to what a row holds: text, bytes, numbers, flags, times as ISO 8601.</summary>
internal static class ParquetValues
{
    public static Func<T, object?> ConverterOf<T>(ColumnDescriptor column) where T : unmanaged
    {
        using var type = column.LogicalType;
        var isText = type is StringLogicalType or EnumLogicalType or JsonLogicalType;
        var unit = type is TimestampLogicalType timestamp ? timestamp.TimeUnit : (TimeUnit?)null;
        var isDate = type is DateLogicalType;
        var scale = type is DecimalLogicalType ? column.TypeScale : (int?)null;
        return value => value switch
        {
            ByteArray bytes when isText => System.Text.Encoding.UTF8.GetString(Bytes(bytes)),
            ByteArray when scale != null => null,
            ByteArray bytes => Bytes(bytes).ToArray(),
            long ticks when unit is { } of => Time(ticks, of),
            long number when scale is { } digits and <= 28 => number / (decimal)Math.Pow(10, digits),
            int number when scale is { } digits and <= 28 => number / (decimal)Math.Pow(10, digits),
            int days when isDate => DateTime.UnixEpoch.AddDays(days).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            float number => float.IsFinite(number) ? number : null,
            double number => double.IsFinite(number) ? number : null,
            bool or int or long => value,
            _ => null,
        };
    }

    private static unsafe ReadOnlySpan<byte> Bytes(ByteArray bytes) => new((void*)bytes.Pointer, bytes.Length);

    private static string? Time(long value, TimeUnit unit)
    {
        var ticks = unit switch { TimeUnit.Millis => value * (decimal)TimeSpan.TicksPerMillisecond, TimeUnit.Micros => value * 10m, _ => Math.Floor(value / 100m) };
        return Math.Abs(ticks) < DateTime.UnixEpoch.Ticks ? DateTime.UnixEpoch.AddTicks((long)ticks).ToString("o", CultureInfo.InvariantCulture) : null;
    }
}
