// One open safetensors file: its header is checked as a whole before anything is allocated, then tensors are read one by one
// straight into their own memory, so that a file of many gigabytes is never in memory twice.
using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Tensors;

/// <summary>What the header says of one tensor. <paramref name="Start"/> counts bytes from the file's beginning.</summary>
/// <param name="Type">The format's name of the element type, for instance F32.</param>
public sealed record SafetensorsEntry(string Name, string Type, IReadOnlyList<long> Shape, long Start, long Bytes)
{
    /// <summary>For messages: "F32 [2, 3]".</summary>
    public override string ToString() => $"{Type} [{string.Join(", ", Shape)}]";
}

/// <summary>A file whose header has been read and found sound.</summary>
public sealed class SafetensorsFile : IDisposable
{
    private const int LargestHeader = 100_000_000;
    private const int BytesPerRead = 1 << 30;

    private readonly SafeFileHandle _file;
    private readonly string _path;

    private SafetensorsFile(string path, SafeFileHandle file, SafetensorsHeader header)
    {
        (_path, _file) = (path, file);
        Entries = header.Entries.ToDictionary(entry => entry.Name, StringComparer.Ordinal);
        Metadata = header.Metadata;
    }

    /// <summary>The tensors that the file holds, by name.</summary>
    public IReadOnlyDictionary<string, SafetensorsEntry> Entries { get; }

    /// <summary>Strings by name.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Reads and checks the header.</summary>
    /// <exception cref="InvalidDataException">The file is not whole, not safetensors, or pickled; the sentence says which.</exception>
    public static SafetensorsFile Open(string path)
    {
        var file = File.OpenHandle(path);
        try
        {
            var length = RandomAccess.GetLength(file);
            Span<byte> first = stackalloc byte[8];
            if (length < 8 || RandomAccess.Read(file, first, 0) < 8) throw Broken(path, "the file is shorter than 8 bytes");
            // Zip archives (PyTorch since 1.6) and bare pickles of protocol 2 and later.
            if (first.StartsWith("PK\x03\x04"u8) || (first[0] == 0x80 && first[1] is >= 2 and <= 5 && first[7] != 0)) throw Pickled(path);
            var size = BinaryPrimitives.ReadUInt64LittleEndian(first);
            if (size > LargestHeader) throw Broken(path, $"its header claims {size} bytes; the format allows {LargestHeader}");
            if (size < 2 || (long)size > length - 8) throw Broken(path, $"its header claims {size} bytes of a file of {length}");
            var header = new byte[size];
            Fill(path, file, header, 8);
            return new(path, file, SafetensorsHeader.Parse(path, header, 8 + (long)size, length));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>A tensor on the host; it belongs to the caller's dispose scope.</summary>
    /// <exception cref="InvalidDataException">There is no such tensor, or its element type cannot be read.</exception>
    public Tensor Read(string name)
    {
        if (!Entries.TryGetValue(name, out var entry)) throw new InvalidDataException($"{_path} has no tensor '{name}'.");
        if (Safetensors.TypeOf(entry.Type) is not { } type)
            throw new InvalidDataException($"{_path}: tensor '{name}' is of type {entry.Type}, which cannot be read; readable are {Safetensors.TypeNames}. Convert it, for instance to F32.");
        var tensor = empty([.. entry.Shape], dtype: type, device: CPU);
        // One span holds less than 2 GiB: larger tensors are filled stretch by stretch.
        using var flat = tensor.view(-1);
        var perRead = BytesPerRead / tensor.ElementSize;
        for (var from = 0L; from < flat.numel(); from += perRead)
        {
            using var stretch = flat.narrow(0, from, Math.Min(perRead, flat.numel() - from));
            Fill(_path, _file, stretch.bytes, entry.Start + from * tensor.ElementSize);
        }
        return tensor;
    }

    private static void Fill(string path, SafeFileHandle file, Span<byte> target, long offset)
    {
        while (target.Length > 0)
        {
            var read = RandomAccess.Read(file, target, offset);
            if (read == 0) throw Broken(path, $"it ended at byte {offset} while being read");
            target = target[read..];
            offset += read;
        }
    }

    private static InvalidDataException Broken(string path, string what) => Safetensors.Broken(path, what);

    private static InvalidDataException Pickled(string path) => new(
        $"{path} is a pickled PyTorch file, not safetensors. Unpickling runs code that the file brings, so it is never read here. Convert it where you trust it: "
        + "python -c \"import sys, torch, safetensors.torch as s; s.save_file({k: v.contiguous() for k, v in torch.load(sys.argv[1], weights_only=True).items()}, sys.argv[2])\" model.bin model.safetensors");

    public void Dispose() => _file.Dispose();
}
