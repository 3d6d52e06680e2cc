// The prepared parts of one corpus, memory-mapped: what training and extraction read.
using System.Text.Json;
using Apache.Arrow;
using Apache.Arrow.Ipc;

namespace FeatureForge.Data;

/// <summary>Items [First, First + Count) come from part number <paramref name="Number"/>.</summary>
public sealed record PreparedPart(int Number, int First, int Count);

/// <summary>All prepared parts of a corpus, memory-mapped; safe to read from several threads.</summary>
public sealed class PreparedCorpus : IDisposable
{
    /// <summary>One record batch: item numbers start at First.</summary>
    private sealed record Slice(int First, RecordBatch Batch);

    private readonly List<MappedFile> _files = [];
    private readonly List<Slice> _slices = [];
    private readonly List<PreparedPart> _parts = [];

    private PreparedCorpus(PreparationSpec preparation) => Preparation = preparation;

    public PreparationSpec Preparation { get; }
    public int Count { get; private set; }

    /// <summary>Item number ranges per part, in part order: extraction's units of work.</summary>
    public IReadOnlyList<PreparedPart> Parts => _parts;

    /// <summary>Where prepared.json of this preparation lies.</summary>
    public static string Folder(Store store, string corpus, PreparationSpec preparation) => Path.Combine(store.CorpusFolder(corpus), "prepared", preparation.Hash);

    /// <summary>The manifest, or null when this preparation was never made.</summary>
    public static PreparedManifest? FindManifest(Store store, string corpus, PreparationSpec preparation)
    {
        var path = Path.Combine(Folder(store, corpus, preparation), "prepared.json");
        return File.Exists(path) ? JsonSerializer.Deserialize<PreparedManifest>(File.ReadAllText(path), SpecJson.Readable) : null;
    }

    /// <summary>Maps every part.</summary>
    /// <exception cref="BadRequestException">The corpus has no such preparation; a prepare run makes it.</exception>
    public static PreparedCorpus Open(Store store, string corpus, PreparationSpec preparation)
    {
        var manifest = FindManifest(store, corpus, preparation)
            ?? throw new BadRequestException($"Corpus '{corpus}' holds no {preparation.Modality.ToString().ToLowerInvariant()} items prepared as {preparation.Hash}. Ingest items of that modality first.");
        return Open(Folder(store, corpus, preparation), manifest);
    }

    /// <summary>Maps the parts of a manifest that lie in <paramref name="folder"/>.</summary>
    public static PreparedCorpus Open(string folder, PreparedManifest manifest)
    {
        var prepared = new PreparedCorpus(manifest.Preparation);
        foreach (var part in manifest.Parts.OrderBy(part => part.Path, StringComparer.Ordinal)) prepared.AddPart(Path.Combine(folder, part.Path));
        return prepared;
    }

    private void AddPart(string path)
    {
        var mapped = new MappedFile(path);
        _files.Add(mapped);
        var first = Count;
        // An Arrow file is its magic, padded to 8 bytes, followed by the messages of a stream.
        var reader = new ArrowStreamReader(mapped.Memory[8..]);
        while (reader.ReadNextRecordBatch() is { } batch)
        {
            _slices.Add(new(Count, batch));
            Count += batch.Length;
        }
        _parts.Add(new(int.Parse(Path.GetFileNameWithoutExtension(path)["part-".Length..], System.Globalization.CultureInfo.InvariantCulture), first, Count - first));
    }

    public string ItemId(int item)
    {
        var (batch, row) = At(item);
        return ((StringArray)batch.Column(0)).GetString(row);
    }

    /// <summary>Pixels of the source image.</summary>
    public (int Width, int Height) SourceSize(int item)
    {
        var (batch, row) = At(item);
        return (((Int32Array)batch.Column(1)).Values[row], ((Int32Array)batch.Column(2)).Values[row]);
    }

    /// <summary>[3, S, S] uint8, channel first.</summary>
    public ReadOnlySpan<byte> Pixels(int item)
    {
        var (batch, row) = At(item);
        var size = PreparedSchema.PixelBytes(Preparation);
        return batch.Column(3).Data.Buffers[1].Span.Slice(row * size, size);
    }

    /// <summary>Mono samples at the preparation's rate.</summary>
    public ReadOnlySpan<short> Samples(int item)
    {
        var (batch, row) = At(item);
        var list = (ListArray)batch.Column(2);
        return ((Int16Array)list.Values).Values.Slice(list.ValueOffsets[row], list.ValueOffsets[row + 1] - list.ValueOffsets[row]);
    }

    /// <summary>Decoded length in milliseconds.</summary>
    public int DurationMs(int item)
    {
        var (batch, row) = At(item);
        return ((Int32Array)batch.Column(1)).Values[row];
    }

    public string Text(int item)
    {
        var (batch, row) = At(item);
        return ((StringArray)batch.Column(1)).GetString(row);
    }

    private (RecordBatch Batch, int Row) At(int item)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(item);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(item, Count);
        var (low, high) = (0, _slices.Count - 1);
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            if (_slices[middle].First <= item) low = middle;
            else high = middle - 1;
        }
        return (_slices[low].Batch, item - _slices[low].First);
    }

    public void Dispose()
    {
        foreach (var slice in _slices) slice.Batch.Dispose();
        foreach (var file in _files) ((IDisposable)file).Dispose();
        _slices.Clear();
        _files.Clear();
    }
}
