// One column of a row table: how a row's value gets into Parquet, out of it, and into the content hash. Written by ParquetSharp, whose native library
// packs several times as fast as managed code; read by Parquet.Net. Levels follow the Dremel encoding of the Parquet format: list and map columns are
// optional groups with required elements.
using Parquet;
using Parquet.Schema;
using ParquetSharp;
using ParquetSharp.Schema;

namespace FeatureForge.Data;

/// <summary>One column of <typeparamref name="TRow"/>.</summary>
internal abstract class TableColumn<TRow>(string name)
{
    public string Name => name;

    /// <summary>Big payloads that a reader may leave out.</summary>
    public bool Heavy { get; init; }

    /// <summary>Times and measurements that two equal runs need not share; left out of the content hash.</summary>
    public bool Volatile { get; init; }

    /// <summary>Hardly two rows have the same value: no dictionary is tried, no least and greatest value kept.</summary>
    public bool Distinct { get; init; }

    /// <summary>Paths of its leaf columns whose values repeat, so that a dictionary pays.</summary>
    public virtual IEnumerable<string> DictionaryPaths => [];
    public abstract Field Field { get; }
    public abstract Node Node { get; }
    /// <summary>Writes the rows of one group to the group's next column or columns.</summary>
    public abstract void Write(RowGroupWriter group, IReadOnlyList<TRow> rows);
    /// <summary>The column's values of one row group, boxed per row; null = null.</summary>
    public abstract Task<object?[]> ReadAsync(ParquetRowGroupReader group, CancellationToken stop);
    /// <summary>Adds the row's value to a canonical encoding.</summary>
    public abstract void Encode(TRow row, CanonicalEncoder encoder);
}

internal sealed class TextColumn<TRow>(string name, Func<TRow, string?> get, bool nullable = false) : TableColumn<TRow>(name)
{
    private readonly DataField _field = new(name, typeof(string), nullable);
    public override Field Field => _field;
    public override Node Node => new PrimitiveNode(Name, nullable ? Repetition.Optional : Repetition.Required, LogicalType.String(), PhysicalType.ByteArray);
    public override IEnumerable<string> DictionaryPaths => Distinct ? [] : [Name];

    /// <summary>The text of a row that has it in UTF-8 already; null for the others.</summary>
    public Func<TRow, byte[]?>? Utf8 { get; init; }

    public override void Write(RowGroupWriter group, IReadOnlyList<TRow> rows)
    {
        if (Utf8 is { } utf8)
        {
            PhysicalWriter.Write(group, rows.Select(row => utf8(row) ?? (get(row) is { } text ? System.Text.Encoding.UTF8.GetBytes(text) : null)).ToArray());
            return;
        }
        var values = rows.Select(get).ToArray();
        PhysicalWriter.Write(group, values, nullable ? Array.ConvertAll(values, value => value is not null) : null);
    }

    public override async Task<object?[]> ReadAsync(ParquetRowGroupReader group, CancellationToken stop)
    {
        var values = new string?[group.RowCount];
        await group.ReadAsync(_field, values.AsMemory(), null, stop);
        return values;
    }

    public override void Encode(TRow row, CanonicalEncoder encoder) => encoder.Add(get(row));
}

internal sealed class BytesColumn<TRow>(string name, Func<TRow, byte[]?> get) : TableColumn<TRow>(name)
{
    private readonly DataField _field = new(name, typeof(byte[]), isNullable: true);
    public override Field Field => _field;
    public override Node Node => new PrimitiveNode(Name, Repetition.Optional, LogicalType.None(), PhysicalType.ByteArray);

    public override void Write(RowGroupWriter group, IReadOnlyList<TRow> rows) => PhysicalWriter.Write(group, rows.Select(get).ToArray());

    public override async Task<object?[]> ReadAsync(ParquetRowGroupReader group, CancellationToken stop)
    {
        var values = new byte[]?[group.RowCount];
        await group.ReadAsync(_field, values.AsMemory(), null, stop);
        return values;
    }

    public override void Encode(TRow row, CanonicalEncoder encoder) => encoder.Add(get(row));
}

/// <summary>Numbers and timestamps; <typeparamref name="T"/> is int, long, float, double or DateTime.</summary>
internal sealed class NumberColumn<TRow, T>(string name, Func<TRow, T?> get, bool nullable = false) : TableColumn<TRow>(name) where T : unmanaged
{
    private readonly DataField _field = typeof(T) == typeof(DateTime)
        ? new DateTimeDataField(name, DateTimeFormat.Timestamp, isAdjustedToUTC: true, DateTimeTimeUnit.Micros, nullable)
        : new DataField(name, typeof(T), nullable);
    public override Field Field => _field;
    public override Node Node => new PrimitiveNode(Name, nullable ? Repetition.Optional : Repetition.Required,
        typeof(T) == typeof(DateTime) ? LogicalType.Timestamp(isAdjustedToUtc: true, ParquetSharp.TimeUnit.Micros) : LogicalType.None(), PhysicalWriter.TypeOf<T>());

    public override void Write(RowGroupWriter group, IReadOnlyList<TRow> rows)
    {
        var present = nullable ? new bool[rows.Count] : null;
        var values = new List<T>(rows.Count);
        for (var i = 0; i < rows.Count; i++)
        {
            if (get(rows[i]) is not { } value)
            {
                if (!nullable) throw new InvalidOperationException($"Column {Name} may not be null.");
                continue;
            }
            if (present is not null) present[i] = true;
            values.Add(value);
        }
        PhysicalWriter.Write<T>(group, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(values), present, rows.Count);
    }

    public override async Task<object?[]> ReadAsync(ParquetRowGroupReader group, CancellationToken stop)
    {
        var count = (int)group.RowCount;
        if (!nullable)
        {
            var plain = new T[count];
            await group.ReadAsync<T>(_field, plain.AsMemory(), null, stop);
            return Array.ConvertAll(plain, value => (object?)value);
        }
        var values = new T?[count];
        await group.ReadAsync<T>(_field, values.AsMemory(), null, stop);
        return Array.ConvertAll(values, value => (object?)value);
    }

    public override void Encode(TRow row, CanonicalEncoder encoder) => encoder.Add(get(row));
}

/// <summary>A list of strings or of float32; null never, empty possibly.</summary>
internal sealed class ListColumn<TRow, T>(string name, Func<TRow, IReadOnlyList<T>> get) : TableColumn<TRow>(name)
{
    private readonly ListField _field = new(name, new DataField("element", typeof(T), isNullable: false));
    public override Field Field => _field;
    private DataField Element => (DataField)_field.Item;
    public override Node Node => new GroupNode(Name, Repetition.Optional, [new GroupNode("list", Repetition.Repeated,
        [new PrimitiveNode("element", Repetition.Required, typeof(T) == typeof(string) ? LogicalType.String() : LogicalType.None(), typeof(T) == typeof(string) ? PhysicalType.ByteArray : PhysicalType.Float)])], LogicalType.List());
    public override IEnumerable<string> DictionaryPaths => typeof(T) == typeof(string) ? [$"{Name}.list.element"] : [];

    public override void Write(RowGroupWriter group, IReadOnlyList<TRow> rows)
    {
        var levels = ListLevels.Of(rows.Select(row => get(row).Count), Element.MaxDefinitionLevel);
        switch (rows.SelectMany(get).ToArray())
        {
            case string[] texts:
                PhysicalWriter.Write(group, texts, levels);
                break;
            case float[] numbers:
                PhysicalWriter.Write<float>(group, numbers, levels);
                break;
            default:
                throw new NotSupportedException(typeof(T).Name);
        }
    }

    public override async Task<object?[]> ReadAsync(ParquetRowGroupReader group, CancellationToken stop)
    {
        var stored = (int)group.GetMetadata(Element)!.MetaData!.NumValues;
        var (definition, repetition) = (new int[stored], new int[stored]);
        if (typeof(T) == typeof(string))
        {
            var values = new ReadOnlyMemory<char>[stored];
            await group.ReadRawAsync<ReadOnlyMemory<char>>(Element, values, definition, repetition, stop);
            return ListLevels.Split(definition, repetition, Element.MaxDefinitionLevel, i => values[i].ToString());
        }
        var numbers = new float[stored];
        await group.ReadRawAsync<float>(Element, numbers, definition, repetition, stop);
        return ListLevels.Split(definition, repetition, Element.MaxDefinitionLevel, i => numbers[i]);
    }

    public override void Encode(TRow row, CanonicalEncoder encoder)
    {
        var list = get(row);
        encoder.Add(list.Count);
        foreach (var value in list)
        {
            if (value is float number) encoder.Add<float>(number);
            else encoder.Add(value as string);
        }
    }
}

/// <summary>A map from string to float32, as the standard MAP group.</summary>
internal sealed class MapColumn<TRow>(string name, Func<TRow, IReadOnlyDictionary<string, float>> get) : TableColumn<TRow>(name)
{
    private readonly MapField _field = new(name, new DataField("key", typeof(string), isNullable: false), new DataField("value", typeof(float), isNullable: false));
    public override Field Field => _field;
    private DataField Key => (DataField)_field.Key;
    private DataField Value => (DataField)_field.Value;
    public override Node Node => new GroupNode(Name, Repetition.Optional, [new GroupNode("key_value", Repetition.Repeated,
        [new PrimitiveNode("key", Repetition.Required, LogicalType.String(), PhysicalType.ByteArray), new PrimitiveNode("value", Repetition.Required, LogicalType.None(), PhysicalType.Float)])], LogicalType.Map());
    public override IEnumerable<string> DictionaryPaths => [$"{Name}.key_value.key"];

    public override void Write(RowGroupWriter group, IReadOnlyList<TRow> rows)
    {
        var levels = ListLevels.Of(rows.Select(row => get(row).Count), Key.MaxDefinitionLevel);
        var pairs = rows.SelectMany(row => get(row).OrderBy(pair => pair.Key, StringComparer.Ordinal)).ToArray();
        PhysicalWriter.Write(group, Array.ConvertAll(pairs, pair => pair.Key), levels);
        PhysicalWriter.Write<float>(group, Array.ConvertAll(pairs, pair => pair.Value), levels);
    }

    public override async Task<object?[]> ReadAsync(ParquetRowGroupReader group, CancellationToken stop)
    {
        var stored = (int)group.GetMetadata(Key)!.MetaData!.NumValues;
        var (definition, repetition) = (new int[stored], new int[stored]);
        var keys = new ReadOnlyMemory<char>[stored];
        var values = new float[stored];
        await group.ReadRawAsync<ReadOnlyMemory<char>>(Key, keys, definition, repetition, stop);
        await group.ReadRawAsync<float>(Value, values, definition, repetition, stop);
        var lists = ListLevels.Split(definition, repetition, Key.MaxDefinitionLevel, i => new KeyValuePair<string, float>(keys[i].ToString(), values[i]));
        return Array.ConvertAll(lists, list => (object?)((KeyValuePair<string, float>[])list!).ToDictionary());
    }

    public override void Encode(TRow row, CanonicalEncoder encoder)
    {
        var map = get(row);
        encoder.Add(map.Count);
        foreach (var (key, value) in map.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            encoder.Add(key);
            encoder.Add<float>(value);
        }
    }
}
