// One row group of an embeddings file, column by column, straight into host arrays: no level is read, because nothing in it can be null.
using ParquetSharp;

namespace FeatureForge.Data;

/// <summary>Columns of one row group.</summary>
internal sealed class EmbeddingColumns(string path, EmbeddingHeader header, RowGroupReader group)
{
    private readonly int _rows = checked((int)group.MetaData.NumRows);

    /// <exception cref="InvalidDataException">A column is missing, of another type, or shorter than the row group says.</exception>
    internal EmbeddingBlock ToBlock()
    {
        var parts = Array.ConvertAll(EmbeddingSchema.SpanColumns(header.Modality), Numbers);
        var spans = new ItemSpan[_rows];
        for (var row = 0; row < spans.Length; row++)
            spans[row] = parts.Length == 2 ? ItemSpan.Range(parts[0][row], parts[1][row]) : ItemSpan.Rectangle(parts[0][row], parts[1][row], parts[2][row], parts[3][row]);
        var values = checked(_rows * header.Dimension);
        return new(Ids(), Numbers("span_index"), spans, header.Dtype == "float16" ? Halves(values) : Floats(values), header.Dimension);
    }

    private int[] Numbers(string name)
    {
        var numbers = new int[_rows];
        using var column = Column<int>(name);
        for (var at = 0; at < numbers.Length; at += Read(column, name, numbers.AsSpan(at), at, numbers.Length)) { }
        return numbers;
    }

    private float[] Floats(int count)
    {
        var values = new float[count];
        using var column = Column<float>(EmbeddingSchema.VectorColumn);
        for (var at = 0; at < count; at += Read(column, EmbeddingSchema.VectorColumn, values.AsSpan(at), at, count)) { }
        return values;
    }

    private unsafe float[] Halves(int count)
    {
        var values = new float[count];
        var pointers = new FixedLenByteArray[Math.Min(count, 1 << 16)];
        using var column = Column<FixedLenByteArray>(EmbeddingSchema.VectorColumn);
        for (var at = 0; at < count;)
        {
            // The pointers hold until the next read.
            var read = Read(column, EmbeddingSchema.VectorColumn, pointers.AsSpan(0, Math.Min(pointers.Length, count - at)), at, count);
            for (var i = 0; i < read; i++) values[at + i] = (float)*(Half*)pointers[i].Pointer;
            at += read;
        }
        return values;
    }

    private string[] Ids()
    {
        var ids = new string[_rows];
        var pointers = new ByteArray[Math.Min(_rows, 1 << 16)];
        using var column = Column<ByteArray>("item_id");
        for (var at = 0; at < ids.Length;)
        {
            var read = Read(column, "item_id", pointers.AsSpan(0, Math.Min(pointers.Length, ids.Length - at)), at, ids.Length);
            for (var i = 0; i < read; i++)
            {
                // Spans of one item lie together: one string for all of them.
                var id = i > 0 && pointers[i].Equals(pointers[i - 1]) ? ids[at + i - 1] : TextOf(pointers[i]);
                ids[at + i] = id;
            }
            at += read;
        }
        return ids;
    }

    private static unsafe string TextOf(ByteArray bytes) => System.Text.Encoding.UTF8.GetString((byte*)bytes.Pointer, bytes.Length);

    private ColumnReader<T> Column<T>(string name) where T : unmanaged => PhysicalColumn.Of<T>(group, name, path);

    private int Read<T>(ColumnReader<T> column, string name, Span<T> into, int at, int all) where T : unmanaged
    {
        column.ReadBatch(into.Length, into, out var read);
        if (read == 0) throw new InvalidDataException($"{path}: column {name} ends after {at} of {all} values; the file is damaged.");
        return (int)read;
    }
}
