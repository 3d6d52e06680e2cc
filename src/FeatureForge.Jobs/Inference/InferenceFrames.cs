// What server and inference process say to each other over the process's standard streams: frames of a length and that many bytes, little-endian.
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using FeatureForge.Data;
using FeatureForge.Learning;

namespace FeatureForge.Jobs;

/// <summary>What an input is.</summary>
public enum InferenceInputKind
{
    /// <summary>Bytes of a media file (JPEG, WAV, …), or of a text file.</summary>
    File,
    /// <summary>UTF-8.</summary>
    Text,
    /// <summary>Interleaved pixels of 8 bits; the shape says how many.</summary>
    Pixels,
    /// <summary>Mono samples of 16 bits, little-endian; the shape's first number is the rate.</summary>
    Samples,
}

/// <summary>One item to embed.</summary>
/// <param name="Shape">Pixels: height, width, channels. Samples: rate in Hz. Else empty.</param>
public sealed record InferenceInput(InferenceInputKind Kind, byte[] Bytes, IReadOnlyList<int> Shape)
{
    public static InferenceInput OfText(string text) => new(InferenceInputKind.Text, Encoding.UTF8.GetBytes(text), []);
    public static InferenceInput OfFile(byte[] bytes) => new(InferenceInputKind.File, bytes, []);
}

/// <summary>A request: items of one modality for one encoder.</summary>
/// <param name="EncoderId">The version that is meant; the process loads the encoder anew when it holds another.</param>
internal sealed record InferenceRequest(long Id, string Encoder, string EncoderId, IReadOnlyList<string> Levels, IReadOnlyList<InferenceInput> Inputs);

/// <summary>Problems of the request (nothing was embedded), or vectors per level.</summary>
/// <param name="Failure">What broke, when it was not the request.</param>
internal sealed record InferenceReply(long Id, IReadOnlyList<string> Problems, string? Failure, IReadOnlyList<LevelVectors> Vectors);

internal static class InferenceFrames
{
    // An encoder's name that asks for it to be let go, with no inputs.
    internal const string UnloadLevel = "\0unload";

    private const int LargestFrame = 256 << 20;

    internal static byte[] Write(InferenceRequest request) => Framed(writer =>
    {
        writer.Write(request.Id);
        writer.Write(request.Encoder);
        writer.Write(request.EncoderId);
        writer.Write(string.Join('\n', request.Levels));
        writer.Write(request.Inputs.Count);
        foreach (var input in request.Inputs)
        {
            writer.Write((byte)input.Kind);
            writer.Write(input.Shape.Count);
            foreach (var size in input.Shape) writer.Write(size);
            writer.Write(input.Bytes.Length);
            writer.Write(input.Bytes);
        }
    });

    internal static InferenceRequest ReadRequest(byte[] frame)
    {
        using var reader = new BinaryReader(new MemoryStream(frame));
        var (id, encoder, encoderId, levels) = (reader.ReadInt64(), reader.ReadString(), reader.ReadString(), reader.ReadString().Split('\n'));
        var inputs = new InferenceInput[reader.ReadInt32()];
        for (var i = 0; i < inputs.Length; i++)
        {
            var kind = (InferenceInputKind)reader.ReadByte();
            var shape = new int[reader.ReadInt32()];
            for (var d = 0; d < shape.Length; d++) shape[d] = reader.ReadInt32();
            inputs[i] = new(kind, reader.ReadBytes(reader.ReadInt32()), shape);
        }
        return new(id, encoder, encoderId, levels, inputs);
    }

    internal static byte[] Write(InferenceReply reply) => Framed(writer =>
    {
        writer.Write(reply.Id);
        writer.Write(reply.Problems.Count);
        foreach (var problem in reply.Problems) writer.Write(problem);
        writer.Write(reply.Failure ?? "");
        writer.Write(reply.Vectors.Count);
        foreach (var level in reply.Vectors)
        {
            writer.Write(level.Level);
            writer.Write(level.Dimension);
            writer.Write(level.Values.Length);
            writer.Write(MemoryMarshal.AsBytes(level.Values.AsSpan()));
        }
    });

    internal static InferenceReply ReadReply(byte[] frame)
    {
        using var reader = new BinaryReader(new MemoryStream(frame));
        var id = reader.ReadInt64();
        var problems = new string[reader.ReadInt32()];
        for (var i = 0; i < problems.Length; i++) problems[i] = reader.ReadString();
        var failure = reader.ReadString() is { Length: > 0 } said ? said : null;
        var levels = new LevelVectors[reader.ReadInt32()];
        for (var i = 0; i < levels.Length; i++)
        {
            var (level, dimension) = (reader.ReadString(), reader.ReadInt32());
            var values = new float[reader.ReadInt32()];
            reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(values.AsSpan()));
            levels[i] = new(level, dimension, values);
        }
        return new(id, problems, failure, levels);
    }

    /// <summary>The next frame; null at the end of the stream.</summary>
    internal static async Task<byte[]?> NextAsync(Stream stream, CancellationToken stop)
    {
        var length = new byte[4];
        if (await stream.ReadAtLeastAsync(length, 4, throwOnEndOfStream: false, stop) < 4) return null;
        var bytes = BinaryPrimitives.ReadInt32LittleEndian(length);
        if (bytes is < 0 or > LargestFrame) throw new InvalidDataException($"A frame of {bytes} bytes; expected at most {LargestFrame}.");
        var frame = new byte[bytes];
        return await stream.ReadAtLeastAsync(frame, bytes, throwOnEndOfStream: false, stop) < bytes ? null : frame;
    }

    private static byte[] Framed(Action<BinaryWriter> write)
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write(0);
        write(writer);
        writer.Flush();
        if (stream.Length - 4 > LargestFrame) throw new BadRequestException($"The request is larger than {LargestFrame >> 20} MiB; ask for fewer items at once.");
        var frame = stream.ToArray();
        BinaryPrimitives.WriteInt32LittleEndian(frame, frame.Length - 4);
        return frame;
    }
}
