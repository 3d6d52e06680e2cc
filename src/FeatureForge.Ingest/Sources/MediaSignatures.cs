// The closed lists behind MediaFormat: first bytes, and names for what has no telling first bytes. One line adds a format.
using System.Text;

namespace FeatureForge.Ingest;

internal static class MediaSignatures
{
    public static readonly IReadOnlyList<(byte[] Bytes, MediaFormat Format)> BySignature =
    [
        Hex("FFD8FF", MediaKind.Image, "image/jpeg", "JPEG"),
        Hex("89504E47", MediaKind.Image, "image/png", "PNG"),
        Letters("GIF8", MediaKind.Image, "image/gif", "GIF"),
        Hex("49492A00", MediaKind.Image, "image/tiff", "TIFF"),
        Hex("4D4D002A", MediaKind.Image, "image/tiff", "TIFF"),
        Hex("0000000C6A502020", MediaKind.Image, "image/jp2", "JPEG 2000"),
        Hex("FF4FFF51", MediaKind.Image, "image/jp2", "JPEG 2000"),
        Hex("FF0A", MediaKind.Image, "image/jxl", "JPEG XL"),
        Letters("8BPS", MediaKind.Image, "image/vnd.adobe.photoshop", "Photoshop"),
        Letters("DDS ", MediaKind.Image, "image/vnd-ms.dds", "DirectDraw surface"),
        Letters("fLaC", MediaKind.Audio, "audio/flac", "FLAC"),
        Letters("OggS", MediaKind.Audio, "audio/ogg", "Ogg"),
        Letters(".snd", MediaKind.Audio, "audio/basic", "AU"),
        Letters("caff", MediaKind.Audio, "audio/x-caf", "CAF"),
        Letters("wvpk", MediaKind.Audio, "audio/x-wavpack", "WavPack"),
        Letters("MAC ", MediaKind.Audio, "audio/x-ape", "Monkey's Audio"),
        Letters("MPCK", MediaKind.Audio, "audio/x-musepack", "Musepack"),
        Letters("MP+", MediaKind.Audio, "audio/x-musepack", "Musepack"),
        Letters("TTA1", MediaKind.Audio, "audio/x-tta", "True Audio"),
        Letters("#!AMR", MediaKind.Audio, "audio/amr", "AMR"),
        Letters("riff.", MediaKind.Audio, "audio/x-w64", "Wave64"),
        Hex("0B77", MediaKind.Audio, "audio/ac3", "AC-3"),
        Hex("3026B2758E66CF11", MediaKind.Audio, "audio/x-ms-asf", "Windows Media"),
        Hex("1A45DFA3", MediaKind.Audio, "video/x-matroska", "Matroska"),
        Letters("FLV", MediaKind.Audio, "video/x-flv", "Flash video"),
        Hex("000001BA", MediaKind.Audio, "video/mpeg", "MPEG video"),
        Hex("000001B3", MediaKind.Audio, "video/mpeg", "MPEG video"),
        Hex("504B0304", MediaKind.Zip, "application/zip", "zip archive"),
        Hex("504B0506", MediaKind.Zip, "application/zip", "zip archive"),
        Hex("504B0606", MediaKind.Zip, "application/zip", "zip archive"),
        Hex("1F8B", MediaKind.Compressed, "application/gzip", "gzip"),
        Letters("BZh", MediaKind.Compressed, "application/x-bzip2", "bzip2"),
        Hex("FD377A585A00", MediaKind.Compressed, "application/x-xz", "xz"),
        Hex("28B52FFD", MediaKind.Compressed, "application/zstd", "Zstandard"),
        Hex("377ABCAF271C", MediaKind.Other, "application/x-7z-compressed", "7-Zip archive"),
        Letters("Rar!", MediaKind.Other, "application/vnd.rar", "RAR archive"),
        Letters("%PDF-", MediaKind.Other, "application/pdf", "PDF"),
        Letters("PAR1", MediaKind.Parquet, "application/vnd.apache.parquet", "Parquet"),
        Letters("ARROW1", MediaKind.Other, "application/vnd.apache.arrow.file", "Arrow"),
        Letters("SQLite format 3", MediaKind.Other, "application/vnd.sqlite3", "SQLite"),
        Letters("MThd", MediaKind.Other, "audio/midi", "MIDI"),
        Hex("7F454C46", MediaKind.Other, "application/x-elf", "program"),
        Hex("D0CF11E0A1B11AE1", MediaKind.Other, "application/x-ole-storage", "Office document"),
        Letters("{\\rtf", MediaKind.Other, "application/rtf", "RTF"),
    ];

    public static readonly IReadOnlyDictionary<string, MediaFormat> ByExtension = new (string Extensions, MediaFormat Format)[]
    {
        (".jpg .jpeg .jpe .jfif .mpo", new(MediaKind.Image, "image/jpeg", "JPEG")),
        (".png", new(MediaKind.Image, "image/png", "PNG")),
        (".gif", new(MediaKind.Image, "image/gif", "GIF")),
        (".webp", new(MediaKind.Image, "image/webp", "WebP")),
        (".bmp .dib", new(MediaKind.Image, "image/bmp", "BMP")),
        (".tif .tiff", new(MediaKind.Image, "image/tiff", "TIFF")),
        (".tga .icb .vda .vst", new(MediaKind.Image, "image/x-tga", "Targa")),
        (".ppm .pgm .pbm .pnm .pam .pfm", new(MediaKind.Image, "image/x-portable-anymap", "Netpbm")),
        (".ico .cur", new(MediaKind.Image, "image/x-icon", "icon")),
        (".jp2 .j2k .jpf .jpx", new(MediaKind.Image, "image/jp2", "JPEG 2000")),
        (".sgi .rgb .pcx .psd .dds .blp .fli .flc .msp .fits .spider .icns .exr .hdr .xbm .xpm .svg .heic .avif .jxl", new(MediaKind.Image, "image/x-unknown", "rare image")),
        (".wav .wave .bwf .rf64", new(MediaKind.Audio, "audio/wav", "WAV")),
        (".flac", new(MediaKind.Audio, "audio/flac", "FLAC")),
        (".ogg .oga .opus .spx", new(MediaKind.Audio, "audio/ogg", "Ogg")),
        (".mp3 .mp2 .mp1 .mpga", new(MediaKind.Audio, "audio/mpeg", "MP3")),
        (".m4a .m4b .mp4 .mov .3gp", new(MediaKind.Audio, "audio/mp4", "MP4")),
        (".aac", new(MediaKind.Audio, "audio/aac", "AAC")),
        (".aif .aiff .aifc", new(MediaKind.Audio, "audio/aiff", "AIFF")),
        (".au .snd", new(MediaKind.Audio, "audio/basic", "AU")),
        (".wma .wmv .asf", new(MediaKind.Audio, "audio/x-ms-asf", "Windows Media")),
        (".mpc .ape .wv .tta .ac3 .dts .amr .caf .mka .mkv .webm .avi .mpg .mpeg .ts .flv", new(MediaKind.Audio, "audio/x-unknown", "rare audio")),
        (".csv", new(MediaKind.Table, "text/csv", "CSV")),
        (".tsv .tab", new(MediaKind.Table, "text/tab-separated-values", "TSV")),
        (".jsonl .ndjson", new(MediaKind.Table, "application/x-ndjson", "JSONL")),
        (".txt .text .log .srt .vtt", new(MediaKind.Text, "text/plain", "text")),
        (".md .markdown .rst", new(MediaKind.Text, "text/markdown", "text")),
        (".tex", new(MediaKind.Text, "application/x-tex", "text")),
        (".html .htm .xhtml", new(MediaKind.Text, "text/html", "HTML")),
        (".zip", new(MediaKind.Zip, "application/zip", "zip archive")),
        (".tar", new(MediaKind.Tar, "application/x-tar", "tar archive")),
        (".gz .tgz", new(MediaKind.Compressed, "application/gzip", "gzip")),
        (".bz2 .tbz .tbz2", new(MediaKind.Compressed, "application/x-bzip2", "bzip2")),
        (".xz .txz", new(MediaKind.Compressed, "application/x-xz", "xz")),
        (".zst .tzst", new(MediaKind.Compressed, "application/zstd", "Zstandard")),
        (".parquet", new(MediaKind.Parquet, "application/vnd.apache.parquet", "Parquet")),
    }.SelectMany(row => row.Extensions.Split(' ').Select(extension => (extension, row.Format))).ToDictionary(row => row.extension, row => row.Format);

    /// <summary>Zip files that are documents or programs of their own, not archives of media.</summary>
    public static bool IsZipBasedDocument(string name) => System.IO.Path.GetExtension(name).ToLowerInvariant() is
        ".docx" or ".xlsx" or ".pptx" or ".odt" or ".ods" or ".odp" or ".epub" or ".jar" or ".apk" or ".whl" or ".nupkg" or ".npz" or ".xpi" or ".kmz";

    private static (byte[], MediaFormat) Hex(string bytes, MediaKind kind, string mediaType, string name) => (Convert.FromHexString(bytes), new(kind, mediaType, name));

    private static (byte[], MediaFormat) Letters(string letters, MediaKind kind, string mediaType, string name) => (Encoding.ASCII.GetBytes(letters), new(kind, mediaType, name));
}
