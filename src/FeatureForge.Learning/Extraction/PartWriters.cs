// Writes the tables of one unit (a prepared part) on its own thread, so that the torch thread need not wait for compression.
using System.Collections.Concurrent;
using System.Text.Json;
using FeatureForge.Data;

namespace FeatureForge.Learning;

/// <summary>Rows by table of a finished unit.</summary>
internal sealed record UnitRecord(int Part, long Items, IReadOnlyDictionary<string, long> Rows);

/// <summary>Takes blocks in order and ends with one file per table and, last, the unit's record.</summary>
internal sealed class PartWriters : IDisposable
{
    private const int RowsPerGroup = 20_000;
    // Wide vectors in smaller groups: a group of every table is in memory, and what is written early need not wait for the end.
    private const int BytesPerGroup = 32 << 20;
    private const int Waiting = 8;

    private readonly BlockingCollection<SpanVectors> _blocks = new(Waiting);
    private readonly Dictionary<(string Level, Grain Grain), TableWriter> _tables;
    private readonly Thread _thread;
    private readonly Store _store;
    private readonly string _stagingFolder;
    private readonly int _part;
    private readonly long _items;
    private UnitRecord? _record;
    private volatile Exception? _failure;
    private volatile bool _abandoned;

    public PartWriters(Store store, string stagingFolder, int part, long items, IReadOnlyList<EmbeddingHeader> tables)
    {
        (_store, _stagingFolder, _part, _items) = (store, stagingFolder, part, items);
        _tables = tables.ToDictionary(header => (header.Level, header.Grain), header => new TableWriter(ExtractionFiles.Staged(stagingFolder, header.Level, header.Grain, part), header));
        _thread = new Thread(Write) { Name = "vectors", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Hands a block over; waits while the writer is behind.</summary>
    public void Add(SpanVectors block, CancellationToken stop)
    {
        try { _blocks.Add(block, stop); }
        catch (InvalidOperationException) { throw Failed(); }
    }

    /// <summary>No more blocks will come.</summary>
    public void CompleteAdding() => _blocks.CompleteAdding();

    /// <summary>Waits until every file and the record are whole and on disk.</summary>
    public UnitRecord Complete()
    {
        _blocks.CompleteAdding();
        _thread.Join();
        return _record ?? throw Failed();
    }

    private void Write()
    {
        try
        {
            foreach (var block in _blocks.GetConsumingEnumerable()) _tables[(block.Level, block.Grain)].Add(block.Block);
            if (_abandoned) return;
            foreach (var table in _tables.Values)
            {
                table.Finish();
                _store.KeepStaged(table.Path);
            }
            var record = new UnitRecord(_part, _items, _tables.ToDictionary(pair => ExtractionFiles.Key(pair.Key.Level, pair.Key.Grain), pair => pair.Value.Rows));
            _store.KeepStaged(ExtractionFiles.WriteRecord(_stagingFolder, record));
            _record = record;
        }
        catch (Exception error)
        {
            // Asked now: what is unfinished gives its room back later.
            _failure = DiskFullException.Behind(error, _stagingFolder) ?? error;
            _blocks.CompleteAdding();
        }
    }

    private InvalidOperationException Failed() => new($"Writing vectors failed: {_failure?.Message}", _failure);

    /// <summary>A unit that has all its blocks is still finished; any other is given up.</summary>
    public void Dispose()
    {
        _abandoned = !_blocks.IsAddingCompleted;
        _blocks.CompleteAdding();
        while (_abandoned && _blocks.TryTake(out _)) { }
        _thread.Join();
        foreach (var table in _tables.Values) table.Dispose();
        _blocks.Dispose();
    }

    /// <summary>One file; gathers blocks into row groups of a size that reads fast.</summary>
    private sealed class TableWriter : IDisposable
    {
        // A name of its own: a worker that lost its run may still be writing the same part elsewhere.
        private readonly string _unfinished;
        private readonly string _path;
        private readonly EmbeddingHeader _header;
        private readonly EmbeddingWriter _writer;
        private readonly List<EmbeddingBlock> _pending = [];
        private int _pendingRows;
        private bool _finished;

        public TableWriter(string path, EmbeddingHeader header)
        {
            (_path, _header, _unfinished) = (path, header, $"{path}.{Environment.MachineName}-{Environment.ProcessId}.tmp");
            _writer = new(_unfinished, header);
        }

        public string Path => _path;
        public long Rows { get; private set; }

        public void Add(EmbeddingBlock block)
        {
            _pending.Add(block);
            _pendingRows += block.Rows;
            Rows += block.Rows;
            if (_pendingRows >= RowsPerGroup || (long)_pendingRows * _header.Dimension * sizeof(float) >= BytesPerGroup) Flush();
        }

        public void Finish()
        {
            Flush();
            _writer.Close();
            DurableFile.Flush(_unfinished);
            DurableFile.MoveInto(_unfinished, _path);
            _finished = true;
        }

        private void Flush()
        {
            if (_pendingRows == 0) return;
            var vectors = new float[_pendingRows * _header.Dimension];
            var at = 0;
            foreach (var block in _pending)
            {
                block.Vectors.CopyTo(vectors, at);
                at += block.Vectors.Length;
            }
            _writer.Write(new(
                [.. _pending.SelectMany(block => block.ItemIds)], [.. _pending.SelectMany(block => block.SpanIndex)], [.. _pending.SelectMany(block => block.Spans)],
                vectors, _header.Dimension));
            _pending.Clear();
            _pendingRows = 0;
        }

        /// <summary>What is not finished gives its room back: on a full disk the ledger needs some.</summary>
        public void Dispose()
        {
            try { _writer.Dispose(); }
            finally { if (!_finished) File.Delete(_unfinished); }
        }
    }
}

/// <summary>Where extraction puts things.</summary>
internal static class ExtractionFiles
{
    public static string Relative(string level, Grain grain, int part) => $"data/level={level}/grain={Word(grain)}/part-{part:D5}.parquet";

    public static string Staged(string stagingFolder, string level, Grain grain, int part) => Path.Combine(stagingFolder, Relative(level, grain, part));

    public static string Key(string level, Grain grain) => $"{level}/{Word(grain)}";

    public static string RecordPath(string stagingFolder, int part) => Path.Combine(stagingFolder, $"unit-{part:D5}.json");

    /// <summary>The record of a unit that an earlier attempt finished, or null.</summary>
    public static UnitRecord? FindRecord(string stagingFolder, int part)
    {
        var path = RecordPath(stagingFolder, part);
        return File.Exists(path) ? JsonSerializer.Deserialize<UnitRecord>(File.ReadAllText(path), SpecJson.Line) : null;
    }

    /// <returns>The record's path.</returns>
    public static string WriteRecord(string stagingFolder, UnitRecord record)
    {
        var path = RecordPath(stagingFolder, record.Part);
        DurableFile.WriteAllText(path, JsonSerializer.Serialize(record, SpecJson.Line));
        return path;
    }

    private static string Word(Grain grain) => grain.ToString().ToLowerInvariant();
}
