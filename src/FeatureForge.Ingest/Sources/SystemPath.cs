// A path as the system holds it. Linux names are bytes; those that are not UTF-8 have no string that opens them.
using System.Text;

namespace FeatureForge.Ingest;

/// <summary><paramref name="Text"/> is the path itself; where its bytes are no UTF-8, <paramref name="Bytes"/> is, and the text shows each such byte as `\xNN`.</summary>
internal sealed record SystemPath(string Text, byte[]? Bytes)
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static SystemPath Of(string path) => new(System.IO.Path.GetFullPath(path), null);

    /// <summary>The exact `file:` URI, also of names that are no text.</summary>
    public string Uri => Bytes == null ? FileUri.Of(Text) : FileUri.Of(Bytes);

    public byte[] ToBytes() => Bytes ?? Encoding.UTF8.GetBytes(Text);

    public SystemPath Child(string name, byte[]? nameBytes)
    {
        var text = Text.EndsWith('/') ? Text + name : $"{Text}/{name}";
        return new(text, Bytes == null && nameBytes == null ? null : [.. ToBytes(), .. "/"u8, .. nameBytes ?? Encoding.UTF8.GetBytes(name)]);
    }

    /// <summary>A name's text, and its bytes when they are not UTF-8.</summary>
    public static (string Name, byte[]? Bytes) NameOf(byte[] bytes)
    {
        try
        {
            return (Strict.GetString(bytes), null);
        }
        catch (DecoderFallbackException)
        {
            return (Shown(bytes), bytes);
        }
    }

    private static string Shown(ReadOnlySpan<byte> bytes)
    {
        var shown = new StringBuilder();
        while (bytes.Length > 0)
        {
            if (Rune.DecodeFromUtf8(bytes, out var rune, out var used) == System.Buffers.OperationStatus.Done) shown.Append(rune);
            else foreach (var wrong in bytes[..used]) shown.Append($"\\x{wrong:X2}");
            bytes = bytes[used..];
        }
        return shown.ToString();
    }
}
