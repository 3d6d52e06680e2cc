// Recognises what a file is: by its first bytes, and by its name only where the bytes do not say.
using FeatureForge.Data;

namespace FeatureForge.Ingest;

internal enum MediaKind
{
    Image,
    Audio,
    Text,
    Table,
    Idx,
    Zip,
    Tar,
    /// <summary>One stream, compressed: gzip, bzip2, xz, Zstandard.</summary>
    Compressed,
    /// <summary>A table that is read by columns and from its end.</summary>
    Parquet,
    Other,
}

/// <summary>A recognised format. <paramref name="Name"/> is what people call it.</summary>
internal sealed record MediaFormat(MediaKind Kind, string MediaType, string Name)
{
    /// <summary>How many first bytes recognition looks at.</summary>
    public const int HeadBytes = 4096;

    /// <summary>What is inside, where the kind says so.</summary>
    public Modality? Modality => Kind switch
    {
        MediaKind.Image or MediaKind.Idx => Data.Modality.Image,
        MediaKind.Audio => Data.Modality.Audio,
        MediaKind.Text => Data.Modality.Text,
        _ => null,
    };

    public static MediaFormat Recognise(ReadOnlySpan<byte> head, string name)
    {
        var extension = System.IO.Path.GetExtension(name).ToLowerInvariant();
        if (BySignature(head) is { } signed) return signed;
        if (ByStructure(head) is { } structured) return structured;
        if (MediaSignatures.ByExtension.TryGetValue(extension, out var named)) return named;
        if (IsIdxName(name)) return new(MediaKind.Idx, "application/x-idx", "IDX");
        // "README", "0001.12345" (numbered posts): a document, if it decodes as text.
        if (extension.Length == 0 || extension.AsSpan(1).ContainsAnyExceptInRange('0', '9') == false) return new(MediaKind.Text, "text/plain", "text");
        return new(MediaKind.Other, "application/octet-stream", $"'{extension}' file");
    }

    private static bool IsIdxName(string name) => name.EndsWith(".idx", StringComparison.OrdinalIgnoreCase) || name.EndsWith("-ubyte", StringComparison.OrdinalIgnoreCase);

    private static MediaFormat? BySignature(ReadOnlySpan<byte> head)
    {
        foreach (var (signature, format) in MediaSignatures.BySignature)
        {
            if (head.StartsWith(signature)) return format;
        }
        return null;
    }

    private static MediaFormat? ByStructure(ReadOnlySpan<byte> head)
    {
        if (head.Length >= 12 && head[4..8].SequenceEqual("ftyp"u8)) return ByBrand(head[8..12]);
        if (head.Length >= 12 && (head.StartsWith("RIFF"u8) || head.StartsWith("RIFX"u8) || head.StartsWith("RF64"u8))) return ByRiffForm(head[8..12]);
        if (head.Length >= 12 && head.StartsWith("FORM"u8) && (head[8..12].SequenceEqual("AIFF"u8) || head[8..12].SequenceEqual("AIFC"u8))) return new(MediaKind.Audio, "audio/aiff", "AIFF");
        if (IsBitmap(head)) return new(MediaKind.Image, "image/bmp", "BMP");
        if (IsIcon(head)) return new(MediaKind.Image, "image/x-icon", "icon");
        if (IsNetpbm(head)) return new(MediaKind.Image, "image/x-portable-anymap", "Netpbm");
        if (head.Length >= 3 && head[..3].SequenceEqual("ID3"u8)) return new(MediaKind.Audio, "audio/mpeg", "MP3");
        if (IsTar(head)) return new(MediaKind.Tar, "application/x-tar", "tar archive");
        if (IsIdx(head)) return new(MediaKind.Idx, "application/x-idx", "IDX");
        if (head.Length >= 4 && head[0] == 0xFF && (head[1] & 0xF6) == 0xF0) return new(MediaKind.Audio, "audio/aac", "AAC");
        if (IsMpegAudioFrame(head)) return new(MediaKind.Audio, "audio/mpeg", "MP3");
        if (head.Length > 188 * 2 && head[0] == 0x47 && head[188] == 0x47 && head[376] == 0x47) return new(MediaKind.Audio, "video/mp2t", "MPEG transport stream");
        return null;
    }

    // "BM" may also begin a text: its header says how long itself is.
    private static bool IsBitmap(ReadOnlySpan<byte> head) =>
        head.Length >= 18 && head.StartsWith("BM"u8) && head[14] is 12 or 40 or 52 or 56 or 64 or 108 or 124 or 16 && head[15] == 0 && head[16] == 0;

    // Reserved 0, type 1 (icon) or 2 (cursor), a plausible count, and a directory entry whose reserved byte is 0 (or 255, as some write it).
    private static bool IsIcon(ReadOnlySpan<byte> head) =>
        head.Length >= 22 && head[0] == 0 && head[1] == 0 && head[2] is 1 or 2 && head[3] == 0 && head[4] is > 0 && head[5] == 0 && head[9] is 0 or 255 && head[21] == 0;

    // "P6\n640 480": a letter and digit, white space, then a number or a comment.
    private static bool IsNetpbm(ReadOnlySpan<byte> head)
    {
        if (head.Length < 8 || head[0] != 'P' || head[1] is < (byte)'1' or > (byte)'7' || head[2] is not ((byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t')) return false;
        var rest = head[3..].TrimStart(" \n\r\t"u8);
        return head[1] == '7' ? rest.StartsWith("WIDTH"u8) || rest.StartsWith("#"u8) : rest.Length > 0 && (rest[0] == '#' || char.IsAsciiDigit((char)rest[0])) && IsMostlyHeader(rest);
    }

    // Prose that begins with "P1 2" is no picture: the first fields of a header are digits only.
    private static bool IsMostlyHeader(ReadOnlySpan<byte> rest)
    {
        var numbers = 0;
        while (numbers < 2 && rest.Length > 0)
        {
            if (rest[0] == '#')
            {
                var end = rest.IndexOfAny((byte)'\n', (byte)'\r');
                if (end < 0) return false;
                rest = rest[(end + 1)..].TrimStart(" \n\r\t"u8);
                continue;
            }
            var length = rest.IndexOfAnyExceptInRange((byte)'0', (byte)'9');
            if (length is < 1 or > 9) return false;
            numbers++;
            rest = rest[length..].TrimStart(" \n\r\t"u8);
        }
        return numbers == 2;
    }

    private static MediaFormat ByBrand(ReadOnlySpan<byte> brand)
    {
        if (brand.SequenceEqual("avif"u8) || brand.SequenceEqual("avis"u8)) return new(MediaKind.Image, "image/avif", "AVIF");
        if (brand.StartsWith("hei"u8) || brand.StartsWith("hev"u8) || brand.SequenceEqual("mif1"u8) || brand.SequenceEqual("msf1"u8)) return new(MediaKind.Image, "image/heic", "HEIC");
        if (brand.StartsWith("M4A"u8) || brand.StartsWith("M4B"u8)) return new(MediaKind.Audio, "audio/mp4", "M4A");
        return new(MediaKind.Audio, "video/mp4", "MP4");
    }

    private static MediaFormat ByRiffForm(ReadOnlySpan<byte> form)
    {
        if (form.SequenceEqual("WAVE"u8)) return new(MediaKind.Audio, "audio/wav", "WAV");
        if (form.SequenceEqual("WEBP"u8)) return new(MediaKind.Image, "image/webp", "WebP");
        if (form.SequenceEqual("AVI "u8)) return new(MediaKind.Audio, "video/x-msvideo", "AVI");
        return new(MediaKind.Other, "application/octet-stream", "RIFF");
    }

    // A tar block's checksum counts its own field as spaces; old archives have no signature.
    private static bool IsTar(ReadOnlySpan<byte> head)
    {
        if (head.Length < 512) return false;
        if (head.Slice(257, 5).SequenceEqual("ustar"u8)) return true;
        var (sum, declared, digits) = (0, 0, 0);
        for (var i = 0; i < 512; i++)
        {
            var inChecksum = i is >= 148 and < 156;
            sum += inChecksum ? ' ' : head[i];
            if (!inChecksum || head[i] is < (byte)'0' or > (byte)'7') continue;
            declared = declared * 8 + head[i] - '0';
            digits++;
        }
        return digits > 0 && sum == declared && head[0] != 0;
    }

    private static bool IsIdx(ReadOnlySpan<byte> head) =>
        head.Length >= 8 && head[0] == 0 && head[1] == 0 && head[2] is 0x08 or 0x09 or 0x0B or 0x0C or 0x0D or 0x0E && head[3] is >= 1 and <= 4 && head.Length >= 4 + 4 * head[3];

    private static bool IsMpegAudioFrame(ReadOnlySpan<byte> head)
    {
        if (head.Length < 4 || head[0] != 0xFF || (head[1] & 0xE0) != 0xE0) return false;
        var (version, layer, bitrate, rate) = (head[1] >> 3 & 3, head[1] >> 1 & 3, head[2] >> 4, head[2] >> 2 & 3);
        var isByteOrderMark = head[1] == 0xFE;
        return version != 1 && layer != 0 && bitrate is not 0 and not 15 && rate != 3 && !isByteOrderMark;
    }
}
