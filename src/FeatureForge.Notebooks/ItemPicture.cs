// Pictures, sounds and texts as HTML that carries its own bytes.
using System.Buffers.Binary;
using System.IO.Compression;
using FeatureForge.Data;

namespace FeatureForge.Notebooks;

internal static class ItemPicture
{
    /// <summary>Items of more bytes are named instead of shown, so that a page of them stays a page.</summary>
    private const int MostBytes = 1 << 20;
    private const int MostCharacters = 300;
    private const string RawPixels = "application/x-idx-ubyte";
    private static readonly HashSet<string> _pictures = ["image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp", "image/x-icon"];
    private static readonly HashSet<string> _sounds = ["audio/wav", "audio/x-wav", "audio/vnd.wave", "audio/mpeg", "audio/flac", "audio/x-flac", "audio/ogg", "audio/mp4", "audio/aac", "audio/webm"];

    internal static string Of(ItemRow item)
    {
        var title = $"{item.Path} ({item.ItemId})";
        var inner = item switch
        {
            { Modality: Modality.Text } => $"<pre style=\"white-space:pre-wrap;max-width:24em;margin:0\">{Html.Text(Shorten(item.Text ?? ""))}</pre>",
            { Content: null } => Named(item, "kept by reference"),
            { Content.Length: > MostBytes } => Named(item, $"{item.ByteSize} bytes"),
            { MediaType: RawPixels, Width: { } width, Height: { } height, Channels: { } channels } => Image("image/png", Png(item.Content, width, height, channels), title),
            _ when _pictures.Contains(item.MediaType) => Image(item.MediaType, item.Content, title),
            _ when _sounds.Contains(item.MediaType) => $"<audio controls preload=\"none\" src=\"{Uri(item.MediaType, item.Content)}\"></audio>",
            _ => Named(item, item.MediaType),
        };
        return $"<figure style=\"display:inline-block;margin:4px;vertical-align:top\" title=\"{Html.Text(title)}\">{inner}<figcaption style=\"font-size:11px;max-width:24em;overflow-wrap:anywhere\">{Html.Text(item.Path)}</figcaption></figure>";
    }

    private static string Shorten(string text)
    {
        if (text.Length <= MostCharacters) return text;
        // Not in the middle of a pair of surrogates.
        var end = char.IsHighSurrogate(text[MostCharacters - 1]) ? MostCharacters - 1 : MostCharacters;
        return text[..end] + "…";
    }

    private static string Named(ItemRow item, string why) => $"<div style=\"border:1px solid #999;padding:8px\">{Html.Text(item.Modality.ToString().ToLowerInvariant())}, {Html.Text(why)}</div>";

    private static string Image(string mediaType, byte[] bytes, string title) => $"<img style=\"max-width:128px;max-height:128px;min-width:48px\" alt=\"{Html.Text(title)}\" src=\"{Uri(mediaType, bytes)}\">";

    private static string Uri(string mediaType, byte[] bytes) => $"data:{mediaType};base64,{Convert.ToBase64String(bytes)}";

    /// <summary>Raw pixels [height, width, channels] as a PNG; 1, 3 or 4 channels.</summary>
    private static byte[] Png(ReadOnlySpan<byte> pixels, int width, int height, int channels)
    {
        var row = width * channels;
        if (pixels.Length != row * height) throw new ArgumentException($"Expected {height} x {width} x {channels} bytes of pixels, found {pixels.Length}.");
        using var png = new MemoryStream();
        png.Write([0x89, .. "PNG\r\n"u8, 0x1A, 0x0A]);
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9]) = (8, channels switch { 1 => (byte)0, 3 => (byte)2, _ => (byte)6 });
        Chunk(png, "IHDR"u8, header);
        using var data = new MemoryStream();
        using (var deflate = new ZLibStream(data, CompressionLevel.Fastest, leaveOpen: true))
        {
            for (var y = 0; y < height; y++)
            {
                deflate.WriteByte(0); // no filter
                deflate.Write(pixels.Slice(y * row, row));
            }
        }
        Chunk(png, "IDAT"u8, data.ToArray());
        Chunk(png, "IEND"u8, []);
        return png.ToArray();
    }

    private static void Chunk(MemoryStream png, ReadOnlySpan<byte> kind, ReadOnlySpan<byte> data)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
        png.Write(number);
        png.Write(kind);
        png.Write(data);
        BinaryPrimitives.WriteUInt32BigEndian(number, ~Check(Check(uint.MaxValue, kind), data));
        png.Write(number);
    }

    /// <summary>CRC-32 as PNG wants it (ISO 3309), continued from <paramref name="sum"/>.</summary>
    private static uint Check(uint sum, ReadOnlySpan<byte> bytes)
    {
        foreach (var value in bytes)
        {
            sum ^= value;
            for (var bit = 0; bit < 8; bit++) sum = (sum & 1) == 0 ? sum >> 1 : (sum >> 1) ^ 0xEDB88320;
        }
        return sum;
    }
}
