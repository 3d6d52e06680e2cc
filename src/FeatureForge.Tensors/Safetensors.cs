// The safetensors file format: 8 bytes length, a JSON header, raw little-endian values (huggingface/safetensors README).
// Deviation: written files align every tensor to 8 bytes by padding the header; readers accept any valid file.
using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Tensors;

/// <summary>Named tensors and string metadata in one file that every ML tool reads.</summary>
public static class Safetensors
{
    private const int MaximumHeader = 100_000_000;

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
            var host = tensors[name].detach().cpu().contiguous();
            if (host.numel() > 0) file.Write(host.bytes);
        }
        file.Flush(flushToDisk: true);
    }

    /// <summary>Reads all tensors to the host and the metadata.</summary>
    /// <exception cref="InvalidDataException">The file is not whole or not safetensors.</exception>
    public static (Dictionary<string, Tensor> Tensors, Dictionary<string, string> Metadata) Read(string path)
    {
        using var file = File.OpenRead(path);
        Span<byte> length = stackalloc byte[8];
        if (file.ReadAtLeast(length, 8, throwOnEndOfStream: false) < 8) throw Broken(path, "the file is shorter than 8 bytes");
        var size = BinaryPrimitives.ReadInt64LittleEndian(length);
        if (size is < 2 or > MaximumHeader || size > file.Length - 8) throw Broken(path, $"the header claims {size} bytes of {file.Length}");
        var header = new byte[size];
        file.ReadExactly(header);

        var tensors = new Dictionary<string, Tensor>();
        var metadata = new Dictionary<string, string>();
        using var document = Parse(path, header);
        foreach (var entry in document.RootElement.EnumerateObject())
        {
            if (entry.Name != "__metadata__") tensors[entry.Name] = ReadTensor(path, file, 8 + size, entry);
            else foreach (var pair in entry.Value.EnumerateObject()) metadata[pair.Name] = pair.Value.GetString() ?? "";
        }
        return (tensors, metadata);
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

    private static Tensor ReadTensor(string path, FileStream file, long start, JsonProperty entry)
    {
        try
        {
            var type = _types.First(known => known.Name == entry.Value.GetProperty("dtype").GetString()).Type;
            var shape = entry.Value.GetProperty("shape").EnumerateArray().Select(e => e.GetInt64()).ToArray();
            var (from, to) = (entry.Value.GetProperty("data_offsets")[0].GetInt64(), entry.Value.GetProperty("data_offsets")[1].GetInt64());
            var bytes = shape.Aggregate((long)ElementSize(type), (product, dimension) => checked(product * dimension));
            if (from < 0 || to - from != bytes || start + to > file.Length)
                throw Broken(path, $"tensor {entry.Name} needs {bytes} bytes, its offsets are {from} to {to}, the file has {file.Length - start}");
            var tensor = empty(shape, dtype: type, device: CPU);
            file.Position = start + from;
            if (bytes > 0) file.ReadExactly(tensor.bytes);
            return tensor;
        }
        catch (Exception error) when (error is KeyNotFoundException or InvalidOperationException or OverflowException or IndexOutOfRangeException or FormatException)
        {
            throw Broken(path, $"entry {entry.Name} is not a tensor description: {entry.Value.GetRawText()}");
        }
    }

    private static JsonDocument Parse(string path, byte[] header)
    {
        try { return JsonDocument.Parse(Encoding.UTF8.GetString(header)); }
        catch (JsonException error) { throw Broken(path, $"its header is not JSON ({error.Message})"); }
    }

    private static string NameOf(ScalarType type) => _types.First(known => known.Type == type).Name;

    private static int ElementSize(ScalarType type) => type switch
    {
        ScalarType.Float64 or ScalarType.Int64 => 8,
        ScalarType.Float32 or ScalarType.Int32 => 4,
        ScalarType.Float16 or ScalarType.BFloat16 or ScalarType.Int16 => 2,
        _ => 1,
    };

    private static InvalidDataException Broken(string path, string what) =>
        new($"{path} is not a whole safetensors file: {what}. Fetch or export it again.");
}
