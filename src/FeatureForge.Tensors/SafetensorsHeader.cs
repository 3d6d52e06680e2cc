// The header of a safetensors file, taken for what a stranger wrote: every entry is checked, and the tensors must lie one after
// another from the first byte behind the header to the file's last, without overlap, hole or rest.
using System.Text.Json;

namespace FeatureForge.Tensors;

/// <summary>Entries in the order of their bytes, and the strings beside them.</summary>
internal sealed record SafetensorsHeader(IReadOnlyList<SafetensorsEntry> Entries, IReadOnlyDictionary<string, string> Metadata)
{
    private const int MostDimensions = 64;

    // Bits per element of every type that the format knows, readable here or not.
    private static readonly Dictionary<string, int> _bits = new()
    {
        ["F64"] = 64,
        ["F32"] = 32,
        ["F16"] = 16,
        ["BF16"] = 16,
        ["I64"] = 64,
        ["I32"] = 32,
        ["I16"] = 16,
        ["I8"] = 8,
        ["U8"] = 8,
        ["BOOL"] = 8,
        ["U64"] = 64,
        ["U32"] = 32,
        ["U16"] = 16,
        ["C64"] = 64,
        ["F8_E4M3"] = 8,
        ["F8_E5M2"] = 8,
        ["F8_E8M0"] = 8,
        ["F6_E2M3"] = 6,
        ["F6_E3M2"] = 6,
        ["F4"] = 4,
    };

    /// <param name="start">Where the tensors' bytes begin in the file.</param>
    /// <param name="length">The file's bytes.</param>
    /// <exception cref="InvalidDataException">Anything is wrong.</exception>
    public static SafetensorsHeader Parse(string path, byte[] json, long start, long length)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            if (document.RootElement.ValueKind != JsonValueKind.Object) throw Safetensors.Broken(path, "its header is not a JSON object");
            var (entries, names) = (new List<SafetensorsEntry>(), new HashSet<string>(StringComparer.Ordinal));
            var metadata = new Dictionary<string, string>();
            foreach (var property in document.RootElement.EnumerateObject())
            {
                if (!names.Add(property.Name)) throw Safetensors.Broken(path, $"its header names '{property.Name}' twice");
                if (property.Name == "__metadata__") ReadMetadata(path, property.Value, metadata);
                else entries.Add(ReadEntry(path, property, start));
            }
            CheckPlaces(path, entries, start, length);
            return new(entries, metadata);
        }
        // InvalidOperationException: text that is no Unicode.
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            throw Safetensors.Broken(path, $"its header is not JSON ({error.Message})");
        }
    }

    private static void ReadMetadata(string path, JsonElement value, Dictionary<string, string> metadata)
    {
        if (value.ValueKind != JsonValueKind.Object) throw Safetensors.Broken(path, "its __metadata__ is not an object");
        foreach (var pair in value.EnumerateObject())
        {
            if (pair.Value.ValueKind != JsonValueKind.String) throw Safetensors.Broken(path, $"its __metadata__ '{pair.Name}' is not a string");
            if (!metadata.TryAdd(pair.Name, pair.Value.GetString()!)) throw Safetensors.Broken(path, $"its __metadata__ names '{pair.Name}' twice");
        }
    }

    private static SafetensorsEntry ReadEntry(string path, JsonProperty property, long start)
    {
        InvalidDataException Wrong(string what) => Safetensors.Broken(path, $"tensor '{property.Name}' {what}");
        var value = property.Value;
        if (value.ValueKind != JsonValueKind.Object || value.EnumerateObject().Select(part => part.Name).Distinct().Count() != value.EnumerateObject().Count())
            throw Wrong("is not described by one object with different names");
        if (!value.TryGetProperty("dtype", out var type) || type.ValueKind != JsonValueKind.String) throw Wrong("has no dtype");
        if (!_bits.TryGetValue(type.GetString()!, out var bits)) throw Wrong($"has the unknown dtype '{type.GetString()}'");
        if (Numbers(value, "shape") is not { Count: <= MostDimensions } shape) throw Wrong($"has no shape of at most {MostDimensions} whole numbers from 0 up");
        if (Numbers(value, "data_offsets") is not [var from, var to]) throw Wrong("has no data_offsets of two whole numbers from 0 up");
        long needed;
        try
        {
            // Zero sizes count as one: strides are products of the others and must not overflow either.
            _ = shape.Aggregate(8L, (product, size) => checked(product * Math.Max(1, size)));
            var allBits = checked(shape.Aggregate(1L, (product, size) => checked(product * size)) * bits);
            if (allBits % 8 != 0) throw Wrong($"of {type.GetString()} [{string.Join(", ", shape)}] does not end with a whole byte");
            needed = allBits / 8;
        }
        catch (OverflowException) { throw Wrong($"has a shape [{string.Join(", ", shape)}] beyond all memory"); }
        if (to < from || to - from != needed) throw Wrong($"of {type.GetString()} [{string.Join(", ", shape)}] needs {needed} bytes, its offsets {from} to {to} hold {(Int128)to - from}");
        if (to > long.MaxValue - start) throw Wrong($"ends at byte {to}, beyond any file");
        return new(property.Name, type.GetString()!, shape, start + from, needed);
    }

    // Null unless an array of whole numbers from 0 up.
    private static List<long>? Numbers(JsonElement entry, string name)
    {
        if (!entry.TryGetProperty(name, out var array) || array.ValueKind != JsonValueKind.Array || array.GetArrayLength() > 1000) return null;
        var numbers = new List<long>();
        foreach (var element in array.EnumerateArray())
        {
            if (element.ValueKind != JsonValueKind.Number || !element.TryGetInt64(out var number) || number < 0) return null;
            numbers.Add(number);
        }
        return numbers;
    }

    private static void CheckPlaces(string path, List<SafetensorsEntry> entries, long start, long length)
    {
        // Empty tensors share their place with the next one.
        entries.Sort((a, b) => a.Start != b.Start ? a.Start.CompareTo(b.Start) : a.Bytes.CompareTo(b.Bytes));
        var end = start;
        foreach (var entry in entries)
        {
            if (entry.Start < end) throw Safetensors.Broken(path, $"tensor '{entry.Name}' overlaps the one before it by {end - entry.Start} bytes");
            if (entry.Start > end) throw Safetensors.Broken(path, $"{entry.Start - end} bytes before tensor '{entry.Name}' belong to no tensor");
            end = entry.Start + entry.Bytes;
            if (end > length) throw Safetensors.Broken(path, $"tensor '{entry.Name}' ends at byte {end} of a file of {length}");
        }
        if (end != length) throw Safetensors.Broken(path, $"its last {length - end} bytes belong to no tensor");
    }
}
