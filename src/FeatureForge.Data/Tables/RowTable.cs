// A table of row records in Parquet: Zstd, statistics, bounded row groups. The embeddings table has its own file.
using System.Runtime.CompilerServices;
using Parquet;
using Parquet.Schema;
using ParquetSharp;
using ParquetSharp.Schema;

namespace FeatureForge.Data;

/// <summary>Reads and writes <typeparamref name="TRow"/> as Parquet by a list of columns.</summary>
internal sealed class RowTable<TRow>(string name, int version, IReadOnlyList<TableColumn<TRow>> columns, Func<RowValues, TRow> make)
{
    /// <summary>Rows or payload bytes, whichever comes first, end a row group.</summary>
    private const int MaxGroupRows = 20_000;
    private const long MaxGroupBytes = 32L << 20;

    internal string Name => name;
    internal ParquetSchema Schema { get; } = new(columns.Select(column => column.Field).ToArray());

    internal Task WriteAsync(string path, IReadOnlyList<TRow> rows, Func<TRow, long> size, CancellationToken stop)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        // The fastest level of those that all readers know: tables are written more often than they are moved.
        using var builder = new WriterPropertiesBuilder().Compression(ParquetSharp.Compression.Zstd).CompressionLevel(1).DisableDictionary();
        foreach (var column in columns.SelectMany(column => column.DictionaryPaths)) builder.EnableDictionary(column);
        foreach (var column in columns.Where(column => column.Distinct)) builder.DisableStatistics(column.Name);
        using var properties = builder.Build();
        using var schema = new GroupNode("root", Repetition.Required, [.. columns.Select(column => column.Node)]);
        using var writer = new ParquetFileWriter(path, schema, properties, new Dictionary<string, string> { ["featureforge.schema"] = $"{name}/{version}" });
        foreach (var group in Groups(rows, size))
        {
            stop.ThrowIfCancellationRequested();
            using var groupWriter = writer.AppendRowGroup();
            foreach (var column in columns) column.Write(groupWriter, group);
        }
        writer.Close();
        return Task.CompletedTask;
    }

    private static IEnumerable<IReadOnlyList<TRow>> Groups(IReadOnlyList<TRow> rows, Func<TRow, long> size)
    {
        var group = new List<TRow>();
        long bytes = 0;
        foreach (var row in rows)
        {
            group.Add(row);
            bytes += size(row);
            if (group.Count < MaxGroupRows && bytes < MaxGroupBytes) continue;
            yield return group;
            group = [];
            bytes = 0;
        }
        // A table without rows still has one (empty) group, so that every reader sees the schema.
        if (group.Count > 0 || rows.Count == 0) yield return group;
    }

    /// <summary>Rows in file order, one row group in memory at a time; heavy columns read as null when left out.</summary>
    internal async IAsyncEnumerable<TRow> ReadAsync(string path, bool withHeavy, [EnumeratorCancellation] CancellationToken stop)
    {
        await foreach (var rows in GroupsAsync(path, column => withHeavy || !column.Heavy, _ => true, stop))
            foreach (var row in rows.Numbers) yield return make(new(rows.Values, row));
    }

    /// <summary>The rows whose value of one text column is wanted; row groups that hold a single, unwanted value, as their statistics say, are passed over.</summary>
    internal async IAsyncEnumerable<TRow> ReadWhereAsync(string path, string column, Func<string, bool> wanted, [EnumeratorCancellation] CancellationToken stop)
    {
        var field = Schema.DataFields.First(found => found.Name == column);
        bool MayHold(ParquetRowGroupReader group) => group.GetStatistics(field) is not { MinValue: string least, MaxValue: string most } || least != most || wanted(least);
        await foreach (var rows in GroupsAsync(path, _ => true, MayHold, stop))
            foreach (var row in rows.Numbers)
                if (new RowValues(rows.Values, row) is var values && wanted(values.Text(column))) yield return make(values);
    }

    /// <summary>The rows of one row group.</summary>
    internal async Task<IReadOnlyList<TRow>> ReadGroupAsync(string path, int group, bool withHeavy, CancellationToken stop)
    {
        await using var stream = File.OpenRead(path);
        await using var reader = await ParquetReader.CreateAsync(stream, cancellationToken: stop);
        using var opened = reader.OpenRowGroupReader(group);
        var rows = await ReadGroupAsync(reader, opened, column => withHeavy || !column.Heavy, stop);
        return [.. rows.Numbers.Select(row => make(new(rows.Values, row)))];
    }

    /// <summary>Some columns of every row group, without the others being read.</summary>
    internal async IAsyncEnumerable<IReadOnlyList<T>> ReadColumnsAsync<T>(string path, IReadOnlyCollection<string> names, Func<RowValues, T> select, [EnumeratorCancellation] CancellationToken stop)
    {
        await foreach (var rows in GroupsAsync(path, column => names.Contains(column.Name), _ => true, stop))
            yield return [.. rows.Numbers.Select(row => select(new(rows.Values, row)))];
    }

    private async IAsyncEnumerable<(IEnumerable<int> Numbers, Dictionary<string, object?[]> Values)> GroupsAsync(
        string path, Func<TableColumn<TRow>, bool> wanted, Func<ParquetRowGroupReader, bool> mayHold, [EnumeratorCancellation] CancellationToken stop)
    {
        await using var stream = File.OpenRead(path);
        await using var reader = await ParquetReader.CreateAsync(stream, cancellationToken: stop);
        for (var index = 0; index < reader.RowGroupCount; index++)
        {
            using var group = reader.OpenRowGroupReader(index);
            if (mayHold(group)) yield return await ReadGroupAsync(reader, group, wanted, stop);
        }
    }

    private async Task<(IEnumerable<int> Numbers, Dictionary<string, object?[]> Values)> ReadGroupAsync(ParquetReader reader, ParquetRowGroupReader group, Func<TableColumn<TRow>, bool> wanted, CancellationToken stop)
    {
        var values = new Dictionary<string, object?[]>();
        if (group.RowCount == 0) return ([], values);
        // Files of earlier versions lack the columns that were added since; those read as null.
        foreach (var column in columns.Where(column => wanted(column) && reader.Schema.Fields.Any(field => field.Name == column.Name)))
        {
            stop.ThrowIfCancellationRequested();
            values[column.Name] = await column.ReadAsync(group, stop);
        }
        return (Enumerable.Range(0, (int)group.RowCount), values);
    }

    /// <summary>Adds every row of the file to a content hash.</summary>
    internal async Task HashAsync(string path, TableHash hash, CancellationToken stop)
    {
        var encoder = new CanonicalEncoder();
        await foreach (var row in ReadAsync(path, withHeavy: true, stop))
        {
            Encode(row, encoder);
            hash.Add(encoder);
        }
    }

    /// <summary>What two equal runs share of a row.</summary>
    internal void Encode(TRow row, CanonicalEncoder encoder)
    {
        foreach (var column in columns)
            if (!column.Volatile) column.Encode(row, encoder);
    }
}

/// <summary>Typed access to one row's values while a record is made of them.</summary>
internal readonly struct RowValues(Dictionary<string, object?[]> columns, int row)
{
    private object? At(string name) => columns.TryGetValue(name, out var values) ? values[row] : null;
    internal string Text(string name) => (string)At(name)!;
    internal string? TextOrNull(string name) => (string?)At(name);
    internal byte[]? Bytes(string name) => (byte[]?)At(name);
    internal T Number<T>(string name) where T : struct => (T)At(name)!;
    internal T? NumberOrNull<T>(string name) where T : struct => (T?)At(name);
    internal IReadOnlyList<T> List<T>(string name) => (T[])At(name)!;
    internal IReadOnlyDictionary<string, float> Map(string name) => (Dictionary<string, float>)At(name)!;
    internal DateTimeOffset Time(string name) => new(DateTime.SpecifyKind((DateTime)At(name)!, DateTimeKind.Utc));
}
