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
    /// <summary>One record batch: row numbers start at First.</summary>
    private sealed record Slice(int First, RecordBatch Batch);

    private readonly List<MappedFile> _files = [];
    private readonly List<Slice> _slices = [];
    private readonly List<PreparedPart> _parts = [];
    // Audio alone: the row that each item begins with; long recordings have several.
    private readonly List<int> _firstRows = [];
    private int _rows;
    // Numbers of the items that are not removed; null when none is.
    private int[]? _kept;

    private PreparedCorpus(PreparationSpec preparation) => Preparation = preparation;

    public PreparationSpec Preparation { get; }
    public int Count { get; private set; }

    /// <summary>Item number ranges per part, in part order: extraction's units of work.</summary>
    public IReadOnlyList<PreparedPart> Parts => _parts;

    /// <summary>Where prepared.json of this preparation lies.</summary>
    public static string Folder(Store store, string corpus, PreparationSpec preparation) => Path.Combine(store.CorpusFolder(corpus), "prepared", preparation.Hash);

    /// <summary>The manifest, or null when this preparation was never made.</summary>
    public static PreparedManifest? FindManifest(Store store, string corpus, PreparationSpec preparation) => ReadManifest(store, Folder(store, corpus, preparation));

    internal static PreparedManifest? ReadManifest(Store store, string folder) => store.Read<PreparedManifest>(Path.Combine(folder, "prepared.json"));

    /// <summary>Maps every part.</summary>
    /// <exception cref="BadRequestException">The corpus has no such preparation; a prepare run makes it.</exception>
    public static PreparedCorpus Open(Store store, string corpus, PreparationSpec preparation)
    {
        var manifest = FindManifest(store, corpus, preparation)
            ?? throw new BadRequestException($"Corpus '{corpus}' holds no {preparation.Modality.ToString().ToLowerInvariant()} items prepared as {preparation.Hash}. Ingest items of that modality first.");
        var prepared = Open(part => store.FileOf(Folder(store, corpus, preparation), part), manifest);
        if (RemovedItems.Of(store, corpus) is { Count: > 0 } removed) prepared.LeaveOut(removed);
        return prepared;
    }

    private void LeaveOut(RemovedItems removed)
    {
        var kept = new List<int>(Count);
        for (var p = 0; p < _parts.Count; p++)
        {
            var (part, first) = (_parts[p], kept.Count);
            for (var item = part.First; item < part.First + part.Count; item++)
                if (!removed.Contains(ItemId(item))) kept.Add(item);
            _parts[p] = part with { First = first, Count = kept.Count - first };
        }
        _parts.RemoveAll(part => part.Count == 0);
        (_kept, Count) = ([.. kept], kept.Count);
    }

    /// <summary>Maps the parts of a manifest.</summary>
    /// <param name="fileOf">Where a part lies on this machine.</param>
    public static PreparedCorpus Open(Func<PartFile, string> fileOf, PreparedManifest manifest)
    {
        var prepared = new PreparedCorpus(manifest.Preparation);
        foreach (var part in manifest.Parts.OrderBy(part => NumberOf(part.Path)).ThenBy(part => PieceOf(part.Path))) prepared.AddPart(fileOf(part));
        return prepared;
    }

    /// <summary>The number in part-NNNNN or part-NNNNN.P, whatever the extension.</summary>
    public static int NumberOf(string path) => int.Parse(Stem(path)[0]["part-".Length..], System.Globalization.CultureInfo.InvariantCulture);

    private static int PieceOf(string path) => Stem(path) is [_, var piece] ? int.Parse(piece, System.Globalization.CultureInfo.InvariantCulture) : 0;

    private static string[] Stem(string path) => Path.GetFileNameWithoutExtension(path).Split('.');

    /// <summary>Items that a writer has put into memory; at most 2 GiB.</summary>
    public static PreparedCorpus InMemory(PreparationSpec preparation, ReadOnlyMemory<byte> written)
    {
        var prepared = new PreparedCorpus(preparation);
        prepared.AddRows(written, goesOn: false);
        prepared._parts.Add(new(0, 0, prepared.Count));
        return prepared;
    }

    private void AddPart(string path)
    {
        var mapped = new MappedFile(path);
        _files.Add(mapped);
        var (first, number) = (Count, NumberOf(path));
        AddRows(mapped.Memory, PieceOf(path) > 0);
        if (PieceOf(path) > 0 && _parts.Count > 0) _parts[^1] = _parts[^1] with { Count = Count - _parts[^1].First };
        else _parts.Add(new(number, first, Count - first));
    }

    private void AddRows(ReadOnlyMemory<byte> file, bool goesOn)
    {
        // An Arrow file is its magic, padded to 8 bytes, followed by the messages of a stream.
        var reader = new ArrowStreamReader(file[8..]);
        while (reader.ReadNextRecordBatch() is { } batch)
        {
            _slices.Add(new(_rows, batch));
            if (Preparation.Modality == Modality.Audio) AddRecordings(batch, goesOn);
            else Count += batch.Length;
            _rows += batch.Length;
            goesOn = true;
        }
    }

    private void AddRecordings(RecordBatch batch, bool goesOn)
    {
        var ids = (StringArray)batch.Column(0);
        for (var row = 0; row < batch.Length; row++)
        {
            var before = row > 0 ? ids.GetBytes(row - 1) : goesOn && _slices.Count > 1 ? LastId(_slices[^2].Batch) : default;
            if (before.Length > 0 && before.SequenceEqual(ids.GetBytes(row))) continue;
            _firstRows.Add(_rows + row);
            Count++;
        }
    }

    private static ReadOnlySpan<byte> LastId(RecordBatch batch) => ((StringArray)batch.Column(0)).GetBytes(batch.Length - 1);

    /// <summary>Gives the memory of what was read back to the system, for those who read everything once. What is read after that is read anew.</summary>
    public void LetGo()
    {
        foreach (var file in _files) file.LetGo();
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

    /// <summary>Samples of a recording.</summary>
    public int SampleCount(int item)
    {
        var count = 0L;
        for (var row = FirstRow(item); row < EndRow(item); row++) count += RowSamples(row).Length;
        return checked((int)count);
    }

    /// <summary>Mono samples at the preparation's rate. A recording of several rows is copied: read those by <see cref="ReadSamples"/>.</summary>
    public ReadOnlySpan<short> Samples(int item)
    {
        if (EndRow(item) == FirstRow(item) + 1) return RowSamples(FirstRow(item));
        var samples = new short[SampleCount(item)];
        ReadSamples(item, 0, samples);
        return samples;
    }

    /// <summary>Copies the samples from <paramref name="start"/> on; memory grows with the target alone.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The recording has fewer.</exception>
    public void ReadSamples(int item, int start, Span<short> target)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        for (var row = FirstRow(item); row < EndRow(item) && !target.IsEmpty; row++)
        {
            var samples = RowSamples(row);
            var from = Math.Min(start, samples.Length);
            var taken = Math.Min(samples.Length - from, target.Length);
            samples.Slice(from, taken).CopyTo(target);
            start -= from;
            target = target[taken..];
        }
        if (!target.IsEmpty) throw new ArgumentOutOfRangeException(nameof(target), $"Item {ItemId(item)} has {SampleCount(item)} samples; {target.Length} more were asked for.");
    }

    private int FirstRow(int item) => _firstRows[_kept?[item] ?? item];

    private int EndRow(int item) => (_kept?[item] ?? item) + 1 is var next && next < _firstRows.Count ? _firstRows[next] : _rows;

    private ReadOnlySpan<short> RowSamples(int number)
    {
        var (batch, row) = Row(number);
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
        return Row(Preparation.Modality == Modality.Audio ? FirstRow(item) : _kept?[item] ?? item);
    }

    private (RecordBatch Batch, int Row) Row(int row)
    {
        var (low, high) = (0, _slices.Count - 1);
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            if (_slices[middle].First <= row) low = middle;
            else high = middle - 1;
        }
        return (_slices[low].Batch, row - _slices[low].First);
    }

    public void Dispose()
    {
        foreach (var slice in _slices) slice.Batch.Dispose();
        foreach (var file in _files) ((IDisposable)file).Dispose();
        _slices.Clear();
        _files.Clear();
    }
}
