// Decodes an item again from its row: from the stored bytes, or from its file when it was ingested by reference.
using FeatureForge.Data;
using SkiaSharp;

namespace FeatureForge.Ingest;

internal static class StoredItem
{
    // What was accepted once is not refused for its size.
    private static readonly IngestLimits Limits = new() { ImagePixels = long.MaxValue, AudioSeconds = 1e7, SecondsPerFile = 24 * 3600 };

    /// <exception cref="FileNotFoundException">Its file has gone.</exception>
    public static MediaContent Content(ItemRow row)
    {
        if (row.Content != null) return new(row.Content, null);
        if (RemoteReader.IsRemote(row.SourceUri)) return new(RemoteContent.Read(row), null);
        var path = FileUri.PathOf(row.SourceUri) ?? throw new FileNotFoundException($"Item {row.ItemId} lies at {row.SourceUri}, which is no file.");
        if (OperatingSystem.IsLinux() && FileUri.Of(path) != row.SourceUri) return new(WithRawName(row), null);
        return File.Exists(path) ? new(null, path) : throw new FileNotFoundException($"Item {row.ItemId} was ingested by reference and its file {path} has gone.");
    }

    // A name that is not UTF-8 has no string that opens it.
    private static byte[] WithRawName(ItemRow row)
    {
        using var file = LinuxFiles.Open(FileUri.BytesOf(row.SourceUri));
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    }

    public static DecodedImage Image(ItemRow row, IReadOnlyList<int> sizes)
    {
        var content = Content(row);
        if (row.MediaType == RawPixels.MediaType) return RawPixels.Decode(content.Bytes!, row.Width!.Value, row.Height!.Value, row.Channels!.Value, sizes);
        using var data = content.Bytes != null ? SKData.CreateCopy(content.Bytes) : SKData.Create(content.FilePath);
        return ImageDecoder.Decode(data, new(MediaKind.Image, row.MediaType, row.MediaType), sizes, Limits, long.MaxValue);
    }

    /// <summary>Interleaved RGB pixels as stored, both sides at least <paramref name="size"/> where the source has that many.</summary>
    public static DecodedPixels Rgb(ItemRow row, int size)
    {
        var content = Content(row);
        if (row.MediaType == RawPixels.MediaType) return new(RawPixels.ToRgb(content.Bytes!, row.Channels!.Value), row.Width!.Value, row.Height!.Value, SKEncodedOrigin.TopLeft, row.Width.Value, row.Height.Value, row.Channels.Value);
        using var data = content.Bytes != null ? SKData.CreateCopy(content.Bytes) : SKData.Create(content.FilePath);
        return ImageDecoder.Read(data, new(MediaKind.Image, row.MediaType, row.MediaType), size, Limits, long.MaxValue);
    }

    public static DecodedAudio Audio(ItemRow row, int rate, string scratchFolder, CancellationToken stop, long mostSamples = long.MaxValue)
    {
        var content = Content(row);
        using var stream = content.Open();
        var format = MediaFormat.Recognise(PrefixedStream.TakeHead(stream, MediaFormat.HeadBytes), row.Path);
        return AudioDecoder.Decode(content, format, rate, Limits, mostSamples, scratchFolder, stop);
    }
}
