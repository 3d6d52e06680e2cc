// The Arrow schema of embeddings files and the way between blocks of host arrays and Arrow columns.
using System.Buffers;
using System.Runtime.InteropServices;
using Apache.Arrow;
using Apache.Arrow.Types;

namespace FeatureForge.Data;

internal static class EmbeddingSchema
{
    internal const string Element = "element";
    /// <summary>The leaf column of the vectors' values.</summary>
    internal const string VectorColumn = $"vector.list.{Element}";
    private const string Version = "embeddings/1";

    internal static Schema Of(EmbeddingHeader header)
    {
        var value = new Field(Element, header.Dtype == "float16" ? HalfFloatType.Default : FloatType.Default, nullable: false);
        Field[] fields =
        [
            new("item_id", StringType.Default, nullable: false),
            new("span_index", Int32Type.Default, nullable: false),
            .. SpanColumns(header.Modality).Select(name => new Field(name, Int32Type.Default, nullable: false)),
            new("vector", new FixedSizeListType(value, header.Dimension), nullable: false),
        ];
        return new(fields, new Dictionary<string, string>
        {
            ["featureforge.schema"] = Version,
            ["featureforge.encoder_id"] = header.EncoderId,
            ["featureforge.preprocessing_id"] = header.PreprocessingId,
            ["featureforge.level"] = header.Level,
            ["featureforge.grain"] = header.Grain.ToString().ToLowerInvariant(),
            ["featureforge.dimension"] = header.Dimension.ToString(System.Globalization.CultureInfo.InvariantCulture),
            ["featureforge.metric"] = header.Metric,
            ["featureforge.dtype"] = header.Dtype,
            ["featureforge.modality"] = header.Modality.ToString().ToLowerInvariant(),
        });
    }

    internal static string[] SpanColumns(Modality modality) => modality switch
    {
        Modality.Audio => ["start_ms", "end_ms"],
        Modality.Text => ["start_char", "end_char"],
        _ => ["x", "y", "width", "height"],
    };

    internal static EmbeddingHeader HeaderOf(string path, IReadOnlyDictionary<string, string> keyValues)
    {
        string Value(string key) => keyValues.TryGetValue("featureforge." + key, out var value) ? value
            : throw new InvalidDataException($"{path}: expected the file key-value featureforge.{key}, found none. It was not written by FeatureForge, or is damaged.");
        return new(Enum.Parse<Modality>(Value("modality"), ignoreCase: true), Value("encoder_id"), Value("preprocessing_id"), Value("level"),
            Enum.Parse<Grain>(Value("grain"), ignoreCase: true), int.Parse(Value("dimension"), System.Globalization.CultureInfo.InvariantCulture), Value("metric"), Value("dtype"));
    }

    internal static IEnumerable<IArrowArray> Columns(EmbeddingHeader header, EmbeddingBlock block)
    {
        yield return new StringArray.Builder().AppendRange(block.ItemIds).Build();
        yield return new Int32Array.Builder().AppendRange(block.SpanIndex).Build();
        foreach (var part in SpanColumns(header.Modality))
            yield return new Int32Array.Builder().AppendRange(block.Spans.Select(span => Part(span, part))).Build();
        yield return Vectors(header, block);
    }

    private static int Part(ItemSpan span, string column) => column switch
    {
        "start_ms" or "start_char" or "x" => span.Start,
        "end_ms" or "end_char" or "y" => span.End,
        "width" => span.Width,
        _ => span.Height,
    };

    private static FixedSizeListArray Vectors(EmbeddingHeader header, EmbeddingBlock block)
    {
        var half = header.Dtype == "float16";
        var values = half ? new ArrayData(HalfFloatType.Default, block.Vectors.Length, 0, 0, [ArrowBuffer.Empty, new(new Bytes<Half>(System.Array.ConvertAll(block.Vectors, value => (Half)value)).Memory)])
            : new ArrayData(FloatType.Default, block.Vectors.Length, 0, 0, [ArrowBuffer.Empty, new(new Bytes<float>(block.Vectors).Memory)]);
        var type = new FixedSizeListType(new Field(Element, values.DataType, nullable: false), block.Dimension);
        return new FixedSizeListArray(new ArrayData(type, block.Rows, 0, 0, [ArrowBuffer.Empty], [values]));
    }

    /// <summary>An array as its bytes, so that Arrow reads it where it is.</summary>
    private sealed class Bytes<T>(T[] values) : MemoryManager<byte> where T : unmanaged
    {
        public override Span<byte> GetSpan() => MemoryMarshal.AsBytes(values.AsSpan());

        public override unsafe MemoryHandle Pin(int elementIndex = 0)
        {
            var handle = GCHandle.Alloc(values, GCHandleType.Pinned);
            return new((byte*)handle.AddrOfPinnedObject() + elementIndex, handle);
        }

        // The handle that Pin gave is what holds the array.
        public override void Unpin() { }

        protected override void Dispose(bool disposing) { }
    }
}
