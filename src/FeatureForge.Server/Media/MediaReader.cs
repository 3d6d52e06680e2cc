// Pictures and recordings for pages: small results are cached, decoding is limited to as many at once as there are processors.
using System.Text;
using FeatureForge.Data;
using FeatureForge.Ingest;

namespace FeatureForge.Server;

/// <summary>Thumbnails, waveforms and recordings of items. Thread-safe.</summary>
public sealed class MediaReader(Store store, ItemReader items)
{
    private const long CacheBytes = 64L << 20;
    /// <summary>What is played of a recording that was not prepared.</summary>
    private const double UnpreparedSeconds = 600;

    private readonly BoundedCache<string, PreviewFile?> _cache = new(CacheBytes, picture => 200 + (picture?.Bytes.Length ?? 0));
    private readonly SemaphoreSlim _decoding = new(Environment.ProcessorCount);

    /// <summary>Null when there is no such picture or it cannot be shown.</summary>
    /// <param name="size">Pixels on the longer side at most.</param>
    public Task<PreviewFile?> ThumbnailAsync(CorpusManifest corpus, string itemId, int size, CancellationToken stop) =>
        _cache.GetAsync($"{corpus.Name}/{corpus.Version}/{itemId}/{size}", () => DecodeAsync(corpus, itemId, item => MediaPreview.Thumbnail(item, size), CancellationToken.None), stop);

    /// <summary>Null when there is no such recording or it was not prepared.</summary>
    public Task<PreviewFile?> WaveformAsync(CorpusManifest corpus, string itemId, int bars, CancellationToken stop) =>
        _cache.GetAsync($"{corpus.Name}/{corpus.Version}/{itemId}/bars{bars}", async () =>
        {
            using var prepared = await OpenPreparedAsync(corpus, itemId, Modality.Audio, CancellationToken.None);
            return prepared == null ? null : new PreviewFile(Encoding.UTF8.GetBytes(Waveform.Svg(prepared, bars)), "image/svg+xml");
        }, stop);

    /// <summary>The recording as WAV, or null. The caller disposes the stream.</summary>
    public async Task<Stream?> AudioAsync(CorpusManifest corpus, string itemId, CancellationToken stop)
    {
        if (await OpenPreparedAsync(corpus, itemId, Modality.Audio, stop) is { } prepared) return new WavStream(prepared);
        var wave = await DecodeAsync(corpus, itemId, item => MediaPreview.Wave(item, UnpreparedSeconds, stop), stop);
        return wave == null ? null : new MemoryStream(wave.Bytes);
    }

    private async Task<PreviewFile?> DecodeAsync(CorpusManifest corpus, string itemId, Func<ItemRow, PreviewFile?> decode, CancellationToken stop)
    {
        await _decoding.WaitAsync(stop);
        try
        {
            return await items.FindAsync(corpus, itemId, withContent: true, stop) is { } item ? decode(item) : null;
        }
        finally { _decoding.Release(); }
    }

    private async Task<PreparedItem?> OpenPreparedAsync(CorpusManifest corpus, string itemId, Modality modality, CancellationToken stop) =>
        await items.PartOfAsync(corpus, itemId, stop) is { } part ? PreparedItem.Open(store, corpus, modality, part, itemId) : null;
}
