// Writes one prepared part as an Arrow IPC file: batches of bounded size, uncompressed so that it can be mapped. A long recording
// becomes several rows of the same id, one after the other, so that it is never in memory; a part that outgrows a mapping goes on
// in further files (piece 1, 2…), and a recording may go on with it.
using System.Runtime.InteropServices;
using Apache.Arrow;
using Apache.Arrow.Ipc;
using Apache.Arrow.Types;

namespace FeatureForge.Data;

/// <summary>Writes one prepared part; call exactly one of the Add methods, by modality. Not whole before <see cref="Complete"/>.</summary>
public sealed class PreparedPartWriter : IDisposable
{
    /// <summary>Samples of one row at most: 8 MiB.</summary>
    internal const int RowSamples = 4 << 20;

    private const int MaxBatchBytes = 16 << 20;
    private const int MaxBatchRows = 4096;
    // A mapping holds at most 2 GiB.
    private const long MaxFileBytes = 1L << 30;

    private readonly PreparationSpec _preparation;
    private readonly Schema _schema;
    private readonly string? _path;
    private Stream _stream;
    private ArrowFileWriter _writer;
    private readonly List<string> _ids = [];
    private readonly List<int> _first = [];
    private readonly List<int> _second = [];
    private readonly List<byte[]> _payloads = [];
    private long _payloadBytes;
    private byte[] _batchBytes = [];

    public PreparedPartWriter(string path, PreparationSpec preparation)
    {
        (_path, _preparation, _schema) = (path, preparation, PreparedSchema.Of(preparation));
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        (_stream, _writer) = Open(0);
    }

    /// <summary>Writes into memory, for <see cref="PreparedCorpus.InMemory"/>; the stream stays open.</summary>
    public PreparedPartWriter(MemoryStream target, PreparationSpec preparation)
    {
        (_preparation, _schema) = (preparation, PreparedSchema.Of(preparation));
        (_stream, _writer) = Begin(target);
    }

    /// <summary>Where piece number <paramref name="piece"/> of a part is: 0 is the part itself.</summary>
    public static string PiecePath(string path, int piece) => piece == 0 ? path
        : Path.Combine(Path.GetDirectoryName(path)!, $"{Path.GetFileNameWithoutExtension(path)}.{piece}{Path.GetExtension(path)}");

    /// <summary>Files that the part has.</summary>
    public int Pieces { get; private set; } = 1;

    /// <summary>Items added so far.</summary>
    public long Rows { get; private set; }

    /// <summary>pixels: [3, S, S] uint8, channel first; source size in pixels.</summary>
    public void AddImage(string itemId, int sourceWidth, int sourceHeight, ReadOnlySpan<byte> pixels)
    {
        if (pixels.Length != PreparedSchema.PixelBytes(_preparation))
            throw new ArgumentException($"Item {itemId}: expected {PreparedSchema.PixelBytes(_preparation)} bytes of pixels, found {pixels.Length}.");
        Add(itemId, sourceWidth, sourceHeight, pixels.ToArray());
    }

    /// <summary>Mono samples at the preparation's rate.</summary>
    public void AddAudio(string itemId, int durationMs, ReadOnlySpan<short> samples)
    {
        Add(itemId, durationMs, 0, MemoryMarshal.AsBytes(samples[..Math.Min(RowSamples, samples.Length)]).ToArray());
        for (var at = RowSamples; at < samples.Length; at += RowSamples)
            Add(itemId, durationMs, 0, MemoryMarshal.AsBytes(samples.Slice(at, Math.Min(RowSamples, samples.Length - at))).ToArray(), isMore: true);
    }

    /// <summary>The same from a stream of little-endian 16-bit samples, read to its end.</summary>
    public void AddAudio(string itemId, int durationMs, Stream samples)
    {
        for (var isMore = false; ; isMore = true)
        {
            var row = new byte[2 * RowSamples];
            var read = samples.ReadAtLeast(row, row.Length, throwOnEndOfStream: false);
            if (read > 0 || !isMore) Add(itemId, durationMs, 0, read == row.Length ? row : row[..read], isMore);
            if (read < row.Length) return;
        }
    }

    public void AddText(string itemId, string text) => AddText(itemId, System.Text.Encoding.UTF8.GetBytes(text));

    /// <param name="utf8">Not copied: it must stay as it is until the part is complete.</param>
    public void AddText(string itemId, byte[] utf8) => Add(itemId, 0, 0, utf8);

    private void Add(string itemId, int first, int second, byte[] payload, bool isMore = false)
    {
        if (_payloadBytes + payload.Length > MaxBatchBytes || _ids.Count >= MaxBatchRows) FlushBatch();
        if (_ids.Count == 0 && _path is not null && _stream.Position + payload.Length > MaxFileBytes && _stream.Position > MaxBatchBytes) NextPiece();
        _ids.Add(itemId);
        _first.Add(first);
        _second.Add(second);
        _payloads.Add(payload);
        _payloadBytes += payload.Length;
        if (!isMore) Rows++;
    }

    private (Stream Stream, ArrowFileWriter Writer) Open(int piece) => Begin(File.Create(PiecePath(_path!, piece)));

    private (Stream Stream, ArrowFileWriter Writer) Begin(Stream stream)
    {
        var writer = new ArrowFileWriter(stream, _schema, leaveOpen: true);
        writer.WriteStart();
        return (stream, writer);
    }

    private void NextPiece()
    {
        EndPiece();
        Dispose();
        (_stream, _writer) = Open(Pieces++);
    }

    private void EndPiece()
    {
        _writer.WriteEnd();
        if (_stream is FileStream file) file.Flush(flushToDisk: true);
    }

    private void FlushBatch()
    {
        if (_ids.Count == 0) return;
        using var batch = new RecordBatch(_schema, Columns(), _ids.Count);
        _writer.WriteRecordBatch(batch);
        _ids.Clear();
        _first.Clear();
        _second.Clear();
        _payloads.Clear();
        _payloadBytes = 0;
    }

    private IEnumerable<IArrowArray> Columns()
    {
        yield return new StringArray.Builder().AppendRange(_ids).Build();
        if (_preparation.Modality != Modality.Text) yield return new Int32Array.Builder().AppendRange(_first).Build();
        if (_preparation.Modality == Modality.Image) yield return new Int32Array.Builder().AppendRange(_second).Build();
        yield return Payload();
    }

    private IArrowArray Payload()
    {
        // The batch before is in the file: its bytes may go.
        if (_batchBytes.Length < _payloadBytes) _batchBytes = GC.AllocateUninitializedArray<byte>(checked((int)_payloadBytes));
        var bytes = _batchBytes.AsMemory(0, (int)_payloadBytes);
        var offsets = new int[_payloads.Count + 1];
        var unit = _preparation.Modality == Modality.Audio ? sizeof(short) : 1;
        for (int i = 0, at = 0; i < _payloads.Count; i++)
        {
            _payloads[i].CopyTo(bytes.Span[at..]);
            at += _payloads[i].Length;
            offsets[i + 1] = at / unit;
        }
        var values = new ArrowBuffer(bytes);
        var ends = new ArrowBuffer(MemoryMarshal.AsBytes(offsets.AsSpan()).ToArray());
        var count = _payloads.Count;
        if (_preparation.Modality == Modality.Image)
            return ArrowArrayFactory.BuildArray(new ArrayData(_schema.GetFieldByName("pixels").DataType, count, 0, 0, [ArrowBuffer.Empty, values]));
        if (_preparation.Modality == Modality.Text)
            return new StringArray(count, ends, values, ArrowBuffer.Empty, 0);
        var samples = new ArrayData(Int16Type.Default, offsets[count], 0, 0, [ArrowBuffer.Empty, values]);
        return new ListArray(new ArrayData(_schema.GetFieldByName("samples").DataType, count, 0, 0, [ArrowBuffer.Empty, ends], [samples]));
    }

    /// <summary>Writes what is left and the footer.</summary>
    public void Complete()
    {
        FlushBatch();
        EndPiece();
    }

    public void Dispose()
    {
        _writer.Dispose();
        if (_path is not null) _stream.Dispose();
    }
}
