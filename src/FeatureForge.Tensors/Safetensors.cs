// The safetensors file format: 8 bytes length, a JSON header, raw little-endian values (huggingface/safetensors README).
// Deviation: written files align every tensor to 8 bytes by padding the header; readers accept any valid file.
using System.Buffers.Binary;
using System.Text.Json;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Tensors;

/// <summary>Named tensors and string metadata in one file that every ML tool reads.</summary>
public static class Safetensors
{
    private const int BytesPerWrite = 1 << 30;

    private static readonly (ScalarType Type, string Name)[] _types =
    [
        (ScalarType.Float32, "F32"), (ScalarType.Float64, "F64"), (ScalarType.Float16, "F16"), (ScalarType.BFloat16, "BF16"),
        (ScalarType.Int64, "I64"), (ScalarType.Int32, "I32"), (ScalarType.Int16, "I16"), (ScalarType.Int8, "I8"), (ScalarType.Byte, "U8"), (ScalarType.Bool, "BOOL"),
    ];

    /// <summary>Writes the tensors in the order of their names (ordinal), so that equal content gives equal bytes.</summary>
    public static void Write(string path, IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        var names = tensors.Keys.Order(StringComparer.Ordinal).ToArray();
        var header = Header(names, tensors, metadata ?? new Dictionary<string, string>());
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write);
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        file.Write(length);
        file.Write(header);
        foreach (var name in names)
        {
            using var scope = NewDisposeScope();
            var host = tensors[name].detach().cpu().contiguous().view(-1);
            var perWrite = BytesPerWrite / host.ElementSize;
            for (var from = 0L; from < host.numel(); from += perWrite) file.Write(host.narrow(0, from, Math.Min(perWrite, host.numel() - from)).bytes);
        }
        file.Flush(flushToDisk: true);
    }

    /// <summary>Reads all tensors to the host and the metadata.</summary>
    /// <exception cref="InvalidDataException">The file is not whole, not safetensors, or pickled; the sentence says which.</exception>
    public static (Dictionary<string, Tensor> Tensors, Dictionary<string, string> Metadata) Read(string path)
    {
        using var file = SafetensorsFile.Open(path);
        return (file.Entries.Keys.ToDictionary(name => name, file.Read), new(file.Metadata));
    }

    private static byte[] Header(string[] names, IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartObject("__metadata__");
            foreach (var (key, value) in metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal)) json.WriteString(key, value);
            json.WriteEndObject();
            var offset = 0L;
            foreach (var name in names)
            {
                var tensor = tensors[name];
                json.WriteStartObject(name);
                json.WriteString("dtype", NameOf(tensor.dtype));
                json.WriteStartArray("shape");
                foreach (var dimension in tensor.shape) json.WriteNumberValue(dimension);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                json.WriteNumberValue(offset += tensor.numel() * tensor.ElementSize);
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        while (buffer.Length % 8 != 0) buffer.WriteByte((byte)' ');
        return buffer.ToArray();
    }

    internal static string TypeNames => string.Join(", ", _types.Select(known => known.Name));

    /// <summary>Null for types that cannot be read.</summary>
    internal static ScalarType? TypeOf(string name) => _types.Any(known => known.Name == name) ? _types.First(known => known.Name == name).Type : null;

    private static string NameOf(ScalarType type) => _types.First(known => known.Type == type).Name;

    internal static InvalidDataException Broken(string path, string what) =>
        new($"{path} is not a whole safetensors file: {what}. Fetch or export it again.");
}
