// A row as bytes that two machines agree on, for content hashes: each value with its length or presence before it.
using System.Buffers;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace FeatureForge.Data;

/// <summary>Collects one row's values; <see cref="Finish"/> gives their SHA-256 and starts the next row.</summary>
internal sealed class CanonicalEncoder
{
    private readonly ArrayBufferWriter<byte> _buffer = new(4096);

    internal void Add(string? text) => Add(text is null ? null : Encoding.UTF8.GetBytes(text));

    internal void Add(byte[]? bytes)
    {
        if (bytes is null) Write(-1);
        else
        {
            Write(bytes.Length);
            _buffer.Write(bytes);
        }
    }

    internal void Add(int count) => Write(count);

    internal void Add<T>(T? value) where T : unmanaged
    {
        if (value is not { } present)
        {
            _buffer.Write("\0"u8);
            return;
        }
        _buffer.Write("\u0001"u8);
        _buffer.Write(MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in present)));
    }

    internal void AddAll(ReadOnlySpan<float> values)
    {
        Write(values.Length);
        _buffer.Write(MemoryMarshal.AsBytes(values));
    }

    internal void AddAll(ReadOnlySpan<byte> values)
    {
        Write(values.Length);
        _buffer.Write(values);
    }

    internal void Finish(Span<byte> sha256)
    {
        SHA256.HashData(_buffer.WrittenSpan, sha256);
        _buffer.ResetWrittenCount();
    }

    private void Write(int number) => _buffer.Write(MemoryMarshal.AsBytes(new ReadOnlySpan<int>(in number)));
}
