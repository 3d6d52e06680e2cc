// Pictures and recordings for pages: small results are cached, decoding is limited to as many at once as there are processors.
using System.Text;
using FeatureForge.Data;

namespace FeatureForge.Server;

/// <summary>Thumbnails, waveforms and recordings of items. Thread-safe.</summary>
public sealed class MediaReader(Store store, ItemReader items)
{
    private const long CacheBytes = 64L << 20;
    /// <summary>A picture by reference whose file is larger is shown from its prepared form.</summary>
    private const long MaxFileBytes = 64L << 20;

    private readonly BoundedCache<string, EncodedPicture?> _cache = new(CacheBytes, picture => 200 + (picture?.Bytes.Length ?? 0));
    private readonly SemaphoreSlim _decoding = new(Environment.ProcessorCount);

    /// <summary>Null when there is no such picture or it cannot be shown.</summary>
    /// <param name="size">Pixels on the longer side at most.</param>
    public Task<EncodedPicture?> ThumbnailAsync(CorpusManifest corpus, string itemId, int size, CancellationToken stop) =>
        _cache.GetAsync($"{corpus.Name}/{corpus.Version}/{itemId}/{size}", () => MakeThumbnailAsync(corpus, itemId, size), stop);

    /// <summary>Null when there is no such recording or it was not prepared.</summary>
    public Task<EncodedPicture?> WaveformAsync(CorpusManifest corpus, string itemId, int bars, CancellationToken stop) =>
        _cache.GetAsync($"{corpus.Name}/{corpus.Version}/{itemId}/bars{bars}", async () =>
        {
            using var prepared = await OpenPreparedAsync(corpus, itemId, Modality.Audio, CancellationToken.None);
            return prepared == null ? null : new EncodedPicture(Encoding.UTF8.GetBytes(Waveform.Svg(prepared.Samples, bars)), "image/svg+xml");
        }, stop);

    /// <summary>The recording as WAV, or null. The caller disposes the stream.</summary>
    public async Task<Stream?> AudioAsync(CorpusManifest corpus, string itemId, CancellationToken stop) =>
        await OpenPreparedAsync(corpus, itemId, Modality.Audio, stop) is { } prepared ? new WavStream(prepared) : null;

    private async Task<EncodedPicture?> MakeThumbnailAsync(CorpusManifest corpus, string itemId, int size)
    {
        await _decoding.WaitAsync();
        try
        {
            if (await items.FindAsync(corpus, itemId, withContent: true, CancellationToken.None) is not { Modality: Modality.Image } item) return null;
            if (await ContentAsync(item) is { } content && Thumbnail.FromEncoded(content, size) is { } picture) return picture;
            using var prepared = await OpenPreparedAsync(corpus, itemId, Modality.Image, CancellationToken.None);
            return prepared?.Preparation.ImageSize is { } side
                ? Thumbnail.FromPrepared(prepared.Pixels, side, item.Width ?? side, item.Height ?? side, size)
                : null;
        }
        finally { _decoding.Release(); }
    }

    private async Task<PreparedItem?> OpenPreparedAsync(CorpusManifest corpus, string itemId, Modality modality, CancellationToken stop) =>
        await items.PartOfAsync(corpus, itemId, stop) is { } part ? PreparedItem.Open(store, corpus, modality, part, itemId) : null;

    // The file of an item by reference, checked against the item's id: the path comes from a table, not from the request.
    private static async Task<byte[]?> ContentAsync(ItemRow item)
    {
        if (!item.MediaType.StartsWith("image/", StringComparison.Ordinal)) return null;
        if (item.Content != null) return item.Content;
        if (!Uri.TryCreate(item.SourceUri, UriKind.Absolute, out var source) || !source.IsFile) return null;
        var file = new FileInfo(source.LocalPath);
        if (!file.Exists || file.Length > MaxFileBytes) return null;
        var bytes = await File.ReadAllBytesAsync(file.FullName);
        return ContentId.Of(bytes) == item.ItemId ? bytes : null;
    }
}
