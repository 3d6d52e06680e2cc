// A column of a Parquet row group by its name, as the physical type that it has.
using ParquetSharp;

namespace FeatureForge.Data;

internal static class PhysicalColumn
{
    /// <exception cref="InvalidDataException">There is no such column, or it is of another type.</exception>
    internal static ColumnReader<T> Of<T>(RowGroupReader group, string name, string path) where T : unmanaged
    {
        var schema = group.MetaData.Schema;
        for (var index = 0; index < schema.NumColumns; index++)
        {
            if (schema.Column(index).Path.ToDotString() != name) continue;
            var column = group.Column(index);
            if (column is ColumnReader<T> typed) return typed;
            var found = column.Type;
            column.Dispose();
            throw new InvalidDataException($"{path}: column {name} holds {found}; expected {typeof(T).Name}.");
        }
        throw new InvalidDataException($"{path}: there is no column {name}; it was not written by FeatureForge, or is damaged.");
    }
}
