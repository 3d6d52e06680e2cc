// Writes one prepared part as an Arrow IPC file: a few batches of bounded size, uncompressed so that it can be mapped.
using System.Runtime.InteropServices;
using Apache.Arrow;
using Apache.Arrow.Ipc;
using Apache.Arrow.Types;

namespace FeatureForge.Data;

/// <summary>Writes one prepared part; call exactly one of the Add methods, by modality. Not whole before <see cref="Complete"/>.</summary>
public sealed class PreparedPartWriter : IDisposable
{
    private const int MaxBatchBytes = 64 << 20;
    private const int MaxBatchRows = 4096;

    private readonly PreparationSpec _preparation;
    private readonly Schema _schema;
    private readonly FileStream _stream;
    private readonly ArrowFileWriter _writer;
    private readonly List<string> _ids = [];
    private readonly List<int> _first = [];
    private readonly List<int> _second = [];
    private readonly List<byte[]> _payloads = [];
    private long _payloadBytes;

    public PreparedPartWriter(string path, PreparationSpec preparation)
    {
        (_preparation, _schema) = (preparation, PreparedSchema.Of(preparation));
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        _stream = File.Create(path);
        _writer = new ArrowFileWriter(_stream, _schema, leaveOpen: true);
        _writer.WriteStart();
    }

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
    public void AddAudio(string itemId, int durationMs, ReadOnlySpan<short> samples) => Add(itemId, durationMs, 0, MemoryMarshal.AsBytes(samples).ToArray());

    public void AddText(string itemId, string text) => Add(itemId, 0, 0, System.Text.Encoding.UTF8.GetBytes(text));

    private void Add(string itemId, int first, int second, byte[] payload)
    {
        if (_payloadBytes + payload.Length > MaxBatchBytes || _ids.Count >= MaxBatchRows) FlushBatch();
        _ids.Add(itemId);
        _first.Add(first);
        _second.Add(second);
        _payloads.Add(payload);
        _payloadBytes += payload.Length;
        Rows++;
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
        var bytes = new byte[_payloadBytes];
        var offsets = new int[_payloads.Count + 1];
        var unit = _preparation.Modality == Modality.Audio ? sizeof(short) : 1;
        for (int i = 0, at = 0; i < _payloads.Count; i++)
        {
            _payloads[i].CopyTo(bytes.AsSpan(at));
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
        _writer.WriteEnd();
        _stream.Flush(flushToDisk: true);
    }

    public void Dispose()
    {
        _writer.Dispose();
        _stream.Dispose();
    }
}
