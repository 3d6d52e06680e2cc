// An encoder as a model of the Open Inference Protocol: which tensors it takes, which it gives, and how the former become items.
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using FeatureForge.Data;
using FeatureForge.Jobs;

namespace FeatureForge.Server;

/// <summary>A tensor's name, type (OIP words) and shape; -1 is any number.</summary>
public sealed record TensorShape(string Name, string Datatype, IReadOnlyList<long> Shape);

/// <summary>A tensor with its values as bytes, little-endian; of type BYTES one element after the other, each behind its length in four bytes.</summary>
public sealed record RawTensor(string Name, string Datatype, IReadOnlyList<long> Shape, ReadOnlyMemory<byte> Values, int? Rate = null);

/// <summary>The protocol's view of an encoder.</summary>
public sealed class ServedEncoder(EncoderManifest manifest)
{
    /// <summary>Items that one request may hold.</summary>
    public const int MostItems = 1024;

    public const string Platform = "featureforge_torchsharp";

    public EncoderManifest Manifest => manifest;

    /// <summary>`content` takes media files or texts whatever the modality; pictures and recordings can also come as numbers.</summary>
    public IReadOnlyList<TensorShape> Inputs => manifest.Modality switch
    {
        Modality.Image => [new("content", "BYTES", [-1]), new("pixels", "UINT8", [-1, -1, -1, -1])],
        Modality.Audio => [new("content", "BYTES", [-1]), new("samples", "INT16", [-1, -1])],
        _ => [new("content", "BYTES", [-1])],
    };

    /// <summary>One tensor per level, [items, dimension].</summary>
    public IReadOnlyList<TensorShape> Outputs => [.. manifest.Levels.Select(level => new TensorShape(level.Name, "FP32", [-1, level.Dimension]))];

    /// <summary>What is given when a request asks for nothing in particular.</summary>
    public string UsualOutput => manifest.RecommendedLevel ?? (manifest.Levels.Any(level => level.Name == Level.High) ? Level.High : manifest.Levels[^1].Name);

    /// <summary>The items of a request's only tensor.</summary>
    /// <exception cref="BadRequestException">The tensor is none of <see cref="Inputs"/>, or its bytes do not fit its shape.</exception>
    public IReadOnlyList<InferenceInput> ItemsOf(IReadOnlyList<RawTensor> tensors)
    {
        if (tensors.Count != 1) throw new BadRequestException($"Expected one input tensor ({string.Join(" or ", Inputs.Select(input => input.Name))}), found {tensors.Count}.");
        var tensor = tensors[0];
        if (Inputs.FirstOrDefault(input => input.Name == tensor.Name) is not { } expected)
            throw new BadRequestException($"Encoder '{manifest.Name}' takes no input '{tensor.Name}'; it takes: {string.Join(", ", Inputs.Select(input => $"{input.Name} {input.Datatype}[{string.Join(",", input.Shape)}]"))}.");
        if (tensor.Datatype != expected.Datatype) throw new BadRequestException($"Input '{tensor.Name}' has type {tensor.Datatype}; expected {expected.Datatype}.");
        if (tensor.Shape.Count == 0 || tensor.Shape.Any(size => size < 1)) throw new BadRequestException($"Input '{tensor.Name}' has shape [{string.Join(",", tensor.Shape)}]; expected positive sizes, items first.");
        if (tensor.Shape[0] > MostItems) throw new BadRequestException($"Input '{tensor.Name}' holds {tensor.Shape[0]} items; at most {MostItems} are embedded at once.");
        return tensor.Name switch
        {
            "pixels" => Pixels(tensor),
            "samples" => Samples(tensor),
            _ => Content(tensor),
        };
    }

    private List<InferenceInput> Content(RawTensor tensor)
    {
        var count = Product(tensor.Shape);
        var items = new List<InferenceInput>();
        for (var rest = tensor.Values; rest.Length > 0 && items.Count <= count;)
        {
            if (rest.Length < 4 || BinaryPrimitives.ReadInt32LittleEndian(rest.Span) is var length && (length < 0 || length > rest.Length - 4))
                throw new BadRequestException($"Input '{tensor.Name}': element {items.Count} does not have the bytes that its length says.");
            var bytes = rest.Slice(4, length).ToArray();
            items.Add(manifest.Modality == Modality.Text ? new(InferenceInputKind.Text, bytes, []) : InferenceInput.OfFile(bytes));
            rest = rest[(4 + length)..];
        }
        if (items.Count != count) throw new BadRequestException($"Input '{tensor.Name}' has shape [{string.Join(",", tensor.Shape)}] and {items.Count} elements.");
        return items;
    }

    private static List<InferenceInput> Pixels(RawTensor tensor)
    {
        if (tensor.Shape is not ([_, _, _] or [_, _, _, 1 or 3])) throw new BadRequestException($"Input 'pixels' has shape [{string.Join(",", tensor.Shape)}]; expected [items, height, width, channels], channels 1 or 3.");
        var channels = tensor.Shape.Count == 4 ? (int)tensor.Shape[3] : 1;
        return Even(tensor, 1, bytes => new(InferenceInputKind.Pixels, bytes, [checked((int)tensor.Shape[1]), checked((int)tensor.Shape[2]), channels]));
    }

    private List<InferenceInput> Samples(RawTensor tensor)
    {
        if (tensor.Shape is not [_, _]) throw new BadRequestException($"Input 'samples' has shape [{string.Join(",", tensor.Shape)}]; expected [items, samples].");
        var rate = tensor.Rate ?? manifest.Preparation.SampleRate!.Value;
        return Even(tensor, 2, bytes => new(InferenceInputKind.Samples, bytes, [rate]));
    }

    private static List<InferenceInput> Even(RawTensor tensor, int unit, Func<byte[], InferenceInput> item)
    {
        var bytes = Product(tensor.Shape) * unit;
        if (bytes != tensor.Values.Length) throw new BadRequestException($"Input '{tensor.Name}' has shape [{string.Join(",", tensor.Shape)}], which takes {bytes} bytes; found {tensor.Values.Length}.");
        var each = (int)(bytes / tensor.Shape[0]);
        return [.. Enumerable.Range(0, (int)tensor.Shape[0]).Select(i => item(tensor.Values.Slice(i * each, each).ToArray()))];
    }

    private static long Product(IReadOnlyList<long> shape)
    {
        try { return shape.Aggregate(1L, (product, size) => checked(product * size)); }
        catch (OverflowException) { throw new BadRequestException($"Shape [{string.Join(",", shape)}] is too large."); }
    }

    /// <summary>Elements of type BYTES in one stretch, each behind its length.</summary>
    public static byte[] Pack(IReadOnlyList<byte[]> elements)
    {
        var packed = new byte[elements.Sum(element => 4 + element.Length)];
        var at = 0;
        foreach (var element in elements)
        {
            BinaryPrimitives.WriteInt32LittleEndian(packed.AsSpan(at), element.Length);
            element.CopyTo(packed.AsSpan(at + 4));
            at += 4 + element.Length;
        }
        return packed;
    }
}
