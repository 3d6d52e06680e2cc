// The few columns of the map and memberships tables that drawing a map needs, read as the physical columns that they are: millions of rows
// without an object for each.
using ParquetSharp;

namespace FeatureForge.Data;

/// <summary>Rows of one row group of the map table. Item ids are their 128 bits.</summary>
public sealed record MapBlock(UInt128[] ItemIds, int[] SpanIndex, float[] X, float[] Y);

/// <summary>Rows of one row group of the memberships table.</summary>
/// <param name="Leaves">As the caller numbers clusters; its number for null where there is none.</param>
public sealed record LeafBlock(UInt128[] ItemIds, int[] SpanIndex, int[] Leaves);

/// <summary>Reads maps and memberships column by column.</summary>
public static class MapColumns
{
    private const int Batch = 1 << 16;

    /// <exception cref="InvalidDataException">A column is missing, of another type, or holds what is no item id.</exception>
    public static IEnumerable<MapBlock> ReadPlaces(string path) => Groups(path, (group, rows) =>
        new MapBlock(Ids(path, group, rows), Values<int>(path, group, "span_index", rows), Values<float>(path, group, "x", rows), Values<float>(path, group, "y", rows)));

    /// <param name="numberOf">The number of a cluster id; called with null for rows without one.</param>
    /// <exception cref="InvalidDataException">A column is missing, of another type, or holds what is no item id.</exception>
    public static IEnumerable<LeafBlock> ReadLeaves(string path, Func<string?, int> numberOf)
    {
        var known = new Dictionary<string, int>(StringComparer.Ordinal);
        var lookup = known.GetAlternateLookup<ReadOnlySpan<char>>();
        var none = numberOf(null);
        return Groups(path, (group, rows) =>
        {
            var leaves = new int[rows];
            Array.Fill(leaves, none);
            Texts(path, group, "cluster_id", rows, (row, text) =>
            {
                if (!lookup.TryGetValue(text, out var number)) lookup[text] = number = numberOf(text.ToString());
                leaves[row] = number;
            });
            return new LeafBlock(Ids(path, group, rows), Values<int>(path, group, "span_index", rows), leaves);
        });
    }

    private static IEnumerable<T> Groups<T>(string path, Func<RowGroupReader, int, T> read)
    {
        using var file = new ParquetFileReader(path);
        for (var index = 0; index < file.FileMetaData.NumRowGroups; index++)
        {
            using var group = file.RowGroup(index);
            yield return read(group, checked((int)group.MetaData.NumRows));
        }
    }

    private static UInt128[] Ids(string path, RowGroupReader group, int rows)
    {
        var ids = new UInt128[rows];
        Texts(path, group, "item_id", rows, (row, text) =>
        {
            if (!UInt128.TryParse(text, System.Globalization.NumberStyles.AllowHexSpecifier, System.Globalization.CultureInfo.InvariantCulture, out ids[row]))
                throw new InvalidDataException($"{path}: row {row} of a row group has item_id '{text}'; expected 32 hexadecimal characters.");
        });
        return ids;
    }

    private static T[] Values<T>(string path, RowGroupReader group, string name, int rows) where T : unmanaged
    {
        var values = new T[rows];
        Read<T>(path, group, name, rows, (row, value) => values[row] = value);
        return values;
    }

    private delegate void Taken(int row, ReadOnlySpan<char> text);

    // Ids of items and clusters are ASCII; anything else is decoded all the same.
    private static unsafe void Texts(string path, RowGroupReader group, string name, int rows, Taken take)
    {
        var letters = new char[256];
        Read<ByteArray>(path, group, name, rows, (row, value) =>
        {
            if (value.Length > letters.Length) letters = new char[value.Length];
            take(row, letters.AsSpan(0, System.Text.Encoding.UTF8.GetChars(new ReadOnlySpan<byte>((byte*)value.Pointer, value.Length), letters)));
        });
    }

    // Other programs write optional columns where this one writes required ones; nulls are passed over.
    private static void Read<T>(string path, RowGroupReader group, string name, int rows, Action<int, T> take) where T : unmanaged
    {
        using var column = PhysicalColumn.Of<T>(group, name, path);
        var isOptional = column.ColumnDescriptor.MaxDefinitionLevel > 0;
        var (values, levels) = (new T[Math.Min(rows, Batch)], new short[isOptional ? Math.Min(rows, Batch) : 0]);
        for (var at = 0; at < rows;)
        {
            var asked = Math.Min(values.Length, rows - at);
            // Without levels a value is a row.
            var read = isOptional ? (int)column.ReadBatch(asked, levels, null, values, out _) : (int)column.ReadBatch(asked, values, out _);
            if (read == 0) throw new InvalidDataException($"{path}: column {name} ends after {at} of {rows} values; the file is damaged.");
            for (int row = 0, value = 0; row < read; row++)
                if (!isOptional || levels[row] > 0) take(at + row, values[value++]);
            at += read;
        }
    }
}
