// embeddings/SET/data/level=L/grain=G/part-NNNNN.parquet: one row per span. Written through Arrow (ParquetSharp) because that
// stores the vector as LIST<element: float not null> together with ARROW:schema, so that Arrow readers see a fixed-size list. Read as the
// Parquet columns they are (EmbeddingColumns): that is faster, and no type of Arrow passes from one assembly to another, of which a
// notebook's kernel loads two copies when their version numbers differ.
// Synchronous: the native library is, and the torch thread that fills it is too.
using Apache.Arrow;
using ParquetSharp;
using ParquetSharp.Arrow;

namespace FeatureForge.Data;

/// <summary>Writes one embeddings file, one row group per block; 20 to 50 thousand vectors per block read fastest.</summary>
public sealed class EmbeddingWriter : IDisposable
{
    private readonly EmbeddingHeader _header;
    private readonly Schema _schema;
    private readonly FileWriter _writer;

    /// <summary>Creates the file; it is not whole before <see cref="Close"/>.</summary>
    public EmbeddingWriter(string path, EmbeddingHeader header)
    {
        if (header.Dtype is not ("float32" or "float16")) throw new BadRequestException($"Vectors can be stored as float32 or float16; found '{header.Dtype}'.");
        _header = header;
        _schema = EmbeddingSchema.Of(header);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var properties = new WriterPropertiesBuilder()
            .Compression(Compression.Zstd).CompressionLevel(3)
            .DisableDictionary(EmbeddingSchema.VectorColumn)
            .EnableDictionary("item_id")
            .Build();
        using var arrow = new ArrowWriterPropertiesBuilder().StoreSchema().EnableCompliantNestedTypes().Build();
        _writer = new FileWriter(path, _schema, properties, arrow);
    }

    /// <summary>Vectors written so far.</summary>
    public long Rows { get; private set; }

    /// <summary>Appends one row group. A value that is not finite is a bug upstream and is refused.</summary>
    public void Write(EmbeddingBlock block)
    {
        if (block.Rows == 0) return;
        if (block.Dimension != _header.Dimension)
            throw new ArgumentException($"Expected vectors of {_header.Dimension} values at level {_header.Level}, found {block.Dimension}.");
        var bad = block.Vectors.AsSpan().IndexOfAnyExceptInRange(float.MinValue, float.MaxValue);
        if (bad >= 0)
            throw new InvalidOperationException($"Item {block.ItemIds[bad / block.Dimension]}: level {_header.Level} holds {block.Vectors[bad]}; expected finite numbers.");
        using var batch = new RecordBatch(_schema, EmbeddingSchema.Columns(_header, block), block.Rows);
        _writer.WriteRecordBatch(batch, block.Rows);
        Rows += block.Rows;
    }

    /// <summary>Writes the footer.</summary>
    public void Close() => _writer.Close();

    public void Dispose() => _writer.Dispose();
}

/// <summary>Reads embeddings files.</summary>
public static class EmbeddingTable
{
    /// <summary>The file's key-values.</summary>
    public static EmbeddingHeader ReadHeader(string path)
    {
        using var reader = new ParquetFileReader(path);
        return HeaderOf(path, reader);
    }

    /// <summary>Row groups in file order, one in memory at a time; float16 is widened.</summary>
    public static IEnumerable<EmbeddingBlock> Read(string path)
    {
        using var reader = new ParquetFileReader(path);
        var header = HeaderOf(path, reader);
        for (var group = 0; group < reader.FileMetaData.NumRowGroups; group++)
        {
            using var rows = reader.RowGroup(group);
            if (rows.MetaData.NumRows > 0) yield return new EmbeddingColumns(path, header, rows).ToBlock();
        }
    }

    private static EmbeddingHeader HeaderOf(string path, ParquetFileReader reader) => EmbeddingSchema.HeaderOf(path, reader.FileMetaData.KeyValueMetadata);

    internal static void Hash(string path, TableHash hash)
    {
        var encoder = new CanonicalEncoder();
        foreach (var block in Read(path))
        {
            for (var row = 0; row < block.Rows; row++)
            {
                var span = block.Spans[row];
                encoder.Add(block.ItemIds[row]);
                foreach (var number in (ReadOnlySpan<int>)[block.SpanIndex[row], span.Start, span.End, span.Width, span.Height]) encoder.Add(number);
                encoder.AddAll(block.Vectors.AsSpan(row * block.Dimension, block.Dimension));
                hash.Add(encoder);
            }
        }
    }
}
